"""The whole line on two small scans: in, again, corrected, out, and made again after damage."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from digitize import desk, export
from digitize.importing import Importer, Outcome, Tally
from digitize.installation import Installation, open_installation
from digitize.intake import Settled, walk
from records import upkeep
from records.access import Viewer
from records.errors import InputError, NotFoundError, StaleVersionError
from records.filing import Intake, Sighting
from records.model import DocumentStatus, FieldStatus, Role
from tests.digitize.making import SAMPLES, TRUTH, as_bytes, card, configured

FORM = "scan0012.bmp"
FIELD_KEYS = ["value", "raw", "confidence", "status", "reasons", "found_by", "page", "box"]


@dataclass(frozen=True)
class Line:
    """An installation and its drawer."""

    installation: Installation
    drawer: Path

    @property
    def viewer(self) -> Viewer:
        return self.installation.store.system_viewer("carl")

    def run(self) -> tuple[list[Outcome], Tally]:
        """Import the drawer."""
        outcomes: list[Outcome] = []
        with self.installation.archive.run() as run:
            intake = Intake("test", "Drawer 1", None, None, run.name)
            importer = Importer(self.installation, intake, run, outcomes.append, lambda _: None)
            importer.process(walk([self.drawer]), (), 1)
        return outcomes, importer.tally

    def form(self) -> int:
        """Return the id of the record that is a form."""
        found = self.installation.store.documents(self.viewer)
        return next(d.id for d in found if d.form)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A dog licence of the project's samples and a card, imported once."""
    place = tmp_path_factory.mktemp("line")
    drawer = place / "drawer"
    drawer.mkdir()
    shutil.copy(SAMPLES / FORM, drawer)
    texts = ('=HYPERLINK("x")', "Alder Falls notes of May")
    (drawer / "note.png").write_bytes(as_bytes(card(texts), "PNG", dpi=(200, 200)))
    made = Line(open_installation(configured(place)), drawer)
    _, tally = made.run()
    assert (tally.files, tally.records, tally.pages, tally.failed) == (2, 2, 2, 0)
    yield made
    made.installation.store.close()


def test_a_form_becomes_a_record(line: Line) -> None:
    """Known as what it is, with its fields, most of them right."""
    truth = json.loads((TRUTH / f"{FORM}.json").read_text(encoding="utf-8"))["pages"][0]
    store = line.installation.store
    record = store.document(line.form(), line.viewer)
    assert (record.form, record.department, record.batch) == (
        truth["form"],
        "licensing",
        "Drawer 1",
    )
    values = {f.name: f.value for f in store.fields(record.id)}
    assert set(values) == set(truth["values"])
    right = sum(values[name] == value for name, value in truth["values"].items())
    assert right >= 0.7 * len(values)


def test_a_second_import_adds_nothing(line: Line) -> None:
    """Every file is known again, and only its sighting is noted."""
    before = line.installation.store.counts()
    outcomes, tally = line.run()
    assert [o.sighting for o in outcomes] == [Sighting.DUPLICATE] * 2
    assert (tally.duplicates, tally.records, tally.pages) == (2, 0, 0)
    assert line.installation.store.counts() == before


def test_json_lines_are_what_the_issue_lists(line: Line, tmp_path: Path) -> None:
    """One object a record, with the keys that other programs count on."""
    out = tmp_path / "all.jsonl"
    assert export.write(line.installation, line.viewer, None, "jsonl", out) == 2
    rows = [json.loads(row) for row in out.read_text(encoding="utf-8").splitlines()]
    wanted = {"id", "source", "sha256", "department", "form", "status", "fields", "pages"}
    for row in rows:
        assert wanted <= set(row)
        assert all(list(f) == FIELD_KEYS for f in row["fields"].values())
        for page in row["pages"]:
            keys = {"number", "text", "turn", "skew_degrees", "blank", "words"}
            assert keys <= set(page)
            joined = " ".join(word["text"] for word in page["words"])
            assert joined == " ".join(page["text"].split())
    assert {row["source"] for row in rows} == {FORM, "note.png"}


def test_a_table_is_safe_to_open(line: Line, tmp_path: Path) -> None:
    """One row a record, every field a column, and no cell that a spreadsheet would run."""
    out = tmp_path / "all.csv"
    assert export.write(line.installation, line.viewer, None, "csv", out) == 2
    with open(out, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["source"] for row in rows} == {FORM, "note.png"}
    assert {"id", "form", "status", "text", "owner_name"} <= set(rows[0])
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    note = next(row for row in rows if row["source"] == "note.png")
    assert note["text"].startswith("'=HYPERLINK")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_begins_like_a_formula_is_quoted(start: str) -> None:
    """Each sign that begins a formula is made text; other cells are left alone."""
    assert export.safe_cell(f"{start}1") == f"'{start}1"
    assert export.safe_cell(f"1{start}") == f"1{start}"
    assert export.safe_cell("") == ""


def test_an_export_can_be_narrowed(line: Line, tmp_path: Path) -> None:
    """With a query only the records that it finds, and for a stranger none."""
    out = tmp_path / "some.jsonl"
    assert export.write(line.installation, line.viewer, "notes", "jsonl", out) == 1
    nobody = Viewer("x", Role.CLERK, frozenset(), frozenset(), line.viewer.all)
    assert export.write(line.installation, nobody, None, "jsonl", out) == 0
    assert out.read_text() == ""


def test_an_export_appears_whole_or_not_at_all(line: Line, tmp_path: Path) -> None:
    """A place that cannot be written is a sentence, and nothing half done is left."""
    with pytest.raises(InputError, match="cannot be written"):
        export.write(line.installation, line.viewer, None, "csv", tmp_path / "no" / "all.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_correction_outlives_repair(line: Line) -> None:
    """What a person said stays in field, title and date when all else is read again."""
    installation, store = line.installation, line.installation.store
    number = line.form()
    before = store.document(number, line.viewer)
    after = desk.correct_field(
        installation, line.viewer, number, "owner_name", "Zebulon Quix", before.version
    )
    assert "Zebulon Quix" in after.title
    with pytest.raises(StaleVersionError):
        desk.correct_field(installation, line.viewer, number, "owner_name", "x", before.version)
    with pytest.raises(NotFoundError, match="has no field 'cat'; it has: "):
        desk.correct_field(installation, line.viewer, number, "cat", "x", after.version)
    page = store.pages(number)[0]
    assert page.image
    installation.archive.image_path(page.image).unlink()
    problems = upkeep.check(store, installation.archive, full=True)
    upkeep.repair(store, installation.archive, "test", problems)
    outcomes, _ = line.run()
    assert Sighting.RESUMED in [o.sighting for o in outcomes]
    assert upkeep.check(store, installation.archive, full=True) == []
    owner = next(f for f in store.fields(number) if f.name == "owner_name")
    assert (owner.value, owner.status) == ("Zebulon Quix", FieldStatus.CORRECTED)
    assert "Zebulon Quix" in store.document(number, line.viewer).title
    assert installation.finder.search("zebulon", line.viewer).hits


def test_a_value_that_breaks_a_rule_is_kept_and_told(line: Line) -> None:
    """The paper may break a rule, and so may a person who copies it."""
    store, number = line.installation.store, line.form()
    form = line.installation.forms[store.document(number, line.viewer).form or ""]
    dated = next(f.name for f in form.fields if f.kind == "date")
    version = store.document(number, line.viewer).version
    after = desk.correct_field(
        line.installation, line.viewer, number, dated, "the 32nd of May", version
    )
    changed = next(f for f in store.fields(number) if f.name == dated)
    assert (changed.value, changed.status) == ("the 32nd of May", FieldStatus.CORRECTED)
    assert changed.reasons == ("breaks a rule: is no date",)
    fixed = desk.correct_field(
        line.installation, line.viewer, number, dated, "5/31/2019", after.version
    )
    changed = next(f for f in store.fields(number) if f.name == dated)
    assert (changed.value, changed.reasons) == ("2019-05-31", ())
    assert fixed.status in (DocumentStatus.FILED, DocumentStatus.NEEDS_REVIEW)


def test_a_file_is_whole_when_it_stays_as_it_is(tmp_path: Path) -> None:
    """A watched file is taken only after it has not changed for the settling time."""
    path = tmp_path / "scan.pdf"
    settled = Settled(0.0)
    assert not settled.is_settled(path)
    path.write_bytes(b"half")
    assert not settled.is_settled(path)
    path.write_bytes(b"half and more")
    assert not settled.is_settled(path)
    assert settled.is_settled(path)
    settled.forget(path)
    assert not settled.is_settled(path)
    assert not Settled(60.0).is_settled(path)


def test_a_file_that_cannot_be_read_stops_nothing(line: Line, tmp_path: Path) -> None:
    """A bad sector under one file is that file's sentence; the next one is filed."""
    broken = Path("/proc/self/mem")  # an ordinary file whose first page cannot be read
    if not broken.exists():
        pytest.skip("needs Linux's /proc")
    good = tmp_path / "next.png"
    good.write_bytes(as_bytes(card(("The next page is read",)), "PNG", dpi=(200, 200)))
    outcomes: list[Outcome] = []
    with line.installation.archive.run() as run:
        intake = Intake("test", "Drawer 2", None, None, run.name)
        importer = Importer(line.installation, intake, run, outcomes.append, lambda _: None)
        importer.process(walk([broken, good]), (), 1)
    assert outcomes[0].message
    assert outcomes[0].message.startswith("'mem' cannot be read to its end")
    assert [len(o.records) for o in outcomes] == [0, 1]
