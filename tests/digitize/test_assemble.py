"""Records out of a file's pages: where one ends, what it is called, and what is in doubt."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize.assemble import assemble, record_date, record_status, record_title, split
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from digitize.intake import natural_key, shown, walk
from records.geometry import Box
from records.model import (
    DocumentStatus,
    FieldStatus,
    Line,
    PageFailure,
    PageResult,
    Word,
)
from records.settings import Settings
from tests.records.making import field, page

BOTH = ("separator", "form")
ALL = (*BOTH, "blank")
PERMIT = """
name = "permit"
title = "Fence permit"
department = "building"
pages = 2
date = "issued"
record_title = "{site} - {owner}"
[identify]
anchors = [{ text = "PERMIT" }, { text = "CONDITIONS", page = 2 }]
[[fields]]
name = "site"
beside = "Site"
[[fields]]
name = "owner"
beside = "Owner"
[[fields]]
name = "issued"
kind = "date"
beside = "Date"
"""


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FormTemplate]:
    path: Path = tmp_path_factory.mktemp("forms") / "permit.toml"
    path.write_text(PERMIT)
    form = load_form(path, frozenset({"building"}))
    return {form.name: form}


def pages(kinds: str) -> list[PageResult | PageFailure]:
    """Return pages: p plain, b blank, s separator, 1 and 2 pages of the permit, x failed."""
    made: list[PageResult | PageFailure] = []
    for number, kind in enumerate(kinds, 1):
        plain = page(number, "0" * 64)
        changes: dict[str, object] = {
            "b": {"blank": True, "lines": ()},
            "s": {"separator": True},
            "1": {"form": "permit", "form_page": 1},
            "2": {"form": "permit", "form_page": 2},
        }.get(kind, {})
        made.append(replace(plain, **changes))  # type: ignore[arg-type]
        if kind == "x":
            made[-1] = PageFailure(
                number, "reading", "crashed", f"'a' page {number} crashed; look."
            )
    return made


@pytest.mark.parametrize(
    ("kinds", "parts"),
    [
        ("ppp", ["ppp"]),
        ("psp", ["ps", "p"]),
        ("spsp", ["sps", "p"]),
        ("pssp", ["pss", "p"]),
        ("ps", ["ps"]),
        ("psbp", ["psb", "p"]),
        ("psb", ["psb"]),
        ("psb1", ["psb", "1"]),
        ("12", ["12"]),
        ("1212", ["12", "12"]),
        ("111", ["1", "1", "1"]),
        ("p1", ["p", "1"]),
        ("12p", ["12p"]),
        ("1b1b", ["1b", "1b"]),
        ("b1", ["b1"]),
        ("s1", ["s1"]),
        ("bs1", ["bs1"]),
        ("1s1", ["1s", "1"]),
        ("x1", ["x", "1"]),
        ("1x2", ["1x2"]),
        ("b", ["b"]),
    ],
)
def test_where_records_end(kinds: str, parts: list[str]) -> None:
    """A record ends after a separator sheet and before a form begins; blank pages stay with it."""
    found = split(pages(kinds), BOTH)
    lengths = [len(part) for part in parts]
    assert [len(run) for run in found] == lengths


@pytest.mark.parametrize(("at", "parts"), [((), 1), (("separator",), 2), (("form",), 3), (BOTH, 4)])
def test_the_setting_says_where(at: tuple[str, ...], parts: int) -> None:
    """intake.split decides what parts a file."""
    assert len(split(pages("1211sp"), at)) == parts


@pytest.mark.parametrize(
    ("kinds", "parts"),
    [
        ("pbp", ["pb", "p"]),
        ("pbbp", ["pbb", "p"]),
        ("bpb", ["bpb"]),
        ("psbp", ["psb", "p"]),
        ("pbsp", ["pbs", "p"]),
        ("1b2", ["1b", "2"]),
        ("1b1", ["1b", "1"]),
        ("xbp", ["xb", "p"]),
        ("ppp", ["ppp"]),
    ],
)
def test_a_blank_page_may_end_a_record(kinds: str, parts: list[str]) -> None:
    """Where the setting says so, a blank page ends a record, and is the last page of it."""
    assert [len(run) for run in split(pages(kinds), ALL)] == [len(part) for part in parts]


@pytest.mark.parametrize(
    ("kinds", "every", "parts"),
    [
        ("pppp", 1, ["p", "p", "p", "p"]),
        ("ppppp", 2, ["pp", "pp", "p"]),
        ("pbpb", 2, ["pb", "pb"]),
        ("bppp", 2, ["bp", "pp"]),
        ("bbpbpp", 2, ["bbpb", "pp"]),
        ("ppbbpp", 2, ["ppbb", "pp"]),
        ("pppb", 3, ["pppb"]),
        ("ppspppp", 2, ["pps", "pp", "pp"]),
        ("pspppp", 2, ["ps", "pp", "pp"]),
        ("psbpppp", 2, ["psb", "pp", "pp"]),
        ("sppspp", 2, ["spps", "pp"]),
        ("p1pp", 2, ["p", "1p", "p"]),
        ("pxpx", 2, ["px", "px"]),
        ("pppp", 0, ["pppp"]),
    ],
)
def test_a_record_may_have_so_many_pages(kinds: str, every: int, parts: list[str]) -> None:
    """A record begins every so many pages, counted anew from where any record begins."""
    found = split(pages(kinds), BOTH, every)
    assert [len(run) for run in found] == [len(part) for part in parts]


@given(
    st.text(alphabet="pbs12x", min_size=1, max_size=12),
    st.sampled_from([(), BOTH, ALL]),
    st.integers(0, 4),
)
def test_no_page_is_lost_or_doubled(kinds: str, at: tuple[str, ...], every: int) -> None:
    """However a file is parted, each page is in one record, and none is of blank pages alone."""
    runs = split(pages(kinds), at, every)
    assert [p.number for run in runs for p in run] == list(range(1, len(kinds) + 1))
    assert len(runs) == 1 or all(set(run) - set(_sheets(run)) for run in runs)


def _sheets(run: list[PageResult | PageFailure]) -> list[PageResult | PageFailure]:
    return [p for p in run if isinstance(p, PageResult) and (p.blank or p.separator)]


def test_a_form_makes_a_record(forms: dict[str, FormTemplate], settings: Settings) -> None:
    """Title, date, department and fields follow from the form."""
    first, second = pages("12")
    assert isinstance(first, PageResult)
    fields = (field("site", "Elm 12"), field("owner", "Lee"), field("issued", "2019-03-14"))
    drafts = assemble([replace(first, fields=fields), second], "a.pdf", "", forms, settings)
    (draft,) = drafts
    assert (draft.title, draft.date, draft.department, draft.form) == (
        "Elm 12 - Lee", "2019-03-14", "building", "permit",
    )  # fmt: skip
    assert (draft.status, draft.reasons, draft.pages) == (DocumentStatus.FILED, (), (1, 2))
    assert [f.value for f in draft.fields] == ["Elm 12", "Lee", "2019-03-14"]


def test_a_department_that_a_person_chose_goes_first(
    forms: dict[str, FormTemplate], settings: Settings
) -> None:
    """The person's word goes before the form's, and that before the setting's."""
    for chosen, kinds, department in (
        ("clerk", "1", "clerk"), ("", "1", "building"), ("", "p", "clerk"),
    ):  # fmt: skip
        (draft,) = assemble(pages(kinds), "a.pdf", chosen, forms, settings)
        assert draft.department == department


def test_what_is_no_form_is_filed_as_such(
    forms: dict[str, FormTemplate], settings: Settings
) -> None:
    """A letter is filed without fields, called by its first words or else by its file."""
    letter = replace(page(1, "0" * 64), lines=(_line("Dear"), _line("Complaint about a fence")))
    (draft,) = assemble([letter], "a.pdf", "", forms, settings)
    assert (draft.form, draft.fields, draft.status) == (None, (), DocumentStatus.FILED)
    assert draft.title.startswith("Complaint about a fence")
    (unnamed,) = assemble(pages("p"), "a.pdf", "", forms, settings)
    assert unnamed.title == "a.pdf"


def _line(text: str) -> Line:
    return Line(tuple(Word(part, Box(0, 0, 9, 9), 0.9) for part in text.split()))


def test_the_parts_of_a_file_are_told_apart(
    forms: dict[str, FormTemplate], settings: Settings
) -> None:
    """Records of one file that have no name of their own are numbered."""
    drafts = assemble(pages("psp"), "box.pdf", "", forms, settings)
    assert [d.title for d in drafts] == ["box.pdf (1)", "box.pdf (2)"]


def test_what_must_be_looked_at(forms: dict[str, FormTemplate], settings: Settings) -> None:
    """A failed page, one that is hard to read and one that is missing are reasons."""
    faint = replace(page(1, "0" * 64), confidence=0.2)
    failed = pages("px")[1]
    (draft,) = assemble([faint, failed], "a.pdf", "", forms, settings)
    assert draft.status is DocumentStatus.NEEDS_REVIEW
    assert draft.reasons == ("page 1 is hard to read", "'a' page 2 crashed; look.")
    (half,) = assemble(pages("1"), "a.pdf", "", forms, settings)
    assert half.reasons == ("page 2 of the form is missing",)
    (none,) = assemble(pages("x"), "a.pdf", "", forms, settings)
    assert none.status is DocumentStatus.FAILED


@pytest.mark.parametrize(
    ("kinds", "reasons"),
    [
        ("12", []),
        ("1b2", []),
        ("21", ["page 2 of the form lies before page 1"]),
        ("112", ["page 1 of the form is there twice"]),
        ("2b2", ["page 1 of the form is missing", "page 2 of the form is there twice"]),
        ("1112", ["page 1 of the form is there 3 times"]),
        ("212", ["page 2 of the form is there twice", "page 2 of the form lies before page 1"]),
        ("1p", ["page 2 of the form is missing"]),
    ],
)
def test_the_pages_of_a_form(
    kinds: str, reasons: list[str], forms: dict[str, FormTemplate], settings: Settings
) -> None:
    """Pages that are missing, there twice or out of order are said, and put right by nobody."""
    whole = replace(settings, intake=replace(settings.intake, split=()))
    (draft,) = assemble(pages(kinds), "a.pdf", "", forms, whole)
    assert list(draft.reasons) == reasons
    assert draft.pages == tuple(range(1, len(kinds) + 1))
    assert (draft.status is DocumentStatus.NEEDS_REVIEW) is bool(reasons)


def test_the_settings_part_a_file(forms: dict[str, FormTemplate], settings: Settings) -> None:
    """intake.split and intake.split_every are what records are made by."""
    every = replace(settings, intake=replace(settings.intake, split=("blank",), split_every=2))
    drafts = assemble(pages("pbppp"), "a.pdf", "", forms, every)
    assert [draft.pages for draft in drafts] == [(1, 2), (3, 4), (5,)]


def test_a_blank_page_is_no_doubt(forms: dict[str, FormTemplate], settings: Settings) -> None:
    """Blank pages and separator sheets are not 'hard to read'."""
    blank = [replace(p, confidence=0.0) for p in pages("bs") if isinstance(p, PageResult)]
    (draft,) = assemble([*pages("p"), *blank], "a.pdf", "", forms, settings)
    assert draft.status is DocumentStatus.FILED


@pytest.mark.parametrize("status", FieldStatus)
def test_a_field_in_doubt_needs_review(status: FieldStatus) -> None:
    """Only what is sure, or said by a person, passes unseen."""
    sure = status in (FieldStatus.OK, FieldStatus.CORRECTED)
    wanted = DocumentStatus.FILED if sure else DocumentStatus.NEEDS_REVIEW
    assert record_status([field("owner", "Lee", status)], []) is wanted
    assert record_status([], ["page 1 is hard to read"]) is DocumentStatus.NEEDS_REVIEW


def test_titles(forms: dict[str, FormTemplate]) -> None:
    """What is missing of a title is a question mark; when all is missing the form names it."""
    form = forms["permit"]
    assert record_title(form, [field("site", "Elm"), field("owner", "")]) == "Elm - ?"
    assert record_title(form, []) == "Fence permit"
    assert record_title(replace(form, record_title=None), []) == "Fence permit"
    assert record_title(None, []) == ""
    assert record_title(form, [field("site", "{owner}"), field("owner", "x" * 200)]).startswith("{")
    assert len(record_title(form, [field("site", "x" * 200)])) <= 90


@pytest.mark.parametrize(
    ("value", "reasons", "found"),
    [
        ("2019-03-14", (), "2019-03-14"),
        ("", (), None),
        ("May 5, 201", ("breaks a rule: is no date",), None),
        ("2218-04-28", (), None),
    ],
)
def test_dates(
    forms: dict[str, FormTemplate], value: str, reasons: tuple[str, ...], found: str | None
) -> None:
    """A record has a date only when its form's field holds one."""
    dated = replace(field("issued", value), reasons=reasons)
    assert record_date(forms["permit"], [dated]) == found
    assert record_date(None, [dated]) is None


def test_folders_are_walked_as_people_count(tmp_path: Path) -> None:
    """Page 2 comes before page 10, folders in their place, litter left out."""
    for name in ("page 10.png", "page 2.png", "Page 1.png", "Thumbs.db", ".hidden", "b/x 3.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    found = [c.path.name for c in walk([tmp_path])]
    assert found == ["x 3.png", "Page 1.png", "page 2.png", "page 10.png"]
    assert all(c.fault is None for c in walk([tmp_path]))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A path that leads nowhere is a candidate with a fault."""
    (found,) = walk([tmp_path / "none"])
    assert found.fault
    assert found.fault.endswith("check the name.")


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A folder that links to itself is no circle."""
    (tmp_path / "again").symlink_to(tmp_path)
    assert [c.path.name for c in walk([tmp_path])] == ["again"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=8))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    """Digits of any script, and none: names always have an order."""
    ordered = [natural_key(name) for name in sorted(names, key=natural_key)]
    assert all(one <= other for one, other in pairwise(ordered))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_name_can_be_shown(name: str) -> None:
    """What is printed of a name never moves a terminal's cursor."""
    assert shown(Path(name or ".")).isprintable()
