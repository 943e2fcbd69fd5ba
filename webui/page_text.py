"""The text of a page as it is shown: its lines, words in doubt, and the line being corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import get_flashed_messages, request, url_for

from records.geometry import Box
from records.model import Page, Word
from records.overlaying import Correction, LaidLine, PageText
from webui.snippets import line_url

FLASHED = "text"  # messages that are told at the line that they are about
_LONG = 12
OPEN = "open"  # what the address says as ``text`` for the text to be unfolded


@dataclass(frozen=True, slots=True)
class LineEntry:
    """A line that a person is correcting: its number on the page, and what its box holds."""

    number: int
    typed: str


@dataclass(frozen=True, slots=True)
class ShownWord:
    """One word; ``doubt`` is its number among the words of the page that are in doubt."""

    word: Word
    doubt: int | None
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line; ``typed`` is what its box holds while it is being corrected.

    ``next_doubt`` is the first word in doubt behind it, ``told`` what a person is told of it.
    """

    number: int
    text: str
    words: tuple[ShownWord, ...]
    corrections: tuple[Correction, ...]
    place: Box | None
    picture: str | None
    correct: str
    leave: str
    typed: str | None
    next_doubt: int | None
    told: tuple[str, ...]

    @property
    def long(self) -> bool:
        """Say whether its picture is too wide to be read on a telephone."""
        return self.place is not None and self.place.width > _LONG * self.place.height


@dataclass(frozen=True, slots=True)
class ShownText:
    """The text of one page; ``onward`` leads to the next page with words in doubt, if any.

    ``address`` is that of the text, unfolded.
    """

    lines: tuple[ShownLine, ...]
    doubts: int
    unfolded: bool
    address: str
    onward: str
    told: tuple[str, ...]

    @property
    def entry(self) -> ShownLine | None:
        """Return the line that is being corrected."""
        return next((line for line in self.lines if line.typed is not None), None)


def asked_entry(text: PageText | None) -> LineEntry | None:
    """Return the line that the address asks to correct, as it stands."""
    number = request.args.get("line", 0, type=int)
    if text is None or not 0 < number <= len(text.lines):
        return None
    return LineEntry(number, text.lines[number - 1].text)


def shown(
    text: PageText | None, page: Page, entry: LineEntry | None, sure: float, here: Mapping[str, Any]
) -> ShownText:
    """Return what is shown of a page's text; ``here`` is what addresses of the record keep."""
    laid = text.lines if text else ()
    doubts = _numbered(laid, sure)
    saved = request.args.get("saved", 0, type=int)
    told = tuple(str(message) for message in get_flashed_messages(category_filter=[FLASHED]))
    lines = tuple(
        _line(number, line, doubts, page, entry, told if number == saved else (), here)
        for number, line in enumerate(laid, 1)
        if line.words or line.emptied
    )
    return ShownText(
        lines=lines,
        doubts=len(doubts),
        unfolded=entry is not None or request.args.get("text") == OPEN,
        address=url_for("record.show", **here, text=OPEN, _anchor="text"),
        onward=url_for("text.next_doubt", **here),
        told=() if any(line.told for line in lines) else told,
    )


def in_doubt(line: LaidLine, sure: float) -> list[int]:
    """Return the places in a line of the words that were read with less than ``sure``."""
    return [place for place, word in enumerate(line.words) if word.confidence < sure]


def _numbered(laid: tuple[LaidLine, ...], sure: float) -> dict[tuple[int, int], int]:
    """Return the number of each word in doubt by its line, from 1, and its place there."""
    found = [(n, place) for n, line in enumerate(laid, 1) for place in in_doubt(line, sure)]
    return {where: count for count, where in enumerate(found, 1)}


def _line(
    number: int, line: LaidLine, doubts: Mapping[tuple[int, int], int], page: Page,
    entry: LineEntry | None, told: tuple[str, ...], here: Mapping[str, Any],
) -> ShownLine:  # fmt: skip
    open_ = entry is not None and entry.number == number
    place = line.place.cut(Box(0, 0, page.width, page.height)) if line.place else None
    seen = open_ and page.image and place and place.width and place.height
    address = {**here, "text": OPEN}
    return ShownLine(
        number=number,
        text=line.text,
        words=tuple(
            ShownWord(word, doubts.get((number, at)), by)
            for at, (word, by) in enumerate(zip(line.words, line.by, strict=True))
        ),
        corrections=line.corrections,
        place=place,
        picture=line_url(here["document_id"], page.number, place) if seen and place else None,
        correct=url_for("record.show", **address, line=number, _anchor=f"say-{number}"),
        leave=url_for("record.show", **address, _anchor=f"line-{number}"),
        typed=entry.typed if entry and open_ else None,
        next_doubt=next((n for (on, _), n in doubts.items() if on > number), None),
        told=told,
    )
