"""Small pure functions, and what style sheets and scripts may use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from records.filing import Sighting
from records.geometry import Box, untouched
from records.model import AuditRow, DocumentStatus, Field, FieldStatus, Page, PageKey, PageKind
from webui import overlay, wording

STATIC = Path(__file__).parents[2] / "webui" / "static"


def _field(name: str, status: FieldStatus, confidence: float = 0.8) -> Field:
    box = Box(10, 2, 20, 12)
    return Field(
        name, name.upper(), "text", "raw", "value", confidence, 1, box, status, (), "r", "zone"
    )


def _page(number: int) -> Page:
    return Page(
        number, 1, number, number, PageKey("a", number), None, "read", PageKind.SCAN, "image",
        2000, 3000, 300, untouched(2000, 3000), (), False, False, 0.9, None, "r", None,
    )  # fmt: skip


def _row(number: int, action: str, **change: object) -> AuditRow:
    return AuditRow(
        number, "2024-05-01T10:00:00.000+00:00", "ann", action, 1, 1, change, {}, "", ""
    )


def test_every_status_has_a_word_and_a_shape_of_its_own() -> None:
    """No status is told by colour alone."""
    for statuses in (DocumentStatus, FieldStatus):
        tags = [wording.status_tag(status) for status in statuses]
        assert len({tag.word for tag in tags}) == len(tags)
        assert len({tag.shape for tag in tags}) == len(tags)
    assert all(wording.sighting_words(sighting) for sighting in Sighting)


@pytest.mark.parametrize(
    ("status", "confidence", "said"),
    [
        (FieldStatus.OK, 0.97, "very sure, 97 %"),
        (FieldStatus.OK, 0.8, "sure, 80 %"),
        (FieldStatus.UNSURE, 0.3, "unsure, 30 %"),
        (FieldStatus.CORRECTED, 1.0, "checked by a person"),
    ],
)
def test_confidence_is_said_in_words(status: FieldStatus, confidence: float, said: str) -> None:
    """A number alone does not tell a clerk whether to look."""
    assert wording.confidence_words(_field("a", status, confidence), 0.75) == said


@pytest.mark.parametrize(
    ("iso", "month_first", "day_first"),
    [
        ("2019-03-04", "March 4, 2019", "4 March 2019"),
        ("2019-13-04", "2019-13-04", "2019-13-04"),
        ("soon", "soon", "soon"),
        (None, "", ""),
    ],
)
def test_dates_are_written_as_the_city_writes_them(
    iso: str | None, month_first: str, day_first: str
) -> None:
    """The setting day_first decides, and what is no date stays as it is."""
    assert wording.day(iso, day_first=False) == month_first
    assert wording.day(iso, day_first=True) == day_first


def test_history_is_told_newest_first_and_briefly() -> None:
    """Forty pages that were read are one line; a change says from what to what."""
    rows = [
        _row(1, "accepted", name="a.pdf"),
        *(_row(n + 1, "page read", page=n, image="x") for n in (1, 2, 3)),
        _row(5, "page read", page=4, failed="timeout"),
        _row(6, "filed", pages=[1, 2, 3]),
        _row(7, "corrected", field="owner", to="new", **{"from": "old"}),
        _row(8, "corrected", field="owner", to="new", **{"from": "new"}),
        _row(9, "something later"),
    ]
    told = wording.happenings(rows, {"owner": "OWNER"})
    assert [event.what for event in told] == [
        "something later", "confirmed OWNER", "corrected OWNER", "filed the record",
        "could not read page 4", "read pages 1 to 3", "took the file in",
    ]  # fmt: skip
    assert (told[2].old, told[2].new) == ("old", "new")


def test_what_matters_most_is_drawn_on_top() -> None:
    """Hits lie under fields, sure fields under doubtful ones, and the chosen one over all."""
    fields = [
        _field("chosen", FieldStatus.OK),
        _field("unsure", FieldStatus.UNSURE),
        _field("sure", FieldStatus.OK),
    ]
    drawn = overlay.marks(fields, _page(1), [Box(0, 0, 5, 5)], "chosen")
    assert [mark.kind for mark in drawn] == ["hit", "field", "doubt", "chosen"]
    assert drawn[0].box == Box(0, 0, 10, 10)
    assert drawn[1].box == Box(0, 0, 30, 22)
    assert overlay.marks(fields, _page(2), [], None) == []


def test_style_sheets_use_the_few_colours_only() -> None:
    """Every colour stands in the list of tokens at the top of base.css."""
    base = (STATIC / "base.css").read_text()
    tokens = set(re.findall(r"#[0-9a-f]{6}\b", base.partition("*/")[0]))
    for sheet in STATIC.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", text)) <= tokens, sheet.name


@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("1b2733", "f4f5f2"), ("4d5b69", "f4f5f2"), ("4d5b69", "ffffff"), ("10548a", "f4f5f2"),
        ("0b3d66", "e9edf2"), ("ffffff", "10548a"), ("ffffff", "123f3e"), ("1c6438", "e5f3ea"),
        ("824600", "fdf0d9"), ("a01f27", "fbe8e8"), ("44546a", "e9edf2"), ("1b2733", "ffe27a"),
        ("10548a", "fdf0d9"), ("1b2733", "e4eeec"), ("10548a", "e4eeec"), ("4d5b69", "e4eeec"),
    ],
)  # fmt: skip
def test_text_can_be_read(text: str, background: str) -> None:
    """Every pair of text and ground has a contrast of 4.5 or more (WCAG 2.1, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(text), luminance(background)))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_old_browsers_know_all_that_is_used() -> None:
    """Style sheets and scripts use nothing that a browser of 2016 lacks."""
    newer_css = (
        r"var\(|display:\s*grid|[^-]gap:|:has\(|:is\(|:where\(|clamp\(|aspect-ratio|@layer|inset:"
    )
    for sheet in STATIC.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
        assert not re.search(newer_css, text), sheet.name
        assert "http" not in text
    newer_script = r"=>|\blet\b|\bconst\b|\bclass \w|`|\bfetch\(|\basync\b|\?\.|\?\?|\.\.\."
    for script in STATIC.glob("*.js"):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", script.read_text(), flags=re.DOTALL)
        assert not re.search(newer_script, text), script.name


def test_pages_are_light() -> None:
    """All style sheets and scripts together weigh less than 70 KB."""
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 70_000
