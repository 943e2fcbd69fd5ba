"""Check finds each problem and changes nothing; repair cures what can be made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from records import filing, upkeep
from records.archive import hash_file
from records.upkeep import Cure
from tests.records.making import KEY, Room, draft, field, page


@dataclass(frozen=True)
class Kept:
    """A room with one record of two pages, and where its parts lie."""

    room: Room
    sha256: str

    @property
    def original(self) -> Path:
        return self.room.archive.original_path(self.sha256)

    @property
    def image(self) -> Path:
        return self.room.archive.image_path(sorted(self.images())[0])

    def images(self) -> set[str]:
        found = self.room.store.db.conn.execute("SELECT image FROM pages WHERE image IS NOT NULL")
        return {row["image"] for row in found}

    def problems(self, full: bool = True) -> list[upkeep.Problem]:
        return upkeep.check(self.room.store, self.room.archive, full)

    def everything(self) -> tuple[list[tuple[str, str, int]], list[str]]:
        """Return all files with their hashes and modes, and the whole database as text."""
        archive = self.room.archive
        folders = (archive.originals, archive.pages, archive.quarantine)
        paths = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())
        files = [(str(p), hash_file(p), p.stat().st_mode) for p in paths]
        return files, list(self.room.store.db.conn.iterdump())


@pytest.fixture
def kept(room: Room) -> Kept:
    number = room.file(b"%PDF one", field("owner", "Lee"), pages=2)
    return Kept(room, room.store.document(number, room.store.system_viewer("x")).sha256)


def _lose_original(kept: Kept) -> None:
    kept.original.unlink()


def _rot_original(kept: Kept) -> None:
    kept.original.chmod(0o600)
    kept.original.write_bytes(b"%PDF two")
    kept.original.chmod(0o400)


def _shorten_original(kept: Kept) -> None:
    kept.original.chmod(0o600)
    kept.original.write_bytes(b"%PDF")
    kept.original.chmod(0o400)


def _open_original(kept: Kept) -> None:
    kept.original.chmod(0o644)


def _add_original(kept: Kept) -> None:
    stray = kept.room.archive.original_path("ab" + "0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")


def _lose_image(kept: Kept) -> None:
    kept.image.unlink()


def _rot_image(kept: Kept) -> None:
    kept.image.chmod(0o600)
    kept.image.write_bytes(b"rot")


def _add_image(kept: Kept) -> None:
    kept.room.archive.keep_image(b"stray", kept.room.archive.work)


def _lose_page(kept: Kept) -> None:
    kept.room.store.db.conn.execute("DELETE FROM pages WHERE number = 2")
    kept.room.archive.image_path(sorted(_images(kept))[0]).unlink()


def _images(kept: Kept) -> set[str]:
    on_disk = {p.stem for p in kept.room.archive.pages.rglob("*.png")}
    return on_disk - kept.images()


def _lose_record(kept: Kept) -> None:
    kept.room.hand_in(b"another")
    kept.room.store.db.conn.execute("PRAGMA foreign_keys=OFF")
    kept.room.store.db.conn.execute("DELETE FROM documents WHERE status = 'waiting'")


# What goes wrong; what the sentence says; the cure; whether it takes a full check.
WRONGS = [
    (_lose_original, "The kept file of 'a.pdf' is missing", Cure.NONE, False),
    (_rot_original, "The kept file of 'a.pdf' is damaged", Cure.NONE, True),
    (_shorten_original, "The kept file of 'a.pdf' is damaged", Cure.NONE, False),
    (_open_original, "can be written to", Cure.NONE, False),
    (_add_original, "has no row", Cure.SET_ASIDE, False),
    (_lose_image, "is missing or damaged", Cure.READ_AGAIN, False),
    (_rot_image, "is missing or damaged", Cure.READ_AGAIN, True),
    (_add_image, "has no row", Cure.DELETE, False),
    (_lose_page, "has 2 pages, but 1 are filed", Cure.READ_AGAIN, False),
    (_lose_record, "belongs to no record", Cure.NONE, False),
]


def test_nothing_wrong_is_nothing_said(kept: Kept) -> None:
    """A sound archive has no problems, and work that waits is none."""
    kept.room.hand_in(b"waiting")
    assert kept.problems(full=False) == kept.problems(full=True) == []


@pytest.mark.parametrize(("wrong", "said", "cure", "deep"), WRONGS)
def test_each_wrong_is_found(
    kept: Kept, wrong: Callable[[Kept], None], said: str, cure: Cure, deep: bool
) -> None:
    """Each kind of damage is found and named in a sentence; a quick check finds all but rot."""
    wrong(kept)
    found = kept.problems()
    assert any(said in p.sentence and p.cure is cure for p in found), found
    assert all(p.sentence.endswith(".") and "\n" not in p.sentence for p in found)
    assert any(said in p.sentence for p in kept.problems(full=False)) is not deep


@pytest.mark.parametrize("wrong", [w[0] for w in WRONGS])
def test_check_changes_nothing(kept: Kept, wrong: Callable[[Kept], None]) -> None:
    """Looking for damage leaves every byte as it is, damaged ones included."""
    wrong(kept)
    before = kept.everything()
    kept.problems()
    assert kept.everything() == before


def test_repair_sets_a_stray_file_aside(kept: Kept) -> None:
    """A kept file without a row is moved to quarantine, never deleted."""
    _add_original(kept)
    done = upkeep.repair(kept.room.store, kept.room.archive, "cli", kept.problems())
    assert len(done) == 1
    assert [p.read_bytes() for p in kept.room.archive.quarantine.iterdir()] == [b"stray"]
    assert kept.problems() == []


def test_repair_removes_an_image_that_no_page_has(kept: Kept) -> None:
    """A page image without a row can be made again, so it goes; the others stay."""
    _add_image(kept)
    upkeep.repair(kept.room.store, kept.room.archive, "cli", kept.problems())
    assert kept.problems() == []
    assert len(list(kept.room.archive.pages.rglob("*.png"))) == 2


@pytest.mark.parametrize("wrong", [_lose_image, _rot_image, _lose_page])
def test_repair_has_lost_pages_read_again(kept: Kept, wrong: Callable[[Kept], None]) -> None:
    """What was derived is made again from the original by the next import, and then all is well."""
    room = kept.room
    wrong(kept)
    done = upkeep.repair(room.store, room.archive, "cli", kept.problems())
    assert all("will be read again" in sentence for sentence in done)
    assert filing.waiting(room.store) == [kept.sha256]
    assert KEY not in filing.page_keys(room.store, kept.sha256).values()
    room.read(kept.sha256, 2, b"%PDF one")
    filing.file_records(room.store, "test", kept.sha256, [draft([1, 2], field("owner", "Lee"))])
    assert kept.problems() == []
    assert "to be read again" in [e["kind"] for e in room.store.sightings(kept.sha256)]


@pytest.mark.parametrize("wrong", [_lose_original, _rot_original, _open_original])
def test_repair_leaves_originals_alone(kept: Kept, wrong: Callable[[Kept], None]) -> None:
    """What only a person or a backup can mend is named again, and not touched."""
    wrong(kept)
    before = kept.everything()
    found = kept.problems()
    assert upkeep.repair(kept.room.store, kept.room.archive, "cli", found) == []
    assert kept.everything() == before
    assert kept.problems() == found


def test_a_file_that_is_being_copied_is_no_problem(kept: Kept) -> None:
    """A check beside a running import does not call its unfinished files strays."""
    with kept.room.archive.run() as run:
        (run.folder / "half.part").write_bytes(b"half")
        (kept.original.parent / "half.part").write_bytes(b"half")
        assert kept.problems() == []


def test_a_damaged_database_is_found(kept: Kept) -> None:
    """A row that points to nothing is named by its table."""
    conn = kept.room.store.db.conn
    conn.execute("PRAGMA foreign_keys=OFF")
    conn.execute("UPDATE fields SET document_id = 99")
    assert any("A row of fields points to a missing row" in p.sentence for p in kept.problems())


def test_a_failed_page_is_no_damage(room: Room) -> None:
    """A page that could not be read is the record's own trouble, not the archive's."""
    sha256 = room.hand_in(b"one")
    room.read(sha256, 1)
    failure = filing.PageFailure(1, "reading", "timeout", "'a.pdf' page 1 took too long.")
    filing.save_page(room.store, "test", sha256, failure, KEY)
    filing.save_page(room.store, "test", sha256, page(1, "0" * 64), "other")
    filing.save_page(room.store, "test", sha256, failure, KEY)
    filing.file_records(room.store, "test", sha256, [draft([1])], failure)
    found = upkeep.check(room.store, room.archive, full=True)
    assert [p.cure for p in found] == [Cure.DELETE]  # only the image that the page had before


def test_a_file_of_an_import_at_work_is_no_stray(kept: Kept) -> None:
    """A check beside an import does not call what it has just kept a problem."""
    stray = kept.room.archive.pages / "ab" / f"{'ab' * 32}.png"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"on the way")
    with kept.room.archive.run():
        assert kept.problems() == []
    assert len(kept.problems()) == 1


def test_repair_sets_aside_what_it_did_not_make(kept: Kept) -> None:
    """A file that someone put among the page images is moved, not removed."""
    foreign = kept.room.archive.pages / "my scan.webp"
    foreign.write_bytes(b"mine")
    upkeep.repair(kept.room.store, kept.room.archive, "test", kept.problems())
    assert not foreign.exists()
    assert [p.read_bytes() for p in kept.room.archive.quarantine.iterdir()] == [b"mine"]
