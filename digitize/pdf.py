"""What a PDF is made of, by pikepdf: its pages, and whether each is a scan or born digital."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf

from records.errors import InputError

# A page is one full-page scan when a single picture covers this share of it.
_FULL_PAGE = 0.9
# Text over a picture that covers more than this is a stamp on a scan, not a born-digital page.
_PICTURE_PAGE = 0.5
_BORN_DIGITAL_CHARACTERS = 12
_PAINTING = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "INLINE IMAGE"})
_SHOWING = frozenset({"Tj", "TJ", "'", '"'})
_INVISIBLE = 3
_DEEPEST = 8  # form XObjects within form XObjects
_LINKS = frozenset({"/Link", "/Popup"})
_UNSEEN = 2 | 32  # an annotation's flags Hidden and NoView (ISO 32000-1, 12.5.3)
_PLAIN_DECODES = ([0, 1], [0, 1, 0, 1, 0, 1])

Matrix = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its size in points as a viewer shows it, its /Rotate, and what is drawn on it.

    ``scan`` is the resource name of the picture that is the whole page, ``pixels`` its (w, h);
    ``visible`` and ``hidden`` count the characters shown and those in an invisible layer.
    """

    size_points: tuple[float, float]
    rotate: int
    scan: str | None
    pixels: tuple[int, int]
    visible: int
    hidden: int
    pictures: int

    @property
    def born_digital(self) -> bool:
        """Whether the page carries text of its own and is not drawn over a scan."""
        return self.visible >= _BORN_DIGITAL_CHARACTERS and self.pictures == 0


@contextmanager
def _opened(path: Path) -> Iterator[pikepdf.Pdf]:
    try:
        with pikepdf.open(path) as pdf:
            yield pdf
    except pikepdf.PasswordError:
        raise InputError("is locked with a password; save it without one") from None
    except pikepdf.PdfError:
        raise InputError("is a damaged PDF; scan it again or save it afresh") from None


def count_pages(path: Path) -> int:
    """Return how many pages a PDF has; raises InputError when it is locked, damaged or empty."""
    with _opened(path) as pdf:
        count = len(pdf.pages)
    if count == 0:
        raise InputError("is a PDF without pages; scan it again")
    return count


def look_at(path: Path, number: int) -> PdfPage:
    """Say what is drawn on one page (from 1); raises InputError when it cannot be known."""
    with _opened(path) as pdf:
        try:
            return _look(pdf.pages[number - 1])
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError):
            raise InputError(f"has a damaged page {number}; save the PDF afresh") from None


def scan_bytes(path: Path, number: int, name: str) -> bytes | None:
    """Return the picture that is a whole page, bit for bit as the scanner made it.

    The result is a JPEG, TIFF or PNG file's bytes; None when the PDF masks or recolours the
    picture, or its coding needs a program of its own, and the page must be drawn instead.
    """
    with _opened(path) as pdf:
        raw = pdf.pages[number - 1].resources["/XObject"][name]
        if not isinstance(raw, pikepdf.Stream) or _is_altered(raw):
            return None
        out = io.BytesIO()
        try:
            pikepdf.PdfImage(raw).extract_to(stream=out)
        except (pikepdf.PikepdfError, NotImplementedError, ValueError, TypeError, KeyError):
            return None  # among them DependencyError: JBIG2 without jbig2dec
        except OSError:
            return None
        return out.getvalue()


def _is_altered(picture: pikepdf.Stream) -> bool:
    """Say whether the PDF shows a picture otherwise than its own pixels say."""
    decode = [float(v) for v in picture.get("/Decode", [0, 1])]
    masked = any(key in picture for key in ("/SMask", "/Mask")) or bool(picture.get("/ImageMask"))
    return masked or decode not in _PLAIN_DECODES


def _look(page: pikepdf.Page) -> PdfPage:
    width, height = _shown_size(page)
    rotate = int(page.obj.get("/Rotate", 0)) % 360
    drawn = _Drawn(page)
    drawn.run()
    drawn.painted_over = drawn.painted_over or any(
        _is_shown(note) for note in page.obj.get("/Annots", [])
    )
    scan, pixels = None, (0, 0)
    if len(drawn.pictures) == 1 and not drawn.visible and not drawn.painted_over:
        name, ctm = drawn.pictures[0]
        upright = ctm[1] == 0 == ctm[2] and ctm[0] > 0 and ctm[3] > 0
        if upright and ctm[0] * ctm[3] >= _FULL_PAGE * width * height:
            picture = page.resources["/XObject"][name]
            scan, pixels = name, (int(picture["/Width"]), int(picture["/Height"]))
    size = (width, height) if rotate in (0, 180) else (height, width)
    areas = [abs(m[0] * m[3] - m[1] * m[2]) for _, m in drawn.pictures]
    covering = sum(area > width * height * _PICTURE_PAGE for area in areas)
    return PdfPage(size, rotate, scan, pixels, drawn.visible, drawn.hidden, covering)


def _shown_size(page: pikepdf.Page) -> tuple[float, float]:
    """Return the (w, h) in points of what a viewer shows: the crop box within the media box."""
    crop, media = ([float(v) for v in box] for box in (page.cropbox, page.mediabox))
    sides = []
    for low, high in ((0, 2), (1, 3)):
        first = max(min(crop[low], crop[high]), min(media[low], media[high]))
        last = min(max(crop[low], crop[high]), max(media[low], media[high]))
        sides.append(max(0.0, last - first))
    return sides[0], sides[1]


def _is_shown(note: pikepdf.Object) -> bool:
    """Say whether an annotation (a stamp, a note, a form's answer) is drawn over its page."""
    unseen = int(note.get("/F", 0)) & _UNSEEN
    return "/AP" in note and str(note.get("/Subtype")) not in _LINKS and not unseen


class _Drawn:
    """Walks a content stream, keeping only what tells a scan from a born-digital page."""

    def __init__(self, page: pikepdf.Page) -> None:
        self.page = page
        self.pictures: list[tuple[str, tuple[float, ...]]] = []
        self.visible = 0
        self.hidden = 0
        self.painted_over = False

    def run(self) -> None:
        self._walk(self.page, self.page.resources, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0)

    def _walk(
        self, content: pikepdf.Page | pikepdf.Object, resources: pikepdf.Object, matrix: Matrix,
        depth: int,
    ) -> None:  # fmt: skip
        xobjects = resources.get("/XObject", pikepdf.Dictionary())
        mode, stack = 0, list[tuple[Matrix, int]]()
        for step in pikepdf.parse_content_stream(content):
            op, operands = str(step.operator), step.operands
            if op == "q":
                stack.append((matrix, mode))
            elif op == "Q" and stack:
                matrix, mode = stack.pop()
            elif op == "cm":
                matrix = _times(tuple(float(v) for v in operands), matrix)
            elif op == "Tr":
                mode = int(operands[0])
            elif op in _SHOWING:
                shown = _characters(operands)
                self.hidden += shown if mode == _INVISIBLE else 0
                self.visible += shown if mode != _INVISIBLE else 0
            elif op == "Do":
                self._place(str(operands[0]), xobjects, resources, matrix, depth)
            elif op in _PAINTING:
                self.painted_over = self.painted_over or bool(self.pictures)

    def _place(
        self, name: str, xobjects: pikepdf.Object, resources: pikepdf.Object, matrix: Matrix,
        depth: int,
    ) -> None:  # fmt: skip
        """Note a picture; what is inside a form XObject counts as the page's own."""
        placed = xobjects.get(name)
        if placed is None:
            return
        kind = str(placed.get("/Subtype", ""))
        if kind == "/Image":
            self.pictures.append((name, matrix))
        elif kind == "/Form" and depth < _DEEPEST:
            self.painted_over = True
            own = tuple(float(v) for v in placed.get("/Matrix", (1, 0, 0, 1, 0, 0)))
            self._walk(placed, placed.get("/Resources", resources), _times(own, matrix), depth + 1)


def _times(a: Matrix, b: Matrix) -> Matrix:
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def _characters(operands: object) -> int:
    """Count the bytes of the strings that a text operator shows."""
    total = 0
    for operand in operands:  # type: ignore[attr-defined]
        if isinstance(operand, pikepdf.Array):
            total += sum(len(bytes(o)) for o in operand if isinstance(o, pikepdf.String))
        elif isinstance(operand, pikepdf.String):
            total += len(bytes(operand))
    return total
