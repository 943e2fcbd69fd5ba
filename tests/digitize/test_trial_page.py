"""The page of a trial: all in one file, and nothing that was read becomes HTML."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digitize.form_file import parse_form
from digitize.trial import TrialFile, TrialRecord
from digitize.trial_page import trial_page
from records.geometry import untouched
from records.model import (
    Document,
    DocumentStatus,
    Field,
    FieldStatus,
    PageFailure,
    PageKind,
    PageResult,
)
from tests.digitize.making import as_bytes, card
from tests.records.making import field

EVIL = "<script>alert('x')</script><img src=\"http://evil.example/a\" onerror='x'>&amp;"
_VOID = {"meta", "img", "br", "rect"}


class Tags(HTMLParser):
    """Collects a page's elements, each with its attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def page(*fields: Field, form: str | None = "dog-licence") -> PageResult:
    """Return a page of a form that was read."""
    return PageResult(
        number=1, key="", kind=PageKind.SCAN, image="", size=(700, 420), dpi=100,
        geometry=untouched(700, 420), steps=(), blank=False, lines=(), confidence=0.9, form=form,
        form_page=1 if form else 0, template="", pairs=(), separator=False, fields=fields,
        reader="tesseract", languages="eng", exit_code=0, seconds=0.1,
    )  # fmt: skip


def read(
    *pages: PageResult | PageFailure,
    name: str = "a.pdf",
    message: str | None = None,
    reasons: tuple[str, ...] = (),
) -> TrialFile:
    """Return a file with these pages."""
    picture = as_bytes(card(), "PNG")
    document = Document(
        id=1, sha256="", source=name, part=1, batch="trial", department="clerk",
        form="dog-licence", title="", date=None, status=DocumentStatus.FILED, reasons=reasons,
        version=1, rev=1, created_at="",
    )  # fmt: skip
    fields = tuple(f for p in pages if isinstance(p, PageResult) for f in p.fields)
    pictures = tuple(picture if isinstance(p, PageResult) else None for p in pages)
    return TrialFile(name, "0" * 64, pages, pictures, (TrialRecord(document, fields),), message)


FAILED = PageFailure(2, "reading", "crashed", "'a.pdf' page 2 crashed; look at the page.")


def test_each_field_has_a_row_and_a_box() -> None:
    """A field's value, how sure it is, how it was found and its reasons stand beside its box."""
    second = replace(
        field("dog", "Rex", FieldStatus.UNSURE),
        confidence=0.5,
        reasons=("unsure: faint",),
        box=None,
    )
    found = Tags(trial_page("dogs", [read(page(field("owner", "Ann Hart"), second))], {}))
    assert len(found.all("rect")) == 1
    assert len(found.all("tr")) == 3
    for said in ("Ann Hart", "90%", "zone", "Rex", "50%", "unsure: faint", "dog-licence, page 1"):
        assert said in found.text


@pytest.mark.parametrize("status", FieldStatus)
def test_every_status_has_a_colour(status: FieldStatus) -> None:
    """No status of a field breaks the page."""
    assert "Ann" in trial_page("dogs", [read(page(field("owner", "Ann", status)))], {})


def test_nothing_that_was_read_becomes_html() -> None:
    """Names, labels, values, reasons and messages are text, whatever they hold."""
    evil = replace(
        field("owner", EVIL),
        name=EVIL, label=EVIL, kind=EVIL, raw=EVIL, reasons=(EVIL,), reader=EVIL, found_by=EVIL,
    )  # fmt: skip
    failed = replace(FAILED, message=EVIL)
    file = read(page(evil, form=EVIL), failed, name=EVIL, message=EVIL, reasons=(EVIL,))
    made = trial_page(EVIL, [file], {})
    found = Tags(made)
    assert not found.all("script")
    assert not [a for _, attributes in found.tags for a in attributes if a.startswith("on")]
    assert found.text.count(EVIL) == 12
    _holds_all_itself(found)


def _holds_all_itself(found: Tags) -> None:
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "iframe", "object", "form"})
    for tag, attributes in found.tags:
        for name, value in attributes.items():
            if name in ("src", "href", "srcset", "data", "action", "xlink:href"):
                assert tag == "img"
                assert value
                assert value.startswith("data:image/jpeg;base64,")


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """It can be sent on as it is: pictures are in it, and it asks no other machine for anything."""
    made = trial_page("dogs", [read(page(field("owner", "Ann"))), read(page(form=None))], {})
    found = Tags(made)
    _holds_all_itself(found)
    assert not re.search(r"https?:|//|@import|url\(", re.sub(r"base64,[^\"]+", "", made))
    for image in found.all("img"):
        source = image["src"]
        assert source
        assert base64.b64decode(source.partition(",")[2]).startswith(b"\xff\xd8")
        assert image["alt"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([read(page(), FAILED, message=FAILED.message)], "page 2 crashed"),
        ([read(FAILED)], "page 2 crashed"),
        ([TrialFile("a.pdf", None, (), (), (), "'a.pdf' is empty; scan it again.")], "is empty"),
        ([read(page(form=None))], "no known form"),
        ([read(page(), reasons=("page 2 of the form is missing",))], "page 2 of the form is miss"),
        ([], "dogs"),
    ],
    ids=["one page failed", "all failed", "no pages", "no form", "reasons", "no files"],
)
def test_what_went_wrong_is_on_the_page(files: Sequence[TrialFile], said: str) -> None:
    """A failed page, an unreadable file and paper of no known form are shown with a sentence."""
    made = trial_page("dogs", files, {})
    assert said in Tags(made).text
    assert not Tags(made).all("table")


def test_the_zones_of_the_template_are_dashed(tmp_path: Path) -> None:
    """Beside what was taken, the page shows where the template looked, options too."""
    toml = (
        'name = "dog"\n[identify]\nanchors = [{ text = "DOG LICENCE", box = [0, 0, 0.5, 0.1] }]\n'
        '[[fields]]\nname = "owner"\nzone = [0.1, 0.3, 0.9, 0.4]\n[[fields]]\nname = "sex"\n'
        'kind = "choice"\noptions = [{ value = "m", zone = [0.1, 0.5, 0.12, 0.52] },\n'
        '{ value = "f", zone = [0.2, 0.5, 0.22, 0.52] }]\n'
    )
    form = parse_form(toml, tmp_path / "dog.toml", frozenset())
    shown = replace(page(field("owner", "Ann")), form="dog", form_page=1, template=form.digest)
    made = trial_page("dogs", [read(shown)], {"dog": form})
    assert made.count("stroke-dasharray") == 3
