"""Dates that were stamped on a page, any way round: what the words of the page do not tell."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from digitize import values
from digitize.image import Grey, unread_ink, whole
from ocr import ppocr
from ocr.reading import Character
from records.geometry import Box, union
from records.model import Line

# A clock stamp's letters, with the paper as wide as a letter: taken for small, so that the detector
# is shown the page nearly as it is. Measured on the tuned half of real stamps: of 14, 8 were found
# at 0.05 inch, 7 at 0.08, fewer above.
_LETTER_INCHES, _PAGE_INCHES = 0.05, 8.5
# What was read so surely is no stamp, and is taken out before one is looked for.
_SURE = 0.8
# A line of a stamp is so many times wider than high.
_WIDE = 2.2
# A line that reads so surely does not stand on its head.
_UPRIGHT = 0.9
# How sure a date is at most whose month was misread.
_MENDED = 0.7
# A stamp has so many letters so near to one another (share of the page's width), in no word.
_LEAST_LETTERS, _NEAR = 5, 0.05
# How far beyond a line that lacks its year to look for it, in widths of the line.
_WIDER = 0.7


@dataclass(frozen=True, slots=True)
class StampedDate:
    """A date that was found: its text, where its line stands, how surely it was read (0 to 1)."""

    text: str
    box: Box
    probability: float


def stamped_dates(
    page: Grey, area: Box, lines: Sequence[Line], languages: Sequence[str]
) -> tuple[StampedDate, ...]:
    """Return the dates that the second reader finds in an area of a page, the surest first.

    Lines that stand are read both up and down, those that lie on their heads; upright ones are in
    ``lines``, the page's words, already. Raises ReaderError.
    """
    area = area.cut(whole(page))
    if min(area.width, area.height) < 16:
        return ()
    bare = _without_words(page, lines)
    parts = _unread(bare, area)
    letter_height = _LETTER_INCHES * page.shape[1] / _PAGE_INCHES
    for turn in (90, 180):
        found = [
            date for part in parts for date in _dates(bare, part, turn, letter_height, languages)
        ]
        if found:
            return tuple(sorted(found, key=lambda d: -d.probability))
    return ()


def _unread(bare: Grey, area: Box) -> list[Box]:
    """Return the parts of an area with ink that is in no word, if there is enough of it."""
    letters = [letter for letter in unread_ink(bare, ()).letters if area.holds(letter)]
    near = bare.shape[1] * _NEAR
    room = round(near)
    return [box.grown(room, room).cut(area) for box in _crowds(letters, near)]


def _crowds(letters: Sequence[Box], near: float) -> list[Box]:
    """Return where letters stand close to one another, counted in squares of the page."""
    squares: dict[tuple[int, int], list[Box]] = defaultdict(list)
    for letter in letters:
        squares[int(letter.centre[0] / near), int(letter.centre[1] / near)].append(letter)
    crowded = {
        square
        for square in squares
        if sum(len(squares.get(at, ())) for at in _about(square)) >= _LEAST_LETTERS
    }
    crowds = []
    while crowded:
        reached, crowd = [crowded.pop()], []
        while reached:
            square = reached.pop()
            crowd += squares[square]
            next_to = crowded.intersection(_about(square))
            crowded -= next_to
            reached += next_to
        box = union(crowd)
        if box and len(crowd) >= _LEAST_LETTERS:
            crowds.append(box)
    return sorted(crowds)


def _about(square: tuple[int, int]) -> list[tuple[int, int]]:
    """Return a square and the eight next to it."""
    x, y = square
    return [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]


def _without_words(page: Grey, lines: Sequence[Line]) -> Grey:
    bare = page.copy()
    for line in lines:
        for word in line.words:
            if word.confidence >= _SURE and sum(c.isalnum() for c in word.text) > 2:
                box = word.box
                bare[box.top : box.bottom, box.left : box.right] = 255
    return bare


def _dates(
    page: Grey, part: Box, turn: int, letter_height: float, languages: Sequence[str]
) -> Iterator[StampedDate]:
    """Give the dates on lines that lie once a part of a page is turned (degrees, leftwards)."""
    crop = page[part.top : part.bottom, part.left : part.right]
    turned = np.ascontiguousarray(np.rot90(crop, turn // 90))
    for line in ppocr.find_lines(turned, letter_height):
        if line.width < _WIDE * line.height:
            continue
        read = _read(turned, line, turn == 90, languages)
        date = _date(read)
        if date is None and _has_month(read):
            date = _date(_read(turned, _grown(line, turned), turn == 90, languages))
        if date:
            box = _turned_back(line, turn, crop).moved(part.left, part.top)
            yield StampedDate(date[0], box, date[1])


def _read(page: Grey, line: Box, either: bool, languages: Sequence[str]) -> tuple[Character, ...]:
    """Read a line, with ``either`` also as it stands on its head, unless it reads surely as is."""
    read = ppocr.read_line(page, line, languages)
    if not either or _sureness(read) >= _UPRIGHT:
        return read
    crop = np.ascontiguousarray(page[line.top : line.bottom, line.left : line.right][::-1, ::-1])
    turned = ppocr.read_line(crop, Box(0, 0, line.width, line.height), languages)
    return max(read, turned, key=_sureness)


def _sureness(read: Sequence[Character]) -> float:
    return statistics.fmean(c.confidence for c in read) if read else 0.0


def _date(read: Sequence[Character]) -> tuple[str, float] | None:
    """Return the date in a line that was read, and how surely its characters were."""
    text = "".join(c.text for c in read)
    for mended in (text, values.months_mended(text)):
        for match in values.dates_in(mended):
            sure = math.prod(c.confidence for c in read[match.start() : match.end()])
            return match[0], sure if mended == text else min(sure, _MENDED)
    return None


def _has_month(read: Sequence[Character]) -> bool:
    text = values.months_mended("".join(c.text for c in read)).upper()
    return any(month in text for month in values.MONTHS)


def _grown(line: Box, page: Grey) -> Box:
    return line.grown(round(line.width * _WIDER), line.height // 4).cut(whole(page))


def _turned_back(box: Box, turn: int, part: Grey) -> Box:
    """Return where a box of the turned part lies in the part itself."""
    height, width = part.shape
    if turn == 180:
        return Box(width - box.right, height - box.bottom, width - box.left, height - box.top)
    return Box(width - box.bottom, box.left, width - box.top, box.right)
