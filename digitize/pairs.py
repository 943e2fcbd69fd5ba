"""Label-value pairs on a page without a template: pure functions on words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from records.geometry import Box, union
from records.model import Line, Pair, Word

_GAP = 1.6
_LEADER = re.compile(r"[-–—_.=~·•*]{2,}|[|_–—]")
_PARTS = re.compile(r"(?:[-–—_=~]{2,}|\.{3,}|[|_])")
_COLON_INSIDE = re.compile(r"(?<=[^\W\d])[:](?=[^/\\\s])")
_NUMBERED = re.compile(r"^\(?(?:\d{1,2}[a-z]?|[a-zA-Z])[.)]\s*")


@dataclass(frozen=True, slots=True)
class Segment:
    """Words that stand together on one line."""

    words: tuple[Word, ...]
    box: Box
    led: bool = False  # a leader follows

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def letter_height(lines: Iterable[Line]) -> float:
    heights = [
        word.box.height for line in lines for word in line.words if len(_bare(word.text)) >= 2
    ]
    return max(median(heights), 4.0) if heights else 0.0


def _bare(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def segments(lines: Iterable[Line], height: float) -> list[Segment]:
    found: list[Segment] = []
    for line in lines:
        found += _of_line(line, height)
    return _merged(found, height)


def _pieces(word: Word) -> Iterator[Word | None]:
    """Yield the parts of a word between leaders and after an inner colon; None for a leader."""
    if word.box.width <= 0 or word.box.height <= 0 or not word.text.strip():
        return
    text, count, start = word.text, len(word.text), 0
    cuts: list[tuple[int, int]] = [m.span() for m in _PARTS.finditer(text)]
    for m in _COLON_INSIDE.finditer(text):
        if not text.startswith("//", m.end()):
            cuts.append((m.end(), m.end()))
    for begin, end in sorted(cuts) + [(count, count)]:
        if begin < start:
            continue
        piece = text[start:begin]
        if piece:
            yield replace(word, text=piece, box=word.box.letters(start, begin, count))
        if end > begin:
            yield None
        start = end


def _of_line(line: Line, height: float) -> Iterator[Segment]:
    run: list[Word] = []
    led = False

    def close() -> Iterator[Segment]:
        box = union([w.box for w in run])
        if box and any(_bare(w.text) for w in run):
            yield Segment(tuple(run), box, led)
        run.clear()

    for word in line.words:
        for piece in _pieces(word):
            if piece is None:
                led = True
                yield from close()
                led = False
                continue
            if run and piece.text == ":" and _bare(run[-1].text):
                run.append(piece)
                yield from close()
                continue
            if run and (
                piece.box.left - run[-1].box.right > _GAP * height or run[-1].text.endswith(":")
            ):
                yield from close()
            run.append(piece)
    yield from close()


def _core(box: Box, height: float) -> tuple[float, float]:
    half = min(box.height, 1.3 * height) / 2
    middle = (box.top + box.bottom) / 2
    return middle - half, middle + half


def in_row(one: Box, other: Box, height: float) -> bool:
    a, b = _core(one, height), _core(other, height)
    return min(a[1], b[1]) - max(a[0], b[0]) > 0.45 * min(a[1] - a[0], b[1] - b[0])


def _merged(found: list[Segment], height: float) -> list[Segment]:
    """Join fragments of a line that were read as several lines."""
    found = sorted(found, key=lambda s: s.box.left)
    out: list[Segment] = []
    for seg in found:
        for i, before in enumerate(out):
            gap = seg.box.left - before.box.right
            if (
                -0.4 * height <= gap <= 0.9 * height
                and not before.led
                and not before.text.endswith(":")
                and in_row(before.box, seg.box, height)
            ):
                box = union([before.box, seg.box])
                assert box
                out[i] = Segment(before.words + seg.words, box, seg.led)
                break
        else:
            out.append(seg)
    return out


def find_pairs(lines: tuple[Line, ...]) -> tuple[Pair, ...]:
    return ()
