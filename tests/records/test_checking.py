"""The queue of fields that wait for a person: who is given what, and what becomes of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from records import checking, correcting, filing, people, personal
from records.access import Viewer
from records.checking import Check, CheckKind, Which
from records.correcting import Decision, How
from records.errors import InputError, NotAllowedError, StaleVersionError
from records.model import Field, FieldStatus, Role
from records.store import Store
from tests.records.making import DEPARTMENTS, Room, draft, field

HOW = How("column", 1.5, "")
HOLD_S = 60.0
UNSURE, OK = FieldStatus.UNSURE, FieldStatus.OK
DISAGREE = replace(field("d", "4", UNSURE), reasons=("readers disagree: 4 or 9",))


def person(
    room: Room, name: str, role: Role = Role.CLERK, own: Sequence[str] = ("clerk",)
) -> Viewer:
    """Return somebody of a department."""
    everywhere = room.store.system_viewer(name).all
    return Viewer(name, role, frozenset(own), frozenset(), everywhere)


def filed(
    room: Room,
    content: bytes,
    *fields: Field,
    sampled: Sequence[str] = (),
    twice: Sequence[str] = (),
    department: str = "clerk",
    form: str | None = "dog-licence",
) -> int:
    """File a record of a form."""
    sha256 = room.hand_in(content)
    room.read(sha256, image=content)
    made = replace(
        draft([1], *fields, department=department),
        form=form,
        sampled=frozenset(sampled),
        twice=frozenset(twice),
    )
    return filing.file_records(room.store, "test", sha256, [made])[0]


def said(room: Room, viewer: Viewer, check: Check, value: str) -> None:
    """Write a person's value of a field, as the desk does."""
    before = room.store.document(check.document_id, viewer)
    old = next(f for f in room.store.fields(before.id) if f.name == check.name)
    new = replace(old, value=value, status=FieldStatus.CORRECTED)
    correcting.correct(room.store, viewer, before, new, before, HOW)


def _until_said(room: Room, viewer: Viewer, check: Check) -> None:
    """Write a value though another person changes other fields of the record, as the desk does."""
    while True:
        with suppress(StaleVersionError):
            return said(room, viewer, check, viewer.name)


def last(room: Room, viewer: Viewer) -> Decision | None:
    """Return the last that a person decided and that stands."""
    key = correcting.last_key(room.store, viewer)
    return correcting.decided_under(room.store, viewer, key)[0] if key else None


def given(room: Room, viewer: Viewer, queue: str = "look", count: int = 99) -> list[str]:
    """Return the names of the fields that a person is given."""
    return [c.name for c in checking.take(room.store, viewer, Which(queue), count, HOLD_S)]


# What waits


def test_what_is_in_doubt_waits(room: Room) -> None:
    """A field waits for one of four reasons; what passed unseen and is not sampled does not."""
    doubts = (
        field("a", "", FieldStatus.MISSING), field("b", "2", UNSURE),
        field("c", "x", FieldStatus.INVALID), DISAGREE, field("e", "5"), field("f", "6"),
        field("g", "7"),
    )  # fmt: skip
    filed(room, b"one", *doubts, sampled=["b", "f"], twice=["g"])
    found = checking.waiting(room.store, person(room, "ann"))
    assert [(w.name, w.queue, w.reason, w.count) for w in found] == [
        ("a", "look", "missing", 1), ("b", "look", "unsure", 1), ("c", "look", "breaks a rule", 1),
        ("d", "look", "readers disagree", 1), ("f", "look", "sample", 1),
        ("g", "look", "keyed twice", 1),
    ]  # fmt: skip


def test_paper_of_no_form_has_nothing_to_check(room: Room) -> None:
    """A record without a form has no columns to work through."""
    filed(room, b"one", field("a", "1", UNSURE), form=None)
    assert checking.waiting(room.store, person(room, "ann")) == ()


def test_a_record_that_is_read_again_waits_afresh(room: Room) -> None:
    """What a person has said waits no more, what is sure now neither; new doubts do."""
    sha256, ann = room.hand_in(b"one"), person(room, "ann")
    room.read(sha256)
    first = replace(draft([1], *(field(n, n, UNSURE) for n in "abcd")), form="dog-licence")
    filing.file_records(room.store, "test", sha256, [first])
    a, _, c, d = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, a, "A")
    correcting.pass_on(room.store, ann, room.store.document(1, ann), c, "smudged", HOW)
    correcting.pass_on(room.store, ann, room.store.document(1, ann), d, "torn", HOW)
    again = (
        field("a", "a", UNSURE),
        field("b", "b"),
        field("c", "c", UNSURE),
        field("e", "e", UNSURE),
    )
    filing.file_records(room.store, "test", sha256, [replace(first, fields=again)])
    found = checking.waiting(room.store, person(room, "olga", Role.RECORDS_OFFICER))
    assert [(w.name, w.queue) for w in found] == [("e", "look"), ("c", "senior")]


def test_a_record_that_lost_its_pages_waits_no_more(room: Room) -> None:
    """When reading again gives its pages to another record, nothing of it is left to check."""
    sha256, ann = room.hand_in(b"one"), person(room, "ann")
    room.read(sha256, pages=2)
    parts = [replace(draft([n], field("a", "1", UNSURE)), form="dog-licence") for n in (1, 2)]
    filing.file_records(room.store, "test", sha256, parts)
    filing.file_records(room.store, "test", sha256, [replace(parts[0], pages=(1, 2))])
    assert [c.document_id for c in checking.take(room.store, ann, Which(), 9, HOLD_S)] == [1]


@pytest.mark.parametrize(
    ("which", "names"),
    [
        (Which(), "abcd"),
        (Which(form="dog-licence", field="b"), "b"),
        (Which(reason="readers disagree"), "d"),
        (Which(value="2"), "b"),
        (Which(department="building"), ""),
        (Which(batch="Drawer 1"), "abcd"),
        (Which(batch="another"), ""),
        (Which(form="cat-licence"), ""),
        (Which("senior"), ""),
    ],
)
def test_a_part_of_the_queue(room: Room, which: Which, names: str) -> None:
    """The queue is worked by form, field, reason, value, department or batch."""
    filed(room, b"one", *(field(n, v, UNSURE) for n, v in zip("abc", "123", strict=True)), DISAGREE)
    ann = person(room, "ann", own=("clerk", "building"))
    assert "".join(c.name for c in checking.take(room.store, ann, which, 9, HOLD_S)) == names
    assert sum(w.count for w in checking.waiting(room.store, ann, [which])) == len(names)


# Who is given what


def test_nobody_is_given_what_somebody_has(room: Room) -> None:
    """A field that one person has on the screen is not given to another until it is let go."""
    filed(room, b"one", *(field(name, name, UNSURE) for name in "abc"))
    ann, bob = person(room, "ann"), person(room, "bob")
    assert given(room, ann, count=2) == ["a", "b"]
    assert given(room, bob) == ["c"]
    assert given(room, ann) == ["a", "b"]
    assert checking.held(room.store, bob, 1, "a") is None
    checking.release(room.store, ann)
    assert given(room, bob) == ["c", "a", "b"]


def test_what_is_left_lying_is_given_to_others(room: Room) -> None:
    """Who goes home does not keep the work; who goes on holds on to it."""
    filed(room, b"one", field("a", "a", UNSURE))
    ann, bob = person(room, "ann"), person(room, "bob")
    checking.take(room.store, ann, Which(), 9, 0.2)
    checking.hold_on(room.store, ann, 0.5)
    time.sleep(0.25)
    assert given(room, bob) == []
    time.sleep(0.3)
    assert given(room, bob) == ["a"]
    checking.hold_on(room.store, ann, 60)
    assert checking.held(room.store, ann, 1, "a") is None


def test_departments_are_kept_apart(room: Room) -> None:
    """Counts, groups and work are of the departments in which a person may correct."""
    filed(room, b"one", field("a", "1", UNSURE), department="building")
    filed(room, b"two", field("a", "2", UNSURE))
    ann = person(room, "ann")
    assert [c.value for c in checking.take(room.store, ann, Which(), 9, HOLD_S)] == ["2"]
    assert [w.count for w in checking.waiting(room.store, ann)] == [1]
    assert checking.groups(room.store, ann, Which()) == [("2", 1)]
    looker = person(room, "vera", Role.VIEWER)
    assert checking.waiting(room.store, looker) == ()
    assert given(room, looker) == []
    assert checking.held(room.store, looker, 2, "a") is None


def test_a_record_is_given_whole(room: Room) -> None:
    """Record by record, all that waits of one is given together, and others can be skipped."""
    filed(room, b"one", field("a", "a", UNSURE), field("b", "b", UNSURE))
    filed(room, b"two", field("a", "a", UNSURE))
    ann, bob = person(room, "ann"), person(room, "bob")
    first = checking.take_record(room.store, ann, Which(), HOLD_S)
    assert [(c.document_id, c.name) for c in first] == [(1, "a"), (1, "b")]
    ahead = checking.take_record(room.store, ann, Which(), HOLD_S, skip=[1])
    assert [c.document_id for c in ahead] == [2]
    assert checking.take_record(room.store, bob, Which(), HOLD_S) == ()


def test_groups_are_what_was_read(room: Room) -> None:
    """Values are counted, the most frequent first, without what others hold."""
    for n, value in enumerate(("7", "1", "7", "7", "1", "2")):
        filed(room, bytes([n]), field("a", value, UNSURE))
    ann, bob = person(room, "ann"), person(room, "bob")
    which = Which(form="dog-licence", field="a")
    assert checking.groups(room.store, ann, which) == [("7", 3), ("1", 2), ("2", 1)]
    checking.take(room.store, bob, replace(which, value="7"), 2, HOLD_S)
    assert checking.groups(room.store, ann, which) == [("1", 2), ("2", 1), ("7", 1)]


def test_two_people_never_get_the_same(room: Room, tmp_path: Path) -> None:
    """Two work through 200 fields at once, in threads of their own; each is decided once."""
    for n in range(50):
        filed(room, bytes([n]), *(field(name, name, UNSURE) for name in "abcd"))
    done: list[tuple[int, str]] = []

    def work(name: str) -> None:
        store = Store(room.store.path, DEPARTMENTS)
        mine = replace(room, store=store)
        viewer = person(mine, name)
        while found := checking.take(store, viewer, Which(), 7, HOLD_S):
            for check in found:
                _until_said(mine, viewer, check)
                done.append((check.document_id, check.name))
        store.close()

    workers = [threading.Thread(target=work, args=(name,)) for name in ("ann", "bob")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert Counter(Counter(done).values()) == {1: 200}
    by = Counter(row["person"] for row in room.store.db.table("decisions").rows)
    assert sum(by.values()) == 200
    assert min(by.values()) > 0


# What becomes of it


def test_a_decision_is_kept_with_who_when_from_to_and_how_long(room: Room) -> None:
    """It is a row of its own beside the audit's, and the field waits no more."""
    filed(room, b"one", field("a", "1", UNSURE), field("b", "2", UNSURE))
    ann = person(room, "ann")
    for check, value in zip(checking.take(room.store, ann, Which(), 9, HOLD_S), "19", strict=True):
        said(room, ann, check, value)
    found = [
        (r["person"], r["verdict"], r["old"], r["new"], r["way"], r["seconds"], r["reason"])
        for r in room.store.db.table("decisions").rows
    ]
    assert found == [
        ("ann", "confirmed", "1", "1", "column", 1.5, "unsure"),
        ("ann", "changed", "2", "9", "column", 1.5, "unsure"),
    ]
    assert checking.waiting(room.store, ann) == ()


def test_what_nobody_can_tell_goes_to_a_senior(room: Room) -> None:
    """It is on the list of those who may settle, with the note; the clerk is not given it again."""
    filed(room, b"one", field("a", "1", UNSURE))
    ann, vic = person(room, "ann"), person(room, "vic", Role.VERIFIER)
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    correcting.pass_on(room.store, ann, room.store.document(1, ann), check, "a 1 or a 7", HOW)
    assert given(room, ann) == given(room, ann, "senior") == []
    assert checking.waiting(room.store, ann) == ()
    (check,) = checking.take(room.store, vic, Which("senior"), 9, HOLD_S)
    assert (check.note, check.reason) == ("ann: a 1 or a 7", "unsure")
    said(room, vic, check, "7")
    assert checking.waiting(room.store, vic) == ()


def second(room: Room, viewer: Viewer, keyed: str) -> None:
    """Key a field a second time."""
    (check,) = checking.take(room.store, viewer, Which("second"), 9, HOLD_S)
    document = room.store.document(check.document_id, viewer)
    (first,) = room.store.fields(document.id)
    if keyed == first.value:
        correcting.agree(room.store, viewer, document, check, HOW)
    else:
        told = replace(first, reasons=("readers disagree",))
        correcting.differ(room.store, viewer, document, check, keyed, told, document, HOW)


def test_a_field_is_keyed_twice_by_two_people(room: Room) -> None:
    """The first is not given it again, and the second is not told what the first keyed."""
    filed(room, b"one", field("a", "1"), twice=["a"])
    ann, bob = person(room, "ann"), person(room, "bob")
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "17")
    assert given(room, ann, "second") == []
    (check,) = checking.take(room.store, bob, Which("second"), 9, HOLD_S)
    assert (check.value, check.note, check.keyed) == ("", "", "")
    second(room, bob, "17")
    assert checking.waiting(room.store, ann) == checking.waiting(room.store, bob) == ()


def test_a_third_person_settles_what_two_keyed_differently(room: Room) -> None:
    """Neither of the two is given it."""
    filed(room, b"one", field("a", "1"), twice=["a"])
    ann, bob, cyd = (person(room, name) for name in ("ann", "bob", "cyd"))
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "17")
    second(room, bob, "11")
    assert [f.value for f in room.store.fields(1)] == ["17"]
    assert given(room, ann, "third") == given(room, bob, "third") == []
    (check,) = checking.take(room.store, cyd, Which("third"), 9, HOLD_S)
    assert (check.keyed, check.seen) == ("11", ("ann", "bob"))
    said(room, cyd, check, "11")
    assert [f.value for f in room.store.fields(1)] == ["11"]
    assert checking.waiting(room.store, cyd) == ()


def test_a_decision_can_be_taken_back(room: Room) -> None:
    """The field is what it was, and is on the screen of who took it back; the history has both."""
    filed(room, b"one", field("a", "1", UNSURE))
    ann = person(room, "ann")
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "9")
    decision = last(room, ann)
    assert decision
    before = room.store.document(1, ann)
    correcting.take_back(room.store, ann, before, decision, before)
    (found,) = room.store.fields(1)
    assert (found.value, found.status) == ("1", UNSURE)
    assert checking.held(room.store, ann, 1, "a") == check
    assert last(room, ann) is None
    assert [r.action for r in room.store.history(1)][-2:] == ["corrected", "took back"]


def test_what_was_decided_again_is_not_taken_back(room: Room) -> None:
    """A later decision by somebody else stands, though one had the earlier in hand."""
    filed(room, b"one", field("a", "1"), twice=["a"])
    ann, bob = person(room, "ann"), person(room, "bob")
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "17")
    decision = last(room, ann)
    assert decision
    second(room, bob, "17")
    before = room.store.document(1, ann)
    with pytest.raises(InputError, match="decided or changed again"):
        correcting.take_back(room.store, ann, before, decision, before)
    assert [f.value for f in room.store.fields(1)] == ["17"]
    still = last(room, ann)
    assert still
    assert "'A' of record 1 was decided or changed again since" in still.hindered


def test_a_record_that_moves_takes_its_checks_along(room: Room) -> None:
    """What waits for a second person is in the department that the record is in now."""
    sha256, ann = room.hand_in(b"one"), person(room, "ann")
    room.read(sha256)
    made = replace(draft([1], field("a", "1", UNSURE)), form="dog-licence", twice=frozenset("a"))
    filing.file_records(room.store, "test", sha256, [made])
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "17")
    moved = replace(made, form=None, department="building")
    filing.file_records(room.store, "test", sha256, [moved])
    bob = person(room, "bob", own=("building",))
    assert checking.waiting(room.store, person(room, "cyd")) == ()
    assert [w.queue for w in checking.waiting(room.store, bob)] == ["second"]


def test_reading_again_takes_nothing_from_a_screen(room: Room) -> None:
    """Who has a field before them keeps it, and what was picked out stays so."""
    sha256, ann = room.hand_in(b"one"), person(room, "ann")
    room.read(sha256)
    made = replace(draft([1], field("a", "1", UNSURE)), form="dog-licence")
    filing.file_records(room.store, "test", sha256, [made])
    checking.take(room.store, ann, Which(), 9, HOLD_S)
    filing.file_records(room.store, "test", sha256, [made])
    assert given(room, person(room, "bob")) == []
    checking.pick_out(room.store, ann, 1, ["a"])
    filing.file_records(room.store, "test", sha256, [made])
    assert [w.reason for w in checking.waiting(room.store, ann)] == ["picked out"]


def test_a_check_that_was_decided_cannot_be_decided_again(room: Room) -> None:
    """Who still has it on the screen is told, and nothing is written."""
    filed(room, b"one", field("a", "1", UNSURE))
    ann, bob = person(room, "ann"), person(room, "bob")
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    said(room, ann, check, "9")
    document = room.store.document(1, bob)
    rows = room.store.db.table("audit").count
    with pytest.raises(StaleVersionError):
        correcting.pass_on(room.store, bob, document, check, "", HOW)
    with pytest.raises(StaleVersionError):
        correcting.agree(room.store, bob, document, check, HOW)
    assert room.store.db.table("audit").count == rows


@pytest.mark.parametrize("decide", [correcting.pass_on, correcting.agree])
def test_who_may_not_correct_may_not_decide(room: Room, decide) -> None:
    """A person who may only look decides nothing."""
    filed(room, b"one", field("a", "1", UNSURE))
    ann, vera = person(room, "ann"), person(room, "vera", Role.VIEWER)
    (check,) = checking.take(room.store, ann, Which(), 9, HOLD_S)
    arguments = ["", HOW] if decide is correcting.pass_on else [HOW]
    with pytest.raises(NotAllowedError):
        decide(room.store, vera, room.store.document(1, ann), check, *arguments)


# What the samples show


def test_samples_tell_the_true_error_rate(room: Room) -> None:
    """Only what was sampled counts: what was in doubt says nothing of what passed unseen."""
    ann = person(room, "ann")
    for n, value in enumerate(("1", "1", "1", "9")):
        filed(room, bytes([n]), field("a", "1"), field("b", "1", UNSURE), sampled=["a"])
        for check in checking.take(room.store, ann, Which(), 9, HOLD_S):
            said(room, ann, check, value if check.kind is CheckKind.SAMPLE else "0")
    (shown,) = checking.sampled(room.store, ann)
    assert (shown.form, shown.checked, shown.wrong) == ("dog-licence", 4, 1)
    decision = last(room, ann)
    assert decision
    assert checking.sampled(room.store, person(room, "bob", own=("building",))) == ()
    for _ in range(2):  # the doubtful field of the last record, then its sample
        taken = last(room, ann)
        assert taken
        before = room.store.document(taken.document_id, ann)
        correcting.take_back(room.store, ann, before, taken, before)
    (shown,) = checking.sampled(room.store, ann)
    assert (shown.checked, shown.wrong) == (3, 0)


def test_what_a_senior_has_alone_does_not_hinder_another_reading(room: Room) -> None:
    """A record whose only doubtful field was passed on is filed again like any other."""
    doubtful = field("a", "1", UNSURE)
    number = filed(room, b"one", doubtful)
    clerk = person(room, "carl")
    [check] = checking.take(room.store, clerk, Which(), 9, HOLD_S)
    document = room.store.document(number, clerk)
    correcting.pass_on(room.store, clerk, document, check, "blurred", HOW)
    again = replace(draft([1], doubtful), form="dog-licence")
    filing.file_records(room.store, "test", document.sha256, [again])
    senior = person(room, "vic", Role.VERIFIER)
    assert given(room, senior, "senior") == ["a"]


def test_who_could_not_tell_is_given_it_last(room: Room) -> None:
    """A senior who cannot tell goes on to the next, and is not given the same for ever."""
    vic = person(room, "vic", Role.VERIFIER)
    filed(room, b"one", field("a", "1", UNSURE), field("b", "2", UNSURE))
    for which in (Which(), Which("senior"), Which("senior")):
        first = checking.take(room.store, vic, which, 1, HOLD_S)[0]
        correcting.pass_on(room.store, vic, room.store.document(1, vic), first, "", HOW)
    (other,) = checking.take(room.store, person(room, "cyd"), Which(), 9, HOLD_S)
    correcting.pass_on(
        room.store, person(room, "cyd"), room.store.document(1, vic), other, "torn", HOW
    )
    assert [first.name, other.name] == ["a", "b"]
    assert given(room, vic, "senior") == ["b", "a"]
    assert given(room, vic, "senior", count=1) == ["b"]
    assert given(room, person(room, "olga", Role.VERIFIER), "senior") == []


def test_what_ran_out_is_still_on_the_screen(room: Room) -> None:
    """As long as nobody else has taken it."""
    filed(room, b"one", field("a", "1", UNSURE))
    ann = person(room, "ann")
    checking.take(room.store, ann, Which(), 9, -1)
    assert checking.holds(room.store, ann, 1, "a")
    given(room, person(room, "bob"))
    assert not checking.holds(room.store, ann, 1, "a")


def test_nobody_asks_for_the_samples(room: Room) -> None:
    """They are among what needs a look, and are no part of the queue of their own."""
    filed(room, b"one", field("a", "1"), field("b", "2", UNSURE), sampled=["a"])
    ann = person(room, "ann")
    assert checking.take(room.store, ann, Which(reason="sample"), 9, HOLD_S) == ()
    assert checking.waiting(room.store, ann, [Which(reason="sample")]) == ()
    assert len(checking.take(room.store, ann, Which(reason="unsure"), 9, HOLD_S)) == 2


def test_a_hint_can_be_put_away_twice(room: Room) -> None:
    """Two windows of one person may both put the tour away."""
    made = people.add(room.store, "test", "carl", Role.CLERK, "x", ["clerk"])
    for _ in range(2):
        personal.put_away(room.store, made.id, "tour")
    assert personal.has_seen(room.store, made.id, "tour")
