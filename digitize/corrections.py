"""A page's words once people have corrected its fields: the text that every export gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from digitize.values import TEXT_KINDS, Reading, normalise
from records.geometry import Box, union
from records.model import AuditRow, Field, Line, Page, Word
from records.overlaying import Correction, LaidLine, beside, spread

# What neither XML 1.0 (its production Char) nor a PDF's map to Unicode may hold.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# A word lies in a field's box when this share of it does.
_WITHIN = 0.5


@dataclass(frozen=True, slots=True)
class CorrectedPage:
    """A stored page with its words after corrections."""

    page: Page
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def corrected_lines(
    lines: Sequence[Line], fields: Sequence[Field], page: int, customs: Reading
) -> tuple[Line, ...]:
    """Return the lines of a page with what people said of the fields on it in its place.

    The words in a corrected field's box that the machine took for its value make way for what the
    person said, spread over the place they had; print that reaches into the box stays.
    Where the machine had read the same value, or a person has put the text itself right, the words
    stay: they are how the paper says it.
    Ticks, choices and signatures are no words, and a field whose place is not known has none.
    """
    as_read = frozenset(word for line in lines for word in line.words)
    for field in fields:
        if field.page == page and _says_otherwise(field, customs) and field.box is not None:
            words = [w for line in lines for w in _words_in(line, field.box, as_read)]
            if field.value in _values(field, " ".join(w.text for w in words), customs):
                continue
            said = set(field.raw.split())
            own = frozenset(word for word in as_read if word.text in said)
            there = {w.text for line in lines for w in _words_in(line, field.box, own)}
            whole = bool(said) and said <= there
            lines = _with_value(lines, field.box, field.value.split(), own if whole else as_read)
    written = (_writable(line) for line in lines)
    return tuple(line for line in written if line.words)


def last_said(history: Iterable[AuditRow]) -> dict[str, str]:
    """Return when a person last said what each field of a record is."""
    return {str(row.change["field"]): row.at for row in history if {"field", "to"} <= {*row.change}}


def still_said(
    fields: Iterable[Field], text: Iterable[LaidLine], page: int, said_at: Mapping[str, str]
) -> list[Field]:
    """Return the fields but those in whose place on a page the text was put right after them.

    Of what people say that a place reads the newest counts. A field of which it is not known when
    it was corrected, since it came with pages of another record, makes way.
    """
    corrections = list({c.id: c for line in text for c in line.corrections}.values())
    return [
        field
        for field in fields
        if field.page != page
        or field.box is None
        or not any(
            correction.at >= said_at.get(field.name, "") and _stands_in(correction, field.box)
            for correction in corrections
        )
    ]


def _stands_in(correction: Correction, box: Box) -> bool:
    return any(_lies_in(place, box) for place in correction.places)


def _says_otherwise(field: Field, customs: Reading) -> bool:
    """Say whether a person has said that other words stand in a field than were read."""
    if not field.by_person or field.kind not in TEXT_KINDS:
        return False
    return field.value not in _values(field, field.raw, customs)


def _values(field: Field, text: str, customs: Reading) -> tuple[str, str]:
    """Return what a text is as the value of a field: as it stands, and in the usual form."""
    return text, normalise(field.kind, text, customs).text


def writable(text: str) -> str:
    """Return a text without the characters that neither XML nor PDF may hold."""
    return _UNWRITABLE.sub("", text)


def _writable(line: Line) -> Line:
    """Leave out characters that no format may hold, and words that then are empty."""
    if not any(_UNWRITABLE.search(w.text) or not w.text.strip() for w in line.words):
        return line
    words = (replace(w, text=writable(w.text)) for w in line.words)
    return Line(tuple(w for w in words if w.text.strip()))


def _with_value(
    lines: Sequence[Line], box: Box, value: list[str], as_read: frozenset[Word]
) -> list[Line]:
    """Return the lines with a value in the place of the words that were read in a box.

    What another correction has put there stays, should the boxes of two fields overlap.
    """
    rows = [_words_in(line, box, as_read) for line in lines]
    places = [place for row in rows if (place := union([w.box for w in row])) is not None]
    if not places:
        return _with_line(lines, Line(tuple(spread(value, box)))) if value else list(lines)
    shares = iter(_shared_out(value, places))
    made = []
    for line, row in zip(lines, rows, strict=True):
        if row:
            first = line.words.index(row[0])
            kept = [w for w in line.words if w not in row]
            line = Line((*kept[:first], *next(shares), *kept[first:]))
        made.append(line)
    return made


def _words_in(line: Line, box: Box, as_read: frozenset[Word]) -> list[Word]:
    return [word for word in line.words if word in as_read and _lies_in(word.box, box)]


def _lies_in(place: Box, box: Box) -> bool:
    return place.overlap(box) > _WITHIN * place.width * place.height


def _with_line(lines: Sequence[Line], new: Line) -> list[Line]:
    """Return the lines with what stands in an empty place: in the line beside it, or its own."""
    number, place = beside([[w.box for w in line.words] for line in lines], new.words[0].box)
    if place is None:
        return [*lines[:number], new, *lines[number:]]
    words = lines[number].words
    joined = Line((*words[:place], *new.words, *words[place:]))
    return [*lines[:number], joined, *lines[number + 1 :]]


def _shared_out(value: list[str], places: list[Box]) -> list[list[Word]]:
    """Return the words for each of the lines that a value had, by how long the lines are."""
    made, left = list[list[Word]](), sum(p.width for p in places)
    words = list(value)
    for place in places:
        letters = sum(map(len, words)) * place.width / max(left, 1)
        taken = 0
        while taken < len(words) and (place is places[-1] or letters >= len(words[taken]) / 2):
            letters -= len(words[taken])
            taken += 1
        made.append(spread(words[:taken], place))
        words, left = words[taken:], left - place.width
    return made
