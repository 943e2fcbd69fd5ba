"""What is drawn over a page image: pure functions from boxes to marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from records.geometry import Box
from records.model import Field, FieldStatus, Page

AIR = 200  # a frame stands off the ink by the page's width divided by this
_DOUBTFUL = (FieldStatus.MISSING, FieldStatus.UNSURE, FieldStatus.INVALID)


@dataclass(frozen=True, slots=True)
class Mark:
    """A frame on a page, in its pixels; ``field`` is the field that a click on it leads to."""

    kind: str  # hit, field, doubt or chosen
    box: Box
    title: str
    field: str | None


def marks(
    fields: Iterable[Field], page: Page, hits: Sequence[Box], chosen: str | None
) -> list[Mark]:
    """Return the marks of one page, those that matter most last, so that they lie on top."""
    air = page.width // AIR
    made = [Mark("hit", _grown(box, air // 2), "Found here", None) for box in hits]
    here = [f for f in fields if f.box is not None and f.page == page.number]
    for field in sorted(here, key=lambda f: (f.name == chosen, f.status in _DOUBTFUL)):
        if field.box is None:
            continue
        kind = "doubt" if field.status in _DOUBTFUL else "field"
        kind = "chosen" if field.name == chosen else kind
        made.append(Mark(kind, _grown(field.box, air), f"{field.label}: {field.value}", field.name))
    return made


def _grown(box: Box, by: int) -> Box:
    return Box(max(0, box.left - by), max(0, box.top - by), box.right + by, box.bottom + by)
