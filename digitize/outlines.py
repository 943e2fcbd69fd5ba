"""Printed outlines on a page that nothing is known of: tick boxes, and rules to write on."""

from __future__ import annotations

import cv2
import numpy as np

from digitize.image import Grey
from records.geometry import Box

# Paper is taken for so wide; a tick box's sides for no smaller and no larger (inches).
_PAGE_INCHES, _LEAST_SIDE, _MOST_SIDE = 8.5, 0.06, 0.3
# One side of a tick box is at most so many times the other.
_SQUARE = 1.3
# So much of each side is drawn; so much of the inside is ink at most, of a box that is ticked.
_DRAWN, _MOST_INSIDE = 0.9, 0.5
# A rule is so long at least (inches), and so many times longer than high.
_RULE_INCHES, _SLENDER = 1.0, 20
_INK = 150


def squares(image: Grey) -> tuple[Box, ...]:
    """Return the squares on a straight page, ``(h, w) uint8``, whose four sides are drawn.

    What is ticked counts as long as the tick keeps within the square; what is blacked out does not.
    """
    ink = _ink(image)
    inch = image.shape[1] / _PAGE_INCHES
    least, most = _LEAST_SIDE * inch, _MOST_SIDE * inch
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    found = []
    for label, (x, y, w, h, _) in enumerate(stats[1:].tolist(), 1):
        if not (least <= min(w, h) and max(w, h) <= min(most, _SQUARE * min(w, h))):
            continue
        if _is_outline((labels[y : y + h, x : x + w] == label).astype(np.uint8)):
            found.append(Box(x, y, x + w, y + h))
    return tuple(sorted(found, key=lambda box: (box.top, box.left)))


def rules(image: Grey) -> tuple[Box, ...]:
    """Return the long rules that lie across a straight page, ``(h, w) uint8``, top to bottom."""
    ink = _ink(image)
    length = round(_RULE_INCHES * image.shape[1] / _PAGE_INCHES)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 5), np.uint8))
    opened = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, max(length, 1)), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    found = [Box(x, y, x + w, y + h) for x, y, w, h, _ in stats[1:].tolist() if w >= _SLENDER * h]
    return tuple(sorted(found, key=lambda box: (box.top, box.left)))


def _ink(image: Grey) -> Grey:
    return (image < _INK).astype(np.uint8)


def _is_outline(part: Grey) -> bool:
    """Say whether a piece of ink has four drawn sides and is hollow within them."""
    height, width = part.shape
    edge = max(2, round(min(part.shape) * 0.2))
    sides = (
        part[:edge].any(axis=0), part[-edge:].any(axis=0),
        part[:, :edge].any(axis=1), part[:, -edge:].any(axis=1),
    )  # fmt: skip
    if min(float(side.mean()) for side in sides) < _DRAWN:
        return False
    corners = (part[:edge, :edge], part[:edge, -edge:], part[-edge:, :edge], part[-edge:, -edge:])
    if not all(corner.any() for corner in corners):
        return False
    inside = part[edge : height - edge, edge : width - edge]
    return inside.size > 0 and float(inside.mean()) <= _MOST_INSIDE
