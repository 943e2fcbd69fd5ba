"""The second reader's part: it looks again at what is doubtful on a page that was read once."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from digitize import image
from digitize.scan import ReadPage
from ocr import joining, ppocr, tesseract
from ocr.calibration import Tables
from ocr.joining import SecondLine
from ocr.lookalikes import told_apart
from ocr.reading import Character, ReaderError, ReadFailure, Reading
from records.geometry import Box, union
from records.model import Line, Word
from records.settings import ReadSettings

# Where more than the first share of a page's letters is in doubt, or unread, its lines are sought
# afresh. Words of the first score are taken on trust there; of the second, where the share is above
# the second; of the third, where letters had to be enlarged, which Tesseract scores lower. Forms
# that were typed and scanned well hold 0.04 to 0.10 of such letters, noisy forms and receipts 0.1
# to 0.4.
_SURE, _SURE_ON_BAD_PAGE, _SURE_OF_SMALL = 0.85, 0.93, 0.91
_FAILED, _BAD = 0.12, 0.25
# Doubtful words closer than this many times their height are looked at together.
_NEAR = 1.5
# Lines are sought in stretches of a page that are so many times its letters' height apart, and from
# so far around what is in doubt: of that, the surely read rest of a page costs nothing.
_APART, _ROUND = 6.0, 2.0
# A line found nearer to the edge of such a stretch, in heights of letters, may be a piece of one.
_AT_EDGE = 0.5
# Smaller parts of a page hold no writing. Letters are this share of the height of words' boxes.
_LEAST_SIDE, _LETTERS = 12, 0.75
# How far around a word the second reader looks, in heights of the word.
_AROUND = 0.2
# What is lower than this many times the page's letters is a dot or a piece of a rule. Brought to
# the height of a line, a rule of 800 pixels costs as much as five lines of text.
_LOW = 0.5


@dataclass(frozen=True, slots=True)
class _Place:
    """A line to look at on the straight page; ``upwards``: it runs from the bottom to the top."""

    box: Box
    upwards: bool


def look_again(
    read: ReadPage, settings: ReadSettings, known: frozenset[str] = frozenset(),
    tables: Tables | None = None,
) -> Reading | ReadFailure:  # fmt: skip
    """Let the second reader look at a page as the mode says; return both readings joined.

    ``known`` and ``tables`` are those of ``joining.join``; known words are also left as they are.
    """
    reading, reader = read.reading, read.reading.reader
    if read.page.blank or not second_languages(settings):
        lines = joining.calibrated(reading.lines, tables)
    else:
        try:
            second = second_reading(read, settings)
        except ReaderError as error:
            return ReadFailure(error.kind, str(error))
        lines = joining.join(reading.lines, second, known, tables)
        reader = f"{reader}, {ppocr.version()}"
    lines = told_apart(lines, lambda: tesseract.dictionary(tuple(settings.languages)), known)
    return replace(reading, lines=lines, reader=reader)


def second_languages(settings: ReadSettings) -> tuple[str, ...]:
    """Return the languages for the second reader; none where the mode or they leave it out."""
    wanted = settings.mode != "tesseract" and ppocr.knows(settings.languages)
    return tuple(settings.languages) if wanted else ()


def lines_in(
    page: image.Grey, area: Box, printed: Collection[Word], lines: Sequence[Line],
    languages: Sequence[str],
) -> tuple[Line, ...]:  # fmt: skip
    """Let the second reader alone read a part of a cleaned page, without what is ``printed`` there.

    ``lines`` are the page's, for the height of its letters. Raises ReaderError.
    """
    part, area = image.cut_out(page, area, [word.box for word in printed])
    if min(part.shape) < _LEAST_SIDE:
        return ()
    heights = [word.box.height for line in lines for word in line.words]
    letters = statistics.median(heights) * _LETTERS if heights else 0.0
    read = [
        SecondLine(
            box.moved(area.left, area.top),
            tuple(
                replace(c, box=c.box.moved(area.left, area.top))
                for c in ppocr.read_line(part, box, languages)
            ),
        )
        for box in ppocr.find_lines(part, letters)
    ]
    return joining.join((), read)


def second_reading(read: ReadPage, settings: ReadSettings) -> tuple[SecondLine, ...]:
    """Read the places that need it; the lines lie in the cleaned page, as the first reader's do."""
    scale = read.page.geometry.scale
    first = _scaled(read.reading.lines, 1 / scale)
    places = _all_lines(read) if settings.mode == "best" else _doubtful_places(read, first)
    return tuple(
        _in_cleaned(
            place.box,
            ppocr.read_line(read.page.straight, place.box, settings.languages, place.upwards),
            scale,
        )
        for place in places
    )


def _all_lines(read: ReadPage) -> tuple[_Place, ...]:
    return _lines_between(read, 0, read.page.straight.shape[0])


def _lines_between(read: ReadPage, top: int, bottom: int) -> tuple[_Place, ...]:
    """Let the second reader find the lines between two heights of the straight page.

    Without those that an edge may have cut off: what is in doubt lies further inside.
    """
    page = read.page.straight
    lines = ppocr.find_lines(page[top:bottom], read.page.letter_height)
    moved = (Box(b.left, b.top + top, b.right, b.bottom + top) for b in lines)
    near = read.page.letter_height * _AT_EDGE
    first = top + near if top > 0 else 0
    last = bottom - near if bottom < page.shape[0] else bottom
    whole = (line for line in moved if first <= line.top and line.bottom <= last)
    return tuple(_Place(line, ppocr.runs_upwards(line)) for line in whole)


def _bands(boxes: Sequence[Box], page: image.Grey, letter_height: float) -> list[tuple[int, int]]:
    """Return the top and bottom of each stretch of a page that holds any of some boxes.

    They lie _APART or more from one another, and begin and end _ROUND beyond the boxes, of large
    letters further. It is the whole page where nobody knows how high its letters are (0).
    """
    if letter_height <= 0:
        return [(0, page.shape[0])]
    apart = _APART * letter_height
    found: list[tuple[int, int]] = []
    for box in sorted(boxes, key=lambda b: b.top):
        room = round(max(_ROUND * letter_height, box.height))
        top, bottom = max(0, box.top - room), min(page.shape[0], box.bottom + room)
        if found and top - found[-1][1] < apart:
            found[-1] = (found[-1][0], max(found[-1][1], bottom))
        else:
            found.append((top, bottom))
    return found


def _doubtful_places(read: ReadPage, first: Sequence[Line]) -> tuple[_Place, ...]:
    """Return where to look again on the straight page: at lines, where much is in doubt."""
    page, letter_height = read.page.straight, read.page.letter_height
    words = [word for line in first for word in line.words]
    sure = [word for word in words if word.confidence >= joining.DOUBTFUL]
    unread = image.unread_ink(page, [word.box for word in words])
    settled = sum(len(word.text) for word in sure)
    doubtful = sum(len(word.text) for word in words) - settled + len(unread.letters)
    share = doubtful / max(settled + doubtful, 1)
    is_small = read.page.geometry.scale > 1.0
    is_bad = share > _BAD or is_small
    if share <= _FAILED and not is_bad:
        boxes = (*_runs(first), *unread.lines)
        low = _LOW * letter_height
        return tuple(_Place(box, False) for box in boxes if box.height >= low)
    least = _SURE_OF_SMALL if is_small else _SURE_ON_BAD_PAGE if is_bad else _SURE
    in_doubt = [word.box for word in words if word.confidence < least]
    in_doubt += unread.letters if is_bad else unread.lines
    lines = [
        line
        for top, bottom in _bands(in_doubt, page, letter_height)
        for line in _lines_between(read, top, bottom)
    ]
    homes = joining.words_in([line.box for line in lines], first)
    parts = [
        (joining.doubtful_part(line.box, home, least), line.upwards)
        for line, home in zip(lines, homes, strict=True)
    ]
    return tuple(_Place(box, upwards) for box, upwards in parts if box is not None)


def _runs(lines: Sequence[Line]) -> list[Box]:
    """Return the boxes of neighbouring doubtful words, with a little room around."""
    boxes = []
    for line in lines:
        run: list[Word] = []
        for word in (*line.words, None):
            doubtful = word is not None and joining.is_doubtful(word)
            if run and (word is None or not doubtful or _is_far(run[-1].box, word.box)):
                box = union([w.box for w in run])
                boxes.append(_grown(box)) if box else None
                run = []
            if word is not None and doubtful:
                run.append(word)
    return boxes


def _is_far(box: Box, other: Box) -> bool:
    return other.left - box.right > _NEAR * box.height


def _grown(box: Box) -> Box:
    by = round(box.height * _AROUND) + 1
    return Box(max(0, box.left - by), max(0, box.top - by), box.right + by, box.bottom + by)


def _scaled(lines: Sequence[Line], by: float) -> tuple[Line, ...]:
    if by == 1.0:
        return tuple(lines)
    return tuple(
        Line(tuple(replace(word, box=_times(word.box, by)) for word in line.words))
        for line in lines
    )


def _times(box: Box, by: float) -> Box:
    return Box(*(round(edge * by) for edge in box))


def _in_cleaned(box: Box, characters: tuple[Character, ...], scale: float) -> SecondLine:
    """Bring a line from the straight page's pixels to the cleaned page's."""
    moved = tuple(replace(c, box=_times(c.box, scale)) for c in characters)
    return SecondLine(_times(box, scale), moved)
