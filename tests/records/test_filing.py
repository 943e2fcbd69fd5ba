"""Taking files in, keeping what was read, filing it, and corrections that stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from records import correcting, filing, upkeep
from records.access import Viewer
from records.errors import ArchiveError, NotAllowedError, NotFoundError, StaleVersionError
from records.filing import Intake, Sighting
from records.model import Document, DocumentStatus, FieldStatus, PageFailure, Role
from tests.records.making import (
    INTAKE,
    KEY,
    Room,
    accept,
    accepted,
    draft,
    everybody,
    field,
    nobody,
    page,
)

RUN_A, RUN_B = (Intake("test", "Drawer 1", None, None, run) for run in ("run-a", "run-b"))
UNREADABLE = PageFailure(2, "reading", "crashed", "'a.pdf' page 2 crashed; look at the page.")
LOCKED = PageFailure(0, "source", "unreadable", "'a.pdf' is locked; save it without a password.")


def only(room: Room) -> Document:
    """Return the one record that there is."""
    (found,) = room.store.documents(room.store.system_viewer("test"))
    return found


def test_a_new_file_has_a_waiting_record_at_once(room: Room) -> None:
    """What is accepted can be seen, with its batch, its event and its audit link."""
    sha256 = room.hand_in(b"one", "permit.pdf")
    record = only(room)
    assert (record.status, record.title, record.source, record.batch, record.department) == (
        DocumentStatus.WAITING, "permit.pdf", "permit.pdf", "Drawer 1", "clerk",
    )  # fmt: skip
    assert filing.waiting(room.store) == [sha256]
    assert [e["detail"]["as"] for e in room.store.sightings(sha256)] == ["new"]
    assert [row.action for row in room.store.history(record.id)] == ["accepted"]


def test_a_second_sighting_is_an_event_and_no_record(room: Room) -> None:
    """Equal bytes are one document, whatever the file is called the second time."""
    room.file(b"one")
    file = accepted(b"one", "copy of a.pdf")
    assert filing.accept(room.store, file, RUN_A, "clerk", 3, nobody) is Sighting.DUPLICATE
    assert only(room).source == "a.pdf"
    names = [e["detail"]["name"] for e in room.store.sightings(file.sha256)]
    assert names == ["a.pdf", "copy of a.pdf"]


def test_who_reads_a_file(room: Room) -> None:
    """A file has one living reader; a dead one's work is taken up, and its own is a duplicate."""
    assert accept(room.store, b"one", RUN_A) is Sighting.NEW
    assert accept(room.store, b"one", RUN_A, alive=everybody) is Sighting.DUPLICATE
    assert accept(room.store, b"one", RUN_B, alive=everybody) is Sighting.BUSY
    assert accept(room.store, b"one", RUN_B, alive=nobody) is Sighting.RESUMED
    assert filing.holder(room.store, accepted(b"one").sha256) == "run-b"
    assert room.store.counts()["documents"] == 1


def test_a_file_that_failed_too_often_is_set_aside(room: Room) -> None:
    """After the allowed tries a file is left alone, with its reason on the record."""
    sha256 = room.hand_in(b"one")
    for _ in range(2):
        assert accept(room.store, b"one", tries=3) is Sighting.RESUMED
        filing.fail_original(room.store, "test", sha256, LOCKED)
    assert accept(room.store, b"one", tries=3) is Sighting.RESUMED
    filing.fail_original(room.store, "test", sha256, LOCKED)
    assert accept(room.store, b"one", tries=3) is Sighting.SET_ASIDE
    assert only(room).status is DocumentStatus.FAILED
    assert only(room).reasons == (LOCKED.message,)
    assert filing.waiting(room.store) == []


def test_claims(room: Room) -> None:
    """A waiting file is claimed by one run; a read one by none."""
    sha256 = room.hand_in(b"one")
    assert filing.claim(room.store, sha256, "run-a", everybody)
    assert filing.claim(room.store, sha256, "run-a", everybody)
    assert not filing.claim(room.store, sha256, "run-b", everybody)
    assert filing.claim(room.store, sha256, "run-b", nobody)
    room.read(sha256)
    filing.file_records(room.store, "test", sha256, [draft([1])])
    assert not filing.claim(room.store, sha256, "run-a", nobody)
    assert filing.holder(room.store, sha256) is None
    assert filing.holder(room.store, "unknown") is None


def test_what_was_said_at_the_desk_is_kept(room: Room) -> None:
    """The form and department that a person named are there when the reading is resumed."""
    accept(room.store, b"one", Intake("test", "B", "building", "dog-licence", ""))
    told = filing.told(room.store, accepted(b"one").sha256)
    assert (told.form, told.department) == ("dog-licence", "building")
    accept(room.store, b"two")
    assert filing.told(room.store, accepted(b"two").sha256) == filing.Told("", "")


def test_a_page_read_again_replaces_itself(room: Room) -> None:
    """A page is there once, with its newest reading and what that was read with."""
    sha256 = room.hand_in(b"one")
    filing.save_page(room.store, "test", sha256, replace(UNREADABLE, number=1), KEY)
    assert filing.page_keys(room.store, sha256) == {}
    filing.save_page(room.store, "test", sha256, page(1, "a" * 64, "Old"), KEY)
    filing.save_page(room.store, "test", sha256, page(1, "b" * 64, "New"), KEY)
    assert filing.page_keys(room.store, sha256) == {1: KEY}
    (kept,) = filing.read_pages(room.store, sha256)
    assert kept == filing.read_page(room.store, sha256, 1) == page(1, "b" * 64, "New")


def test_a_reading_is_kept_as_it_was(room: Room) -> None:
    """All of a page's reading, its fields and a failure come back as they went in."""
    sha256 = room.hand_in(b"one")
    first = replace(page(1, "a" * 64), fields=(field("owner", "Ané"),), form="x", form_page=1)
    for each in (first, UNREADABLE):
        filing.save_page(room.store, "test", sha256, each, KEY)
    assert filing.read_pages(room.store, sha256) == [first, UNREADABLE]


def test_one_file_can_be_several_records(room: Room) -> None:
    """Every page is in one record, in its order, and each record has its own audit."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=3)
    drafts = [draft([1, 2], title="A"), draft([3], title="B", department="building")]
    one, two = filing.file_records(room.store, "test", sha256, drafts)
    assert [p.number for p in room.store.pages(one)] == [1, 2]
    assert [(p.number, p.position) for p in room.store.pages(two)] == [(3, 1)]
    found = room.store.documents(room.store.system_viewer("x"), sha256=sha256)
    assert [(d.title, d.part, d.department) for d in found] == [
        ("A", 1, "clerk"),
        ("B", 3, "building"),
    ]
    assert room.store.history(two)[-1].action == "filed"
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_a_page_that_comes_late_moves_no_correction(room: Room) -> None:
    """What a person said of a record stays with it when a page before it is read after all."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=3)
    filing.file_records(
        room.store, "test", sha256, [draft([1, 2]), draft([3], field("owner", "x"))]
    )
    viewer = room.store.system_viewer("x")
    seen = room.store.documents(viewer, sha256=sha256)[1]
    said = replace(field("owner", "Zed"), status=FieldStatus.CORRECTED, reader="person x")
    correcting.correct(room.store, viewer, seen, said, seen)
    late = [draft([1]), draft([2], field("owner", "y")), draft([3], field("owner", "x"))]
    filing.file_records(room.store, "test", sha256, late)
    owners = {
        d.part: [f.value for f in room.store.fields(d.id)]
        for d in room.store.documents(viewer, sha256=sha256)
    }
    assert owners == {1: [], 2: ["y"], 3: ["Zed"]}


def test_a_file_with_a_page_missing_is_not_filed(room: Room) -> None:
    """A file is done only when as many pages were read as it has."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=2)
    filing.count_pages(room.store, sha256, 3)
    with pytest.raises(ArchiveError, match="has 3 pages, but 2 were read"):
        filing.file_records(room.store, "test", sha256, [draft([1, 2])])
    assert filing.waiting(room.store) == [sha256]


def test_nobody_sees_pages_before_it_is_known_whose_they_are(room: Room) -> None:
    """While a file is read its pages may be a private form's; they show when it is filed."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=1)
    number = only(room).id
    assert room.store.pages(number) == ()
    assert room.store.lines(number, 1) == ()
    assert room.store.changed_since(0, 9)[0].pages == ()
    filing.file_records(room.store, "test", sha256, [draft([1])])
    assert [p.number for p in room.store.pages(number)] == [1]


def test_filing_again_keeps_the_ids(room: Room) -> None:
    """A file that is read again gives the same records, a version on, and no new ones."""
    number = room.file(b"one", field("owner", "Lee"))
    before = only(room)
    again = filing.file_records(
        room.store, "test", before.sha256, [draft([1], field("owner", "Leigh"), title="Gate")]
    )
    after = only(room)
    assert again == [number]
    assert (after.title, after.version) == ("Gate", before.version + 1)
    assert after.rev > before.rev
    assert [f.value for f in room.store.fields(number)] == ["Leigh"]


def test_a_failed_page_counts_as_a_try(room: Room) -> None:
    """A file with a page that could not be read is filed, and is tried again the next time."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=2)
    filing.save_page(room.store, "test", sha256, UNREADABLE, KEY)
    filing.file_records(room.store, "test", sha256, [draft([1, 2])], UNREADABLE)
    original = room.store.original(sha256)
    assert original
    assert (original.state, original.tries) == ("failed", 1)
    assert accept(room.store, b"one") is Sighting.RESUMED


def corrected(room: Room, value: str, viewer: Viewer | None = None, version: int = 0) -> Document:
    """Correct the owner of the only record, as the desk does."""
    before = only(room)
    before = replace(before, version=version or before.version)
    new = field("owner", value, FieldStatus.CORRECTED)
    viewer = viewer or room.store.system_viewer("carl")
    return correcting.correct(room.store, viewer, before, new, replace(before, title=value))


def test_a_correction_is_written_with_its_audit(room: Room) -> None:
    """A correction changes field, title, version and index revision, and says who from what."""
    number = room.file(b"one", field("owner", "Lea"), field("street", "Elm"))
    before = only(room)
    after = corrected(room, "Lee")
    assert (after.title, after.version) == ("Lee", before.version + 1)
    assert after.rev > before.rev
    assert [(f.name, f.value) for f in room.store.fields(number)] == [
        ("owner", "Lee"),
        ("street", "Elm"),
    ]
    last = room.store.history(number)[-1]
    assert (last.actor, last.action) == ("carl", "corrected")
    assert last.change == {"field": "owner", "from": "Lea", "to": "Lee"}
    assert last.values == {"owner": "Lee", "street": "Elm"}
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_a_correction_outlives_any_new_reading(room: Room) -> None:
    """What a person has said stays, whether the new reading has that field or not."""
    number = room.file(b"one", field("owner", "Lea"), field("street", "Elm"))
    corrected(room, "Lee")
    for fields in ([field("owner", "L3a"), field("street", "Oak")], [field("street", "Ash")]):
        filing.file_records(room.store, "test", only(room).sha256, [draft([1], *fields)])
        values = {f.name: f.value for f in room.store.fields(number)}
        assert values == {"owner": "Lee", "street": fields[-1].value}
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_a_stale_correction_writes_nothing(room: Room) -> None:
    """Whoever looked at an older version is told so, and the newer one stays."""
    number = room.file(b"one", field("owner", "Lea"))
    version = only(room).version
    corrected(room, "Lee")
    audit = room.store.counts()["audit"]
    with pytest.raises(StaleVersionError, match="changed by someone else meanwhile"):
        corrected(room, "Leo", version=version)
    assert [f.value for f in room.store.fields(number)] == ["Lee"]
    assert room.store.counts()["audit"] == audit
    assert not room.store.db.conn.in_transaction


def test_who_may_not_correct_changes_nothing(room: Room) -> None:
    """The role is asked before anything is written."""
    number = room.file(b"one", field("owner", "Lea"))
    everywhere = frozenset({"clerk", "building"})
    viewer = Viewer("vera", Role.VIEWER, everywhere, frozenset(), everywhere)
    with pytest.raises(NotAllowedError):
        corrected(room, "Lee", viewer)
    assert [f.value for f in room.store.fields(number)] == ["Lea"]


def test_a_field_that_is_not_there_cannot_be_corrected(room: Room) -> None:
    """A field's name that the record does not have is refused by name."""
    room.file(b"one", field("street", "Elm"))
    with pytest.raises(NotFoundError, match="has no field 'owner'"):
        corrected(room, "Lee")


def test_a_record_whose_pages_went_elsewhere_says_so(room: Room) -> None:
    """A record that a new reading no longer finds does not go on as filed without a page."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, pages=2)
    drafts = [draft([1]), draft([2], field("owner", "Lee"))]
    _, two = filing.file_records(room.store, "test", sha256, drafts)
    filing.file_records(room.store, "test", sha256, [draft([1, 2])])
    left = room.store.document(two, room.store.system_viewer("x"))
    assert room.store.pages(two) == ()
    assert left.status is not DocumentStatus.FILED
    assert any("page" in reason for reason in left.reasons)
    assert room.store.fields(two) == ()
    assert upkeep.check(room.store, room.archive, full=True) == []


def test_batches_count_what_may_be_seen(room: Room) -> None:
    """A batch shows its records by status."""
    room.file(b"one")
    room.hand_in(b"two", intake=INTAKE)
    (batch,) = room.store.batches(room.store.system_viewer("x"))
    assert (batch["name"], batch["records"], batch["filed"], batch["waiting"]) == (
        "Drawer 1", 2, 1, 1,
    )  # fmt: skip
