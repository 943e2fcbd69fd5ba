"""Pages of records in order, split, joined, moved, turned, put in: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digitize import arranging as desk
from digitize import export, markup
from digitize.desk import look_over, undo
from digitize.importing import Importer
from digitize.installation import open_installation
from digitize.intake import receive, walk
from records import arranging, arrivals, checking, correcting, filing, noting, people, upkeep
from records.access import Viewer
from records.arrivals import Arrival
from records.checking import CheckKind, Which
from records.correcting import How
from records.errors import (
    BusyError,
    InputError,
    NotAllowedError,
    NotFoundError,
    StaleVersionError,
)
from records.filing import Accepted, Draft, Intake
from records.geometry import Box, untouched
from records.model import (
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    Line,
    PageFailure,
    PageKey,
    PageKind,
    PageResult,
    Role,
    Word,
)
from records.store import now
from tests.digitize.making import as_bytes, card, configured

ANIMALS = ("badger", "falcon", "otter", "heron")  # words that no search takes for one another
LICENCE = ("licence_number", "owner_name", "dog_name")


class Office:
    """An archive with filed records of several pages, and a clerk of its department."""

    def __init__(self, folder: Path, page_sure: float = 0.5) -> None:
        self.folder = folder
        forms = {"page_sure": page_sure}
        self.installation = open_installation(configured(folder, forms=forms))
        self.store = self.installation.store
        every = self.store.system_viewer("test").all
        self.clerk = Viewer("carl", Role.CLERK, frozenset({"clerk"}), frozenset(), every)

    def file(self, name: str, *forms: str | None, groups: Sequence[int] = ()) -> list[int]:
        """File a file whose pages are of these forms, as one record or records of so many pages."""
        source = self.folder / name
        source.write_bytes(f"%PDF-1.4 {name}".encode())
        kept = self.installation.archive.take_in(source, self.installation.archive.work)
        file = Accepted(kept.sha256, kept.size, name, "application/pdf")
        intake = Intake("test", "Drawer 1", None, None, "")
        filing.accept(self.store, file, intake, "clerk", 3, lambda run: False)
        filing.count_pages(self.store, kept.sha256, len(forms))
        drafts, first = [], 1
        for count in groups or (len(forms),):
            numbers = range(first, first + count)
            drafts.append((numbers, forms[first - 1 : first - 1 + count]))
            first += count
        for number, form in enumerate(forms, 1):
            page = self.page(name, number, form)
            filing.save_page(self.store, "reader", kept.sha256, page, page.key)
        made = [self._draft(kept.sha256, numbers, of) for numbers, of in drafts]
        return filing.file_records(self.store, "reader", kept.sha256, made)

    def _draft(self, sha256: str, numbers: Sequence[int], forms: Sequence[str | None]) -> Draft:
        fields: dict[str, Field] = {}
        for number in numbers:
            page = filing.read_page(self.store, sha256, number)
            assert isinstance(page, PageResult)
            fields = {f.name: f for f in page.fields} | fields
        form = next((form for form in forms if form), None)
        named = ("clerk", f"Record of {sha256[:6]}", None, DocumentStatus.FILED, ())
        return Draft(tuple(numbers), form, *named, tuple(fields.values()))

    def page(self, name: str, number: int, form: str | None) -> PageResult:
        """Return a page that says its file's name and its number, and has the form's fields."""
        texts = (name.split(".")[0], f"sheet{number}", "of", "the", "papers", ANIMALS[number - 1])
        words = [Word(t, Box(60 + 90 * n, 40, 140 + 90 * n, 70), 0.95) for n, t in enumerate(texts)]
        png = as_bytes(card((f"{name} sheet {number}",)), "PNG", dpi=(200, 200))
        image = self.installation.archive.keep_image(png, self.installation.archive.work)
        return PageResult(
            number=number, key="test", kind=PageKind.SCAN, image=image, size=(850, 1100), dpi=100,
            geometry=untouched(850, 1100), steps=(), blank=False, lines=(Line(tuple(words)),),
            confidence=0.95, form=form, form_page=1 if form else 0, template="", pairs=(),
            separator=False, fields=self._fields(name, number) if form else (),
            reader="tesseract", languages="eng", exit_code=0, seconds=0.1,
        )  # fmt: skip

    def _fields(self, name: str, page: int) -> tuple[Field, ...]:
        return tuple(
            Field(
                name=field, label=field.upper(), kind="text", raw=f"{field} {name} {page}",
                value=f"{field} {name} {page}", confidence=0.9, page=page,
                box=Box(60, 100 * n, 400, 100 * n + 40), status=FieldStatus.OK, reasons=(),
                reader="tesseract", found_by="zone",
            )
            for n, field in enumerate(LICENCE)
        )  # fmt: skip

    def record(self, number: int) -> Document:
        return self.store.document(number, self.store.system_viewer("test"))

    def version(self, number: int) -> int:
        return self.record(number).version

    def keys(self, number: int) -> list[PageKey]:
        return [page.key for page in self.store.pages(number)]

    def says(self, number: int) -> list[str]:
        """Return the first two words of each page of a record, in order."""
        pages = self.store.pages(number)
        lines = [self.store.lines(number, page.number)[0] for page in pages]
        return [" ".join(word.text for word in line.words[:2]) for line in lines]

    def value(self, number: int, name: str) -> tuple[str, int, FieldStatus]:
        field = next(f for f in self.store.fields(number) if f.name == name)
        return field.value, field.page, field.status

    def correct(self, number: int, name: str, value: str) -> None:
        """Say what a field holds."""
        before = self.record(number)
        old = next(f for f in self.store.fields(number) if f.name == name)
        new = replace(old, value=value, status=FieldStatus.CORRECTED, reader="person carl")
        viewer = self.store.system_viewer("carl")
        correcting.correct(self.store, viewer, before, new, before, How("record", 1.0, ""))

    def take_back(self, number: int) -> None:
        """Undo the last arrangement of a record, as seen on its page."""
        last = arranging.last_arrangement(self.store, number)
        desk.take_back(self.installation, self.clerk, number, last.id if last else 0)

    def wait(self, number: int, name: str, kind: str, **more: object) -> None:
        """Let a field wait for a person."""
        form = self.record(number).form
        row = {"document_id": number, "position": 1, "form": form, "department": "clerk",
               "batch_id": 1, "label": name, "reason": "x", "value": "x", "name": name,
               "kind": kind, **more}  # fmt: skip
        with self.store.write() as db:
            db.table("checks").upsert(row, pk=("document_id", "name"))

    def waiting(self) -> list[tuple[int, str, str, str]]:
        """Return (record, field, kind, note) of what waits."""
        found = self.store.db.conn.execute(
            "SELECT document_id, name, kind, note FROM checks ORDER BY document_id, name"
        )
        return [tuple(row) for row in found]

    def found(self, text: str) -> list[tuple[int, int]]:
        """Return (record, page) of what a search finds."""
        self.installation.finder.sync()
        hits = self.installation.finder.search(text, self.store.system_viewer("test")).hits
        return [(hit.document_id, hit.page) for hit in hits]

    def everything(self) -> list[Any]:
        """Return all that an arrangement changes and taking back must restore."""
        tables = {
            "documents": "id, form, title, date, status, reasons, department, batch_id",
            "pages": "sha256, number, document_id, position, arranged, said, waits, words, image",
            "fields": "*",
            "checks": "document_id, name, kind, reason, value, keyed, note, seen, sampled, twice",
        }
        return [
            sorted(tuple(row) for row in self.store.db.conn.execute(f"SELECT {of} FROM {table}"))
            for table, of in tables.items()
        ]

    def problems(self) -> list[upkeep.Problem]:
        return upkeep.check(self.store, self.installation.archive, full=True)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An archive of one's own."""
    made = Office(tmp_path)
    yield made
    made.store.close()


def test_pages_are_put_in_another_order(office: Office) -> None:
    """Text, fields, search and downloads follow; fields say on which page they stand now."""
    [number] = office.file("a.pdf", "dog-licence", None, None)
    one, two, three = office.keys(number)
    version = office.version(number)
    desk.reorder(office.installation, office.clerk, number, version, [three, one, two])
    assert office.says(number) == ["a sheet3", "a sheet1", "a sheet2"]
    assert office.value(number, "owner_name")[:2] == ("owner_name a.pdf 1", 2)
    assert office.found("otter") == [(number, 1)]
    told = export.as_json(office.installation, office.record(number))["pages"]
    assert [page["number"] for page in told] == [1, 2, 3]
    assert told[0]["text"].startswith("a sheet3")
    assert office.version(number) == version + 1
    assert office.problems() == []


@pytest.mark.parametrize("order", [(0, 1), (0, 0, 1), (0, 1, 2, 2)])
def test_an_order_names_every_page_once(office: Office, order: Sequence[int]) -> None:
    """No page is lost by a number that was typed wrong."""
    [number] = office.file("a.pdf", None, None, None)
    keys, before = office.keys(number), office.everything()
    wrong = [keys[place] for place in order]
    with pytest.raises(InputError, match="a place of its own"):
        desk.reorder(office.installation, office.clerk, number, office.version(number), wrong)
    assert office.everything() == before


def test_a_record_is_split(office: Office) -> None:
    """The chosen pages become a record with a form and fields of their own."""
    [number] = office.file("a.pdf", "dog-licence", None, "dog-licence", None)
    keys = office.keys(number)
    version = office.version(number)
    made = desk.split(office.installation, office.clerk, number, version, keys[2:])
    assert office.says(number) == ["a sheet1", "a sheet2"]
    assert office.says(made) == ["a sheet3", "a sheet4"]
    assert office.record(made).form == "dog-licence"
    assert office.value(made, "dog_name")[:2] == ("dog_name a.pdf 3", 1)
    assert office.record(made).department == office.record(number).department
    assert office.found("heron") == [(made, 2)]
    assert office.problems() == []


def test_a_correction_goes_with_its_page(office: Office) -> None:
    """What a person said of a field on page 2 is that of the record which page 2 goes to."""
    [number] = office.file("a.pdf", None, "dog-licence")
    office.correct(number, "owner_name", "Aloysius Fell")
    page = office.keys(number)[1:]
    version = office.version(number)
    made = desk.split(office.installation, office.clerk, number, version, page)
    corrected = FieldStatus.CORRECTED
    assert office.value(made, "owner_name") == ("Aloysius Fell", 1, corrected)
    assert office.store.fields(number) == ()


def test_two_records_are_joined_and_nothing_said_is_lost(office: Office) -> None:
    """What was said in both stays: the first record's holds, the other's waits with its page."""
    [one] = office.file("a.pdf", "dog-licence")
    [two] = office.file("b.pdf", "dog-licence", None)
    office.correct(one, "owner_name", "First")
    office.correct(two, "owner_name", "Second")
    office.correct(two, "dog_name", "Rex")
    desk.join(office.installation, office.clerk, one, office.version(one), two)
    assert office.says(one) == ["a sheet1", "b sheet1", "b sheet2"]
    assert office.value(one, "owner_name")[0] == "First"
    assert office.value(one, "dog_name")[:2] == ("dog_name a.pdf 1", 1)
    waiting = [(f.name, f.value, f.page) for f in arranging.unheld(office.store, one)]
    assert waiting == [("owner_name", "Second", 2), ("dog_name", "Rex", 2)]
    assert office.says(two) == []
    assert office.store.fields(two) == ()
    assert office.found("falcon") == [(one, 3)]
    moved = office.keys(one)[1:]
    made = desk.split(office.installation, office.clerk, one, office.version(one), moved)
    assert office.value(made, "owner_name")[0] == "Second"
    assert office.value(made, "dog_name")[0] == "Rex"
    assert office.value(one, "owner_name")[0] == "First"
    assert office.problems() == []


def test_a_record_without_pages_is_not_found_but_is_there(office: Office) -> None:
    """The number on a paper slip still leads somewhere; a search does not."""
    [one], [two] = office.file("a.pdf", None), office.file("b.pdf", None)
    title = office.record(two).title
    assert office.found(f'title:"{title}"') == [(two, 1)]
    desk.join(office.installation, office.clerk, one, office.version(one), two)
    assert office.found(f'title:"{title}"') == []
    assert office.record(two).title == title
    assert office.record(two).status is DocumentStatus.FILED


def test_pages_move_to_a_place_in_another_record(office: Office) -> None:
    """They stand where they were put, and both records are put together anew."""
    [one] = office.file("a.pdf", "dog-licence", None)
    [two] = office.file("b.pdf", None, None)
    page = office.keys(two)[:1]
    desk.move(office.installation, office.clerk, two, office.version(two), page, one, 2)
    assert office.says(one) == ["a sheet1", "b sheet1", "a sheet2"]
    assert office.says(two) == ["b sheet2"]
    assert [f.name for f in office.store.files(one)] == ["a.pdf", "b.pdf"]
    told = export.as_json(office.installation, office.record(one))["pages"]
    assert [PageKey(p["sha256"], p["page_of_file"]) for p in told] == office.keys(one)
    moved = export.corrected_pages(office.installation, one)[1]
    assert f"sha256:{page[0].sha256}" in markup.alto(moved).decode()


def test_a_page_is_laid_aside_and_brought_back(office: Office) -> None:
    """Meanwhile it is in no view, search or download, and what was said of its fields waits."""
    [number] = office.file("a.pdf", None, "dog-licence")
    office.correct(number, "owner_name", "Aloysius Fell")
    page = office.keys(number)[1:]
    desk.lay_aside(office.installation, office.clerk, number, office.version(number), page)
    assert office.says(number) == ["a sheet1"]
    assert office.store.fields(number) == ()
    assert office.found("falcon") == []
    assert len(export.as_json(office.installation, office.record(number))["pages"]) == 1
    desk.bring_back(office.installation, office.clerk, number, office.version(number), page)
    assert office.says(number) == ["a sheet1", "a sheet2"]
    assert office.value(number, "owner_name")[:2] == ("Aloysius Fell", 2)


def test_a_record_keeps_a_page(office: Office) -> None:
    """Neither laying aside nor splitting leaves a record without any."""
    [number] = office.file("a.pdf", None, None)
    keys, version = office.keys(number), office.version(number)
    for verb in (desk.lay_aside, desk.split):
        with pytest.raises(InputError, match="one page at least"):
            verb(office.installation, office.clerk, number, version, keys)


def _order(office: Office, one: int, two: int) -> None:
    keys = office.keys(one)[::-1]
    desk.reorder(office.installation, office.clerk, one, office.version(one), keys)


def _split(office: Office, one: int, two: int) -> None:
    keys = office.keys(one)[1:]
    desk.split(office.installation, office.clerk, one, office.version(one), keys)


def _join(office: Office, one: int, two: int) -> None:
    desk.join(office.installation, office.clerk, one, office.version(one), two)


def _move(office: Office, one: int, two: int) -> None:
    keys = office.keys(two)[:1]
    desk.move(office.installation, office.clerk, two, office.version(two), keys, one, 1)


def _aside(office: Office, one: int, two: int) -> None:
    keys = office.keys(one)[:1]
    desk.lay_aside(office.installation, office.clerk, one, office.version(one), keys)


@pytest.mark.parametrize("verb", [_order, _split, _join, _move, _aside])
def test_every_arrangement_can_be_taken_back(
    office: Office, verb: Callable[[Office, int, int], None]
) -> None:
    """Pages, fields, corrections and what waits for a person are what they were, to the letter."""
    [one] = office.file("a.pdf", "dog-licence", None)
    [two] = office.file("b.pdf", "dog-licence", None)
    office.correct(one, "owner_name", "First")
    office.correct(two, "owner_name", "Second")
    office.wait(one, "dog_name", "look")
    office.wait(two, "dog_name", "senior", note="carl: blurred")
    before, said = office.everything(), office.found("badger")
    verb(office, one, two)
    assert office.everything() != before
    office.take_back(one)
    after = office.everything()
    after[0] = [row for row in after[0] if row[0] in (one, two)]
    assert after == before
    assert office.found("badger") == said
    assert office.problems() == []
    with pytest.raises(StaleVersionError, match="arranged otherwise"):
        office.take_back(one)


def test_what_was_changed_since_is_not_taken_back(office: Office) -> None:
    """A correction made after the pages were moved is worth more than the undo."""
    [number] = office.file("a.pdf", "dog-licence", None)
    _order(office, number, 0)
    office.correct(number, "owner_name", "Aloysius Fell")
    before = office.everything()
    with pytest.raises(StaleVersionError, match="one by one"):
        office.take_back(number)
    assert office.everything() == before


def test_who_saw_an_older_record_is_told(office: Office) -> None:
    """Of two people who arrange the same pages, the second looks again."""
    [number] = office.file("a.pdf", None, None)
    version, keys = office.version(number), office.keys(number)
    desk.reorder(office.installation, office.clerk, number, version, keys[::-1])
    before = office.everything()
    with pytest.raises(StaleVersionError):
        desk.reorder(office.installation, office.clerk, number, version, keys)
    assert office.everything() == before


def test_pages_go_only_where_one_may_work(office: Office) -> None:
    """A record that one may not see is none, and one that one may only see takes no pages."""
    [mine] = office.file("a.pdf", None, None)
    [theirs] = office.file("b.pdf", None)
    office.store.db.conn.execute(
        "UPDATE documents SET department = 'building' WHERE id = ?", [theirs]
    )
    page, version = office.keys(mine)[:1], office.version(mine)
    with pytest.raises(NotFoundError):
        desk.move(office.installation, office.clerk, mine, version, page, theirs, 1)
    looker = replace(office.clerk, shared=frozenset({"building"}))
    with pytest.raises(NotAllowedError):
        desk.move(office.installation, looker, mine, version, page, theirs, 1)
    viewer = replace(office.clerk, role=Role.VIEWER)
    for verb in (desk.lay_aside, desk.split):
        with pytest.raises(NotAllowedError):
            verb(office.installation, viewer, mine, version, page)


def test_a_file_is_for_those_who_may_see_all_that_holds_its_pages(office: Office) -> None:
    """A page that moved to another department closes the whole file to others."""
    [one], [two] = office.file("a.pdf", None, None), office.file("b.pdf", None)
    office.store.db.conn.execute("UPDATE documents SET department = 'building' WHERE id = ?", [two])
    boss = office.store.system_viewer("olga")
    page = office.keys(one)[:1]
    sha256 = page[0].sha256
    assert office.store.departments_of(sha256) == {"clerk"}
    desk.move(office.installation, boss, one, office.version(one), page, two, 1)
    assert office.store.departments_of(sha256) == {"clerk", "building"}


def test_what_waits_for_a_second_person_goes_along(office: Office) -> None:
    """A field keyed once still waits to be keyed again, in the record that its page went to."""
    [number] = office.file("a.pdf", None, "dog-licence")
    office.correct(number, "owner_name", "Aloysius Fell")
    office.wait(number, "owner_name", "second", seen='["carl"]', twice=1)
    page = office.keys(number)[1:]
    version = office.version(number)
    made = desk.split(office.installation, office.clerk, number, version, page)
    other = replace(office.clerk, name="vic")
    [check] = checking.take(office.store, other, Which("second"), 9, 60.0)
    assert (check.document_id, check.kind, check.seen) == (made, CheckKind.SECOND, ("carl",))


def test_what_waits_is_not_given_to_another_record(office: Office) -> None:
    """A field of the same name that has been keyed already is not asked for a second time."""
    [one], [two] = office.file("a.pdf", "dog-licence"), office.file("b.pdf", "dog-licence")
    office.correct(one, "owner_name", "First")
    office.correct(two, "owner_name", "Second")
    office.wait(one, "owner_name", "second", seen='["carl"]', twice=1)
    office.wait(two, "owner_name", "senior", note="vic: blurred")
    _join(office, one, two)
    assert (one, "owner_name", "second", "") in office.waiting()
    assert not any(kind == "senior" for _, _, kind, _ in office.waiting())
    desk.split(office.installation, office.clerk, one, office.version(one), office.keys(one)[1:])
    assert [(kind, note) for _, _, kind, note in office.waiting() if kind == "senior"] == [
        ("senior", "vic: blurred")
    ]


def test_what_waits_survives_being_laid_aside(office: Office) -> None:
    """With the note that somebody wrote for a senior."""
    [number] = office.file("a.pdf", None, "dog-licence")
    office.wait(number, "dog_name", "senior", note="carl: blurred")
    page = office.keys(number)[1:]
    desk.lay_aside(office.installation, office.clerk, number, office.version(number), page)
    assert office.waiting() == []
    desk.bring_back(office.installation, office.clerk, number, office.version(number), page)
    assert (number, "dog_name", "senior", "carl: blurred") in office.waiting()


def test_an_answer_of_another_page_is_not_overwritten(office: Office) -> None:
    """What was said of one licence's owner does not become the owner of another paper."""
    [one] = office.file("a.pdf", "building-permit")
    [two] = office.file("b.pdf", "dog-licence")
    office.correct(two, "owner_name", "Second")
    _join(office, one, two)
    value, page, status = office.value(one, "owner_name")
    assert (value, page, status) == ("owner_name a.pdf 1", 1, FieldStatus.OK)
    assert [f.value for f in arranging.unheld(office.store, one)] == ["Second"]


def test_what_was_decided_since_is_not_undone(office: Office) -> None:
    """A note for a senior, written after the pages were arranged, is not lost by taking back."""
    [number] = office.file("a.pdf", "dog-licence", None)
    office.wait(number, "dog_name", "senior", note="carl: blurred")
    _order(office, number, 0)
    office.wait(number, "dog_name", "senior", note="vic: it is Rex")
    with pytest.raises(StaleVersionError, match="changed since"):
        office.take_back(number)
    assert (number, "dog_name", "senior", "vic: it is Rex") in office.waiting()


def test_arrangements_are_taken_back_one_after_the_other(office: Office) -> None:
    """As many as were made, the last first."""
    [one] = office.file("a.pdf", "dog-licence", None)
    [two] = office.file("b.pdf", "dog-licence", None)
    states = []
    for verb in (_order, _join, _aside, _order):
        states.append(office.everything())
        verb(office, one, two)
    for state in states[::-1]:
        office.take_back(one)
        assert office.everything() == state
    assert office.problems() == []


def test_a_decision_is_taken_back_at_its_pages_new_place(office: Office) -> None:
    """Undoing what was said of a field does not undo where its page stands now."""
    [number] = office.file("a.pdf", "dog-licence", None)
    office.wait(number, "owner_name", "look")
    office.correct(number, "owner_name", "Aloysius Fell")
    _order(office, number, 0)
    [taken] = undo(office.installation, replace(office.clerk, name="carl")).decisions
    assert taken.name == "owner_name"
    assert office.value(number, "owner_name")[:2] == ("owner_name a.pdf 1", 2)


def test_what_was_found_in_order_goes_with_its_page(tmp_path: Path) -> None:
    """It is not asked again where the page stands now, and not taken for said of another."""
    office = Office(tmp_path, page_sure=0.99)
    [number] = office.file("a.pdf", None, None)
    [other] = office.file("b.pdf", None)
    hard = '["page 1 is hard to read", "page 2 is hard to read"]'
    office.store.db.conn.execute("UPDATE documents SET reasons = ?", [hard])
    keys = office.keys(number)
    desk.reorder(office.installation, office.clerk, number, office.version(number), keys[::-1])
    assert office.record(number).reasons == ("page 1 is hard to read", "page 2 is hard to read")
    look_over(office.installation, office.clerk, number, office.version(number))
    page = office.keys(other)
    version = office.version(other)
    desk.move(office.installation, office.clerk, other, version, page, number, 2)
    assert office.record(number).reasons == ("page 2 is hard to read",)
    office.store.close()


def test_a_record_that_could_not_be_read_takes_no_pages(office: Office) -> None:
    """Its reason stays, and its file is tried again as before."""
    [one] = office.file("a.pdf", None)
    source = office.folder / "locked.pdf"
    source.write_bytes(b"%PDF-1.4 locked")
    receive(office.installation, office.clerk, source, "locked.pdf", "Drawer 1", "clerk")
    [sha256] = filing.waiting(office.store)
    failure = PageFailure(0, "split", "encrypted", "'locked.pdf' needs a password.")
    filing.fail_original(office.store, "test", sha256, failure)
    [broken] = [d.id for d in office.store.documents(office.clerk, sha256=sha256)]
    before = office.everything()
    for source_id, target in ((one, broken), (broken, one)):
        with pytest.raises(InputError, match="could not be read"):
            desk.join(office.installation, office.clerk, target, office.version(target), source_id)
    with pytest.raises(InputError, match="could not be read"):
        desk.hold_ready(office.installation, office.clerk, broken)
    assert office.everything() == before


def test_nothing_is_arranged_while_pages_are_still_to_come(office: Office) -> None:
    """Pages that are read later would stand in the places of others."""
    [one], [two] = office.file("a.pdf", None, None), office.file("b.pdf", None)
    with office.store.write() as db:
        sha256 = office.record(one).sha256
        db.table("originals").update(sha256, {"state": "waiting", "page_count": 3})
    with pytest.raises(BusyError, match="is being read"):
        _join(office, two, one)
    with pytest.raises(BusyError, match="is being read"):
        _order(office, one, 0)


def test_notes_and_tags_go_with_the_pages(office: Office) -> None:
    """What was written on a record is found on the one that it is joined to, and goes back."""
    [one], [two] = office.file("a.pdf", None), office.file("b.pdf", None)
    for number, tag in ((one, "urgent"), (two, "urgent"), (two, "appeal")):
        noting.add_tag(office.store, office.clerk, office.record(number), tag)
    noting.add_note(office.store, office.clerk, office.record(two), "Ask the harbour master")
    _join(office, one, two)
    assert [hit for hit, _ in office.found("harbour")] == [one]
    assert [hit for hit, _ in office.found("tag:appeal")] == [one]
    assert noting.tags(office.store, [one, two]) == {one: ("appeal", "urgent")}
    office.take_back(one)
    assert noting.tags(office.store, [one, two]) == {one: ("urgent",), two: ("appeal", "urgent")}
    assert [hit for hit, _ in office.found("harbour")] == [two]


# Reading again


def _run(office: Office, drawer: Path | None = None, pending: Sequence[str] = ()) -> None:
    with office.installation.archive.run() as run:
        intake = Intake("test", "Drawer 1", None, None, run.name)
        importer = Importer(office.installation, intake, run, lambda _: None, lambda _: None)
        importer.process(walk([drawer] if drawer else []), pending, 1)


def _hand_in_card(office: Office) -> None:
    """Have a card really read, as record 1."""
    drawer = office.folder / "drawer"
    drawer.mkdir()
    texts = ("Alder Falls notes", "of the meeting in May", "about the fence of the school")
    (drawer / "note.png").write_bytes(as_bytes(card(texts), "PNG", dpi=(200, 200)))
    _run(office, drawer)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Office]:
    """An archive with a card that was really read."""
    made = Office(tmp_path)
    _hand_in_card(made)
    yield made
    made.store.close()


def test_what_a_person_found_in_order_is_not_asked_again(tmp_path: Path) -> None:
    """A page that is hard to read, and was looked at, is in order after another reading too."""
    office = Office(tmp_path, page_sure=1.0)
    _hand_in_card(office)
    assert office.record(1).reasons == ("page 1 is hard to read",)
    look_over(office.installation, office.clerk, 1, office.version(1))
    [page] = office.keys(1)
    assert filing.open_again(office.store, "test", page.sha256, "asked for", whole=True)
    _run(office, pending=[page.sha256])
    assert office.record(1).reasons == ()
    assert office.record(1).status is DocumentStatus.FILED
    office.store.close()


def test_a_page_is_turned_and_read_again(read: Office) -> None:
    """The turn that a person gives a page is heeded by each reading, and turning on undoes it."""
    [page] = read.store.pages(1)
    words = read.store.lines(1, 1)
    assert "fence" in " ".join(line.text for line in words)
    desk.turn(read.installation, read.clerk, 1, read.version(1), page.key, 180)
    assert read.store.pages(1)[0].turned == 180
    assert filing.waiting(read.store) == [page.key.sha256]
    _run(read, pending=filing.waiting(read.store))
    [turned] = read.store.pages(1)
    assert (turned.geometry.turn, turned.turned) == (180, 180)
    assert "fence" not in " ".join(line.text for line in read.store.lines(1, 1))
    desk.turn(read.installation, read.clerk, 1, read.version(1), page.key, 180)
    _run(read, pending=filing.waiting(read.store))
    assert read.store.pages(1)[0].geometry.turn == 0
    assert read.store.lines(1, 1) == words
    # The picture of the page on its head is left over, as after any reading again.
    assert {problem.cure for problem in read.problems()} <= {upkeep.Cure.DELETE}


def test_reading_again_keeps_how_pages_were_arranged(read: Office) -> None:
    """A page that was moved into another record is read anew where it is now."""
    [other] = read.file("a.pdf", "dog-licence", None)
    read.correct(other, "owner_name", "Aloysius Fell")
    key = read.keys(1)[0]
    desk.move(read.installation, read.clerk, 1, read.version(1), [key], other, 2)
    version = read.version(other)
    assert filing.open_again(read.store, "test", key.sha256, "asked for", whole=True)
    _run(read, pending=[key.sha256])
    assert [page.key for page in read.store.pages(other)][1] == key
    assert read.store.pages(1) == ()
    assert read.version(other) > version
    assert read.value(other, "owner_name")[0] == "Aloysius Fell"
    assert [number for number, _ in read.found("fence")] == [other]
    assert read.problems() == []


def _hand_in_page(read: Office, role: Role) -> str:
    """Hand in a page on bicycles by somebody of a role; return its file, which waits."""
    people.add(read.store, "test", "carl", role, "x", ["clerk"])
    source = read.folder / "new.png"
    source.write_bytes(as_bytes(card(("A page on bicycles",)), "PNG", dpi=(200, 200)))
    receive(read.installation, read.clerk, source, "new.png", "Drawer 1", "clerk")
    [sha256] = filing.waiting(read.store)
    return sha256


def test_a_page_that_is_handed_in_goes_into_its_record(read: Office) -> None:
    """It is read like any file, and stands then where the person wanted it."""
    [other] = read.file("a.pdf", None, None)
    sha256 = _hand_in_page(read, Role.CLERK)
    arrival = Arrival(other, 2, None, "carl", now(), sha256)
    arrivals.expect(read.store, read.clerk, arrival)
    assert arrivals.arrivals(read.store, other) == [arrival]
    _run(read, pending=[sha256])
    assert [number for number, _ in read.found("bicycles")] == [other]
    assert read.keys(other)[1] == PageKey(sha256, 1)
    assert len(read.keys(other)) == 3
    assert arrivals.arrivals(read.store, other) == []


def test_a_page_that_is_handed_in_replaces_another(read: Office) -> None:
    """The page that it replaces is laid aside, not lost; taking back undoes both."""
    [other] = read.file("a.pdf", None, None)
    sha256 = _hand_in_page(read, Role.CLERK)
    old = read.keys(other)[0]
    arrivals.expect(read.store, read.clerk, Arrival(other, 1, old, "carl", now(), sha256))
    _run(read, pending=[sha256])
    assert read.keys(other)[0] == PageKey(sha256, 1)
    assert [s.key for s in arranging.sheets(read.store, other) if not s.place] == [old]
    read.take_back(other)
    assert read.says(other) == ["a sheet1", "a sheet2"]


def test_a_page_that_cannot_go_where_it_was_wanted_stays_a_record(read: Office) -> None:
    """A person who has lost the right meanwhile moves nothing; the page is kept all the same."""
    [other] = read.file("a.pdf", None)
    sha256 = _hand_in_page(read, Role.VIEWER)
    arrivals.expect(read.store, read.clerk, Arrival(other, 1, None, "carl", now(), sha256))
    _run(read, pending=[sha256])
    assert len(read.keys(other)) == 1
    [(number, _)] = read.found("bicycles")
    assert number != other
    said = read.store.sightings(sha256)[-1]
    assert said["kind"] == "stays a record"
    assert "may not correct" in said["detail"]["why"]


def test_a_run_that_died_before_pages_were_put_in_is_made_good(read: Office) -> None:
    """The next run puts them where they were wanted."""
    [other] = read.file("a.pdf", None, None)
    people.add(read.store, "test", "carl", Role.CLERK, "x", ["clerk"])
    sha256 = read.record(1).sha256
    arrivals.expect(read.store, read.clerk, Arrival(other, 1, None, "carl", now(), sha256))
    assert read.record(1).status is DocumentStatus.FILED
    _run(read)
    assert read.keys(other)[0] == PageKey(sha256, 1)
    assert arrivals.arrivals(read.store, other) == []


def test_a_record_that_was_made_and_taken_back_stays_quiet(read: Office) -> None:
    """Reading the file again does not bring the empty record up for review."""
    [other] = read.file("a.pdf", None)
    desk.join(read.installation, read.clerk, 1, read.version(1), other)
    made = desk.split(read.installation, read.clerk, 1, read.version(1), read.keys(1)[:1])
    for _ in range(2):
        read.take_back(1)
    sha256 = read.record(1).sha256
    assert filing.open_again(read.store, "test", sha256, "asked for", whole=True)
    _run(read, pending=[sha256])
    assert read.record(made).status is DocumentStatus.FILED
    assert read.record(made).reasons == ()
    assert {problem.cure for problem in read.problems()} <= {upkeep.Cure.DELETE}
