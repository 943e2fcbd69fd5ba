"""Barcodes of a page, and the patch code of a separator sheet; the only module that names zxing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import zxingcpp
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from digitize.orientation import Grey, reduced
from records.geometry import Box

# Bar, space, bar, ... of a Patch T, in widths of its narrow bars.
_PATCH_T = np.array([1.0, 1.0, 2.5, 1.0, 1.0, 1.0, 2.5])
# How far a bar or a space may be off, in parts of itself and in pixels beyond that. White around is
# wider than the wide spaces in barcodes, which measure 2.7, and Kodak asks for 3 to the edge.
_SLACK, _EDGE, _QUIET = 0.2, 1.0, 2.85
# The side, in pixels, to which a page is reduced; stripes across the bars, of so many, are averaged
# so that noise fades, and bars that lean by 5 degrees stay sharp.
_SIDE, _STRIPE = 900, 8
# The whole code measures so much of a page's longer side (0.8 inches; 11 on letter paper).
_LEAST, _MOST = 0.035, 0.25
# How long the bars are at least, in widths of a narrow one; the shortest allowed have 9.
_LENGTH = 6.0
# Fewer shades between ink and paper are no ink.
_CONTRAST = 40
_LEAN = np.tan(np.deg2rad(6))


@dataclass(frozen=True, slots=True)
class Barcode:
    """A barcode that was read: its ``kind``, such as "QR Code", its text, and where it stands."""

    kind: str
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class _Crossing:
    """Where one stripe crosses what may be a patch code: from ``start``, a narrow bar ``unit``."""

    start: float
    unit: float


def read_barcodes(image: Grey) -> tuple[Barcode, ...]:
    """Read all barcodes on a page, ``(h, w) uint8``, whichever way they lie; boxes in its pixels.

    Where none is found they are looked for at half the size too: there a scanner's noise fades.
    """
    return _read(image, 1) or _read(reduced(image, 0.5), 2)


def _read(image: Grey, enlarged: int) -> tuple[Barcode, ...]:
    """Read barcodes; their boxes are for the page ``enlarged`` so many times."""
    read = zxingcpp.read_barcodes(np.ascontiguousarray(image))
    return tuple(Barcode(str(r.format), r.text, _box(r.position, enlarged)) for r in read)


def _box(position: zxingcpp.Position, enlarged: int) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [c.x * enlarged for c in corners], [c.y * enlarged for c in corners]
    return Box(min(across), min(down), max(across) + enlarged, max(down) + enlarged)


def is_patch_t(image: Grey) -> bool:
    """Say whether a page, ``(h, w) uint8``, shows a Patch T, up to 5 degrees askew.

    Four parallel bars, narrow, wide, narrow, wide: 0.08 and 0.20 inches, spaces 0.08, as in
    Kodak's i5000 Series Scanners User's Guide (A-61670, August 2014), page 6-10; its millimetres
    there are those of another patch. On its head it is Kodak's Patch 3, by which people part
    papers too, so either way counts.
    """
    small = reduced(image, min(1.0, _SIDE / max(image.shape)))
    return any(_crosses(across) for across in (small, small.T))


def _crosses(image: Grey) -> bool:
    """Say whether bars that run from left to right make the pattern."""
    height, width = image.shape
    count = width // _STRIPE
    if not count:
        return False
    stripes = image[:, : count * _STRIPE].reshape(height, count, _STRIPE).mean(axis=2)
    dark, light = np.percentile(stripes, (0.2, 80))
    if light - dark < _CONTRAST:
        return False
    ink = stripes < (dark + light) / 2
    # Each way that may yet be a code: the last crossing, the stripe it was in, how many so far.
    open_ways: list[tuple[_Crossing, int, int]] = []
    for stripe in range(count):
        for crossing in _crossings(ink[:, stripe], max(image.shape)):
            before = [n for last, at, n in open_ways if _follows(crossing, last, stripe - at)]
            met = max(before, default=0) + 1
            if met * _STRIPE >= _LENGTH * crossing.unit:
                return True
            open_ways.append((crossing, stripe, met))
        open_ways = [way for way in open_ways if way[1] >= stripe - 1]
    return False


def _follows(crossing: _Crossing, last: _Crossing, stripes: int) -> bool:
    """Say whether two crossings, at most a lost one between them, are of the same bars."""
    if not 0 < stripes <= 2:
        return False
    shift = stripes * _STRIPE * _LEAN + 1
    alike = abs(crossing.unit - last.unit) <= _SLACK * last.unit
    return alike and abs(crossing.start - last.start) <= shift


def _crossings(ink: NDArray[np.bool_], side: int) -> Iterator[_Crossing]:
    """Yield where a stripe of ink and paper reads as the pattern, from either end."""
    edges = np.flatnonzero(np.diff(ink, prepend=False, append=False))
    if len(edges) < 8:
        return
    runs = np.diff(edges)
    windows = sliding_window_view(runs, 7)[::2].astype(np.float64)
    starts = edges[:-7:2]
    # Beyond the edges of the sheet there is no ink.
    white = np.concatenate(([side], runs[1::2], [side]))
    quiet = np.minimum(white[: len(windows)], white[4 : 4 + len(windows)])
    total = windows.sum(axis=1)
    units = total / _PATCH_T.sum()
    fits = (total >= _LEAST * side) & (total <= _MOST * side) & (quiet >= _QUIET * units)
    for wanted in (_PATCH_T, _PATCH_T[::-1]):
        ideal = wanted * units[:, None]
        near = np.all(np.abs(windows - ideal) <= _SLACK * ideal + _EDGE, axis=1)
        for index in np.flatnonzero(fits & near):
            yield _Crossing(float(starts[index]), float(units[index]))
