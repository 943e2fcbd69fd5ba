"""Fifty files that no scanner should have made, imported among two good ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from digitize.importing import Importer, Outcome
from digitize.installation import Installation, open_installation
from digitize.intake import receive, shown, walk
from records import upkeep
from records.filing import Intake, Sighting
from records.model import DocumentStatus
from tests.digitize import bad_files
from tests.digitize.making import as_bytes, card, configured

NOT_FILES = {"link.pdf", "lost link.pdf", "device.pdf", "pipe.pdf", "nothing here.txt"}


@dataclass(frozen=True)
class Imported:
    """A folder of bad files after its import."""

    installation: Installation
    folder: Path
    outcomes: dict[str, Outcome]
    before: dict[bytes, tuple[object, ...]]

    def message(self, name: str) -> str:
        return self.outcomes[name].message or ""


def _state(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Return name, kind, time and content of everything in a folder."""
    found: dict[bytes, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        plain = path.is_file() and not path.is_symlink()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if plain else ""
        found[os.fsencode(path)] = (seen.st_mode, seen.st_size, seen.st_mtime_ns, digest)
    return found


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """The real importer, with two reading processes, over all bad files at once."""
    place = tmp_path_factory.mktemp("bad")
    folder = place / "drawer"
    folder.mkdir()
    bad_files.lay_out(folder)
    before = _state(folder)
    installation = open_installation(
        configured(place, limits={"pages": bad_files.PAGES_LIMIT, "page_s": 60})
    )
    outcomes: list[Outcome] = []
    with installation.archive.run() as run:
        intake = Intake("test", "bad drawer", None, None, run.name)
        importer = Importer(installation, intake, run, outcomes.append, lambda _: None)
        importer.process(walk([folder]), (), 2)
    names = [o.name for o in outcomes]
    assert len(names) == len(set(names))
    yield Imported(installation, folder, {o.name: o for o in outcomes}, before)
    installation.store.close()


BAD = [*bad_files.no_scans(), *bad_files.damaged(), *sorted(NOT_FILES)]
ODD = [shown(Path(os.fsdecode(raw))) for raw in bad_files.odd_but_fine()]


def test_every_file_has_an_outcome(imported: Imported) -> None:
    """None of the files stops the batch, and none is passed over without a word."""
    assert set(imported.outcomes) == {*BAD, *ODD, *bad_files.good_scans()}


@pytest.mark.parametrize("name", [*bad_files.good_scans()])
def test_the_good_ones_are_filed(imported: Imported, name: str) -> None:
    """What lies beside bad files is read as if it were alone."""
    outcome = imported.outcomes[name]
    assert (outcome.message, outcome.sighting, len(outcome.records)) == (None, Sighting.NEW, 1)
    store = imported.installation.store
    text = " ".join(line.text for line in store.lines(outcome.records[0].id, 1))
    assert "Aloysius Fenwick" in text


@pytest.mark.parametrize("name", BAD)
def test_each_bad_one_has_one_sentence(imported: Imported, name: str) -> None:
    """A bad file's sentence names it, fits a line, says what to do, and is no programmer's."""
    message = imported.message(name)
    assert message.startswith(("'", "There is no file"))
    assert name in message
    assert message.endswith(".")
    assert len(message) < 200
    assert message.isprintable()
    assert ";" in message, "what is to be done stands after the semicolon"
    for word in ("Error", "Traceback", "digitize itself", "exception", "None", "errno"):
        assert word not in message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.pdf", "'empty.pdf' is empty; scan or copy it again."),
        ("letter.docx", "(an Office or ZIP file)"),
        ("old.doc", "(an old Office file)"),
        ("drawing.svg", "(an SVG drawing)"),
        ("page.ps", "(a PostScript file)"),
        ("picture.gif", "(a GIF picture)"),
        ("big.tif", "(a BigTIFF picture)"),
        ("locked.pdf", "is locked with a password; save it without one."),
        ("no pages.pdf", "is a PDF without pages; scan it again."),
        ("wall.pdf", "is 200 by 200 inches"),
        ("nothing.pdf", "has no size"),
        ("huge.jpg", "million pixels"),
        ("bomb.png", "million pixels"),
        ("million wide.png", "is 1000000 by 8 pixels"),
        ("frames.tif", f"has 3000 pages, more than the {bad_files.PAGES_LIMIT}"),
        ("offsets.tif", "is cut short"),
        ("link.pdf", "is a link, not a file"),
        ("pipe.pdf", "is no ordinary file"),
        ("device.pdf", "is a link, not a file"),
        ("half.jpg", "is damaged or cut short"),
    ],
)
def test_the_sentence_is_the_right_one(imported: Imported, name: str, said: str) -> None:
    """The sentence tells what is wrong with this file, not that something is."""
    assert said in imported.message(name)


@pytest.mark.parametrize("name", ODD)
def test_the_odd_ones_are_filed(imported: Imported, name: str) -> None:
    """A strange name or picture is no reason to lose a page, and is shown without harm."""
    outcome = imported.outcomes[name]
    assert outcome.message is None
    (record,) = outcome.records
    assert record.source == name
    assert record.source.isprintable()
    assert record.status in (DocumentStatus.FILED, DocumentStatus.NEEDS_REVIEW)


def test_a_page_without_writing_is_flagged(imported: Imported) -> None:
    """A pixel, a line and a black page are kept as blank pages."""
    store = imported.installation.store
    for name in ("one pixel.png", "thin.png", "black.png"):
        (page,) = store.pages(imported.outcomes[name].records[0].id)
        assert page.blank, name


def test_the_sources_are_as_they_were(imported: Imported) -> None:
    """An import changes, renames and removes nothing in the drawer."""
    assert _state(imported.folder) == imported.before


@pytest.mark.parametrize("name", [*bad_files.damaged()])
def test_what_was_accepted_is_kept(imported: Imported, name: str) -> None:
    """A damaged scan is kept all the same, bit for bit, with a failed record that says why."""
    data = (imported.folder / name).read_bytes()
    path = imported.installation.archive.original_path(hashlib.sha256(data).hexdigest())
    assert path.read_bytes() == data
    (record,) = imported.outcomes[name].records
    assert record.status is DocumentStatus.FAILED
    assert record.reasons == (imported.message(name),)


@pytest.mark.parametrize("name", [*bad_files.no_scans(), *sorted(NOT_FILES)])
def test_what_was_refused_left_nothing(imported: Imported, name: str) -> None:
    """What is no scan has no record."""
    outcome = imported.outcomes[name]
    assert (outcome.sighting, outcome.records) == (None, ())


def test_the_archive_is_sound(imported: Imported) -> None:
    """After all this, a full check finds nothing, and nothing is left half done."""
    installation = imported.installation
    assert upkeep.check(installation.store, installation.archive, full=True) == []
    assert [p for p in installation.archive.work.rglob("*") if p.is_file()] == []


def test_the_good_ones_are_found(imported: Imported) -> None:
    """Search finds the good scans, and answers although bad ones lie beside them."""
    installation = imported.installation
    viewer = installation.store.system_viewer("test")
    hits = installation.finder.search("aloysius", viewer).hits
    assert {h.source for h in hits if hasattr(h, "source")} <= {*bad_files.good_scans()}
    assert len(hits) == 2


def test_an_uploads_name_leads_nowhere(imported: Imported, tmp_path: Path) -> None:
    """A name that a browser sends is a label, whatever stands in it."""
    installation = imported.installation
    spool = tmp_path / "spooled"
    spool.write_bytes(as_bytes(card(("Sent in from a browser",)), "PNG"))
    before = set(tmp_path.rglob("*"))
    viewer = installation.store.system_viewer("ada")
    sighting = receive(installation, viewer, spool, "../../etc/passwd", "sent", None)
    assert sighting is Sighting.NEW
    assert set(tmp_path.rglob("*")) == before
    assert "../../etc/passwd" in {d.source for d in installation.store.documents(viewer)}


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """A file without the right to read it is named."""
    path = tmp_path / "mine.png"
    path.write_bytes(as_bytes(card(), "PNG"))
    path.chmod(0)
    installation = open_installation(configured(tmp_path))
    outcomes: list[Outcome] = []
    with installation.archive.run() as run:
        intake = Intake("test", "b", None, None, run.name)
        Importer(installation, intake, run, outcomes.append, lambda _: None).process(
            walk([path]), (), 1
        )
    assert "give this user the right to" in (outcomes[0].message or "")
