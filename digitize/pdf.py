"""What a PDF is made of, by pikepdf: its pages, and whether each is a scan or born digital."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pikepdf

from records.errors import InputError

# A page is one full-page scan when a single picture covers this share of it.
_FULL_PAGE = 0.9
# ... and when this share of the picture is on the page: the rest is a margin that rounding cut.
_FULL_PICTURE = 0.97
# Text over pictures that cover more than this is a stamp on a scan, not a born-digital page.
_PICTURE_PAGE = 0.5
_BORN_DIGITAL_CHARACTERS = 12
_PAINTING = frozenset({"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "INLINE IMAGE"})
_SHOWING = frozenset({"Tj", "TJ", "'", '"'})
_INVISIBLE = 3
_DEEPEST = 8  # form XObjects within form XObjects
_LINKS = frozenset({"/Link", "/Popup"})
_UNSEEN = 2 | 32  # an annotation's flags Hidden and NoView (ISO 32000-1, 12.5.3)
_PLAIN_DECODES = ([0, 1], [0, 1, 0, 1, 0, 1])
_PATH = frozenset({"m", "l", "c", "v", "y", "re"})
_PATH_ENDS = frozenset({"n", "f", "F", "f*", "B", "B*", "b", "b*", "S", "s"})
_CLIPPING_TEXT = 4  # this text rendering mode and those above it add letters to the clip
_COMPONENTS = {
    "/DeviceGray": 1, "/G": 1, "/CalGray": 1, "/Indexed": 1, "/I": 1, "/Separation": 1,
    "/DeviceRGB": 3, "/RGB": 3, "/CalRGB": 3, "/Lab": 3, "/DeviceCMYK": 4, "/CMYK": 4,
}  # fmt: skip
_UNPACKED = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode"})
_WHOLE_PICTURE = 0.99  # some programs leave out the last bytes of a picture
_LARGEST_CHECKED = 1 << 28

Matrix = tuple[float, ...]
Rectangle = tuple[float, float, float, float]  # left, low, right, high, in a page's own units


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its size in points as a viewer shows it, its /Rotate, and what is drawn on it.

    ``scan`` is the resource name of the picture that is the whole page, ``pixels`` its (w, h);
    ``visible`` and ``hidden`` count the characters shown and those in an invisible layer;
    ``pictured`` is the share of the page that pictures cover, ``objects`` are the pictures' own
    numbers in the file, and ``unit`` is how many points one of the page's own units has.
    """

    size_points: tuple[float, float]
    rotate: int
    scan: str | None
    pixels: tuple[int, int]
    visible: int
    hidden: int
    pictured: float
    objects: tuple[tuple[int, int], ...]
    unit: float

    @property
    def born_digital(self) -> bool:
        """Whether the page carries text of its own and is not drawn over a scan."""
        return self.visible >= _BORN_DIGITAL_CHARACTERS and self.pictured <= _PICTURE_PAGE


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
        return _extracted(raw)


def lacks_pixels(path: Path, page: PdfPage) -> bool:
    """Say whether a picture on a page ends early: Poppler draws the rest white and says nothing."""
    with _opened(path) as pdf:
        return any(_ends_early(pdf.get_object(number)) for number in page.objects)


def _extracted(picture: pikepdf.Stream) -> bytes | None:
    out = io.BytesIO()
    try:
        pikepdf.PdfImage(picture).extract_to(stream=out)
    except (pikepdf.PikepdfError, NotImplementedError, ValueError, TypeError, KeyError):
        return None  # among them DependencyError: JBIG2 without jbig2dec
    except OSError:
        return None
    return out.getvalue()


def _ends_early(picture: pikepdf.Object) -> bool:
    """Say whether a picture's data is too short; what cannot be known of it counts as whole."""
    if not isinstance(picture, pikepdf.Stream):
        return False
    named = picture.get("/Filter", pikepdf.Array())
    filters = [str(f) for f in (named if isinstance(named, pikepdf.Array) else [named])]
    if filters[-1:] == ["/DCTDecode"]:
        jpeg = _extracted(picture)
        # In a JPEG's pixels these two bytes stand only for its end, and the others for a start.
        return jpeg is not None and jpeg.rfind(b"\xff\xd9") < jpeg.rfind(b"\xff\xda")
    if not _UNPACKED.issuperset(filters):
        return False
    try:
        bits = 1 if picture.get("/ImageMask") else int(picture["/BitsPerComponent"])
        row = -(-int(picture["/Width"]) * bits * _components(picture) // 8)
        expected = row * int(picture["/Height"])
        if expected > _LARGEST_CHECKED:
            return False
        return len(picture.read_bytes()) < _WHOLE_PICTURE * expected
    except pikepdf.PdfError:
        return True
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return False


def _components(picture: pikepdf.Object) -> int:
    """Return how many numbers a pixel has, 0 when the colours are named elsewhere."""
    space = picture.get("/ColorSpace")
    if picture.get("/ImageMask") or space is None:
        return 1
    if not isinstance(space, pikepdf.Array):
        return _COMPONENTS.get(str(space), 0)
    kind = str(space[0])
    if kind == "/ICCBased":
        return int(space[1]["/N"])
    return len(space[1]) if kind == "/DeviceN" else _COMPONENTS.get(kind, 0)


def _is_altered(picture: pikepdf.Stream) -> bool:
    """Say whether the PDF shows a picture otherwise than its own pixels say."""
    decode = [float(v) for v in picture.get("/Decode", [0, 1])]
    masked = any(key in picture for key in ("/SMask", "/Mask")) or bool(picture.get("/ImageMask"))
    return masked or decode not in _PLAIN_DECODES


def _look(page: pikepdf.Page) -> PdfPage:
    shown = _shown_box(page)
    area, rotate, unit = _area(shown), _rotation(page), _unit(page)
    drawn = _Drawn(page, shown)
    drawn.run()
    drawn.painted_over = drawn.painted_over or any(
        _is_shown(note) for note in page.obj.get("/Annots", [])
    )
    scan, pixels = None, (0, 0)
    if len(drawn.pictures) == 1 and not drawn.visible and not drawn.painted_over:
        only = drawn.pictures[0]
        if only.name and only.is_all_of(area):
            picture = page.resources["/XObject"][only.name]
            scan, pixels = only.name, (int(picture["/Width"]), int(picture["/Height"]))
    width, height = (shown[2] - shown[0]) * unit, (shown[3] - shown[1]) * unit
    size = (width, height) if rotate in (0, 180) else (height, width)
    pictured = sum(p.area for p in drawn.pictures) / area if area else 0.0
    objects = tuple(sorted({p.number for p in drawn.pictures if p.number[0]}))
    return PdfPage(
        size, rotate, scan, pixels, drawn.visible, drawn.hidden, pictured, objects, unit
    )  # fmt: skip


def _rotation(page: pikepdf.Page) -> int:
    """Return a page's clockwise turn; one that is no whole quarter is none, as for Poppler."""
    turn = page.obj.get("/Rotate", 0)
    return turn % 360 if isinstance(turn, int) and turn % 90 == 0 else 0


def _unit(page: pikepdf.Page) -> float:
    """Return how many points a page's unit has: large plans make it more than one."""
    try:
        unit = float(page.obj.get("/UserUnit", 1))
    except (ValueError, TypeError):
        return 1.0
    return unit if math.isfinite(unit) and unit > 0 else 1.0


def _shown_box(page: pikepdf.Page) -> Rectangle:
    """Return what a viewer shows of a page: the crop box within the media box."""
    crop, media = ([float(v) for v in box] for box in (page.cropbox, page.mediabox))
    return _meet(_around([crop[:2], crop[2:4]]), _around([media[:2], media[2:4]]))


def _around(points: Iterable[Iterable[float]]) -> Rectangle:
    """Return the rectangle around some points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _meet(a: Rectangle, b: Rectangle) -> Rectangle:
    """Return what two rectangles have in common, empty when they lie apart."""
    left, low = max(a[0], b[0]), max(a[1], b[1])
    return left, low, max(left, min(a[2], b[2])), max(low, min(a[3], b[3]))


def _area(box: Rectangle) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _is_shown(note: pikepdf.Object) -> bool:
    """Say whether an annotation (a stamp, a note, a form's answer) is drawn over its page."""
    unseen = int(note.get("/F", 0)) & _UNSEEN
    return "/AP" in note and str(note.get("/Subtype")) not in _LINKS and not unseen


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on a page: ``area`` is what is seen of it, ``whole`` that no odd shape clips it.

    ``name`` is None when it stands in the content stream itself; then ``number`` is (0, 0).
    """

    name: str | None
    matrix: Matrix
    area: float
    whole: bool
    number: tuple[int, int]

    def is_all_of(self, page: float) -> bool:
        """Say whether it is seen upright and whole, and covers a page of this area."""
        a, b, c, d = self.matrix[:4]
        upright = b == 0 == c and a > 0 and d > 0
        seen = self.area >= _FULL_PAGE * page and self.area >= _FULL_PICTURE * a * d
        return upright and self.whole and seen


@dataclass(frozen=True, slots=True)
class _State:
    """The part of the graphics state that q saves and that tells where a picture is seen."""

    matrix: Matrix
    clip: Rectangle
    plain: bool = True  # the clip is that rectangle, and no shape within it
    mode: int = 0

    def clipped(self, path: list[tuple[str, list[float]]]) -> _State:
        """Return the state after a path became part of the clip."""
        points = [point for op, numbers in path for point in _corners(op, numbers)]
        if not points:
            return replace(self, plain=False)
        placed = (_times((1, 0, 0, 1, x, y), self.matrix)[4:] for x, y in points)
        a, b, c, d = self.matrix[:4]
        plain = len(path) == 1 and path[0][0] == "re" and (b == 0 == c or a == 0 == d)
        return replace(
            self, clip=_meet(self.clip, _around(placed)), plain=self.plain and plain
        )  # fmt: skip

    def picture(self, name: str | None, number: tuple[int, int]) -> _Picture:
        """Return the picture that is drawn in this state: its matrix places the unit square."""
        corners = (_times((1, 0, 0, 1, x, y), self.matrix)[4:] for x in (0, 1) for y in (0, 1))
        a, b, c, d = self.matrix[:4]
        seen = min(abs(a * d - b * c), _area(_meet(self.clip, _around(corners))))
        return _Picture(name, self.matrix, seen, self.plain, number)


def _corners(op: str, numbers: list[float]) -> list[tuple[float, float]]:
    """Return the points between which a step of a path lies."""
    if op == "re" and len(numbers) == 4:
        x, y, width, height = numbers
        return [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


class _Drawn:
    """Walks a content stream, keeping only what tells a scan from a born-digital page."""

    def __init__(self, page: pikepdf.Page, shown: Rectangle) -> None:
        self.page = page
        self.shown = shown
        self.pictures: list[_Picture] = []
        self.visible = 0
        self.hidden = 0
        self.painted_over = False

    def run(self) -> None:
        start = _State((1.0, 0.0, 0.0, 1.0, 0.0, 0.0), self.shown)
        self._walk(self.page, self.page.resources, start, 0)

    def _walk(
        self, content: pikepdf.Page | pikepdf.Object, resources: pikepdf.Object, state: _State,
        depth: int,
    ) -> None:  # fmt: skip
        stack = list[_State]()
        path, clips = list[Any](), False
        for step in pikepdf.parse_content_stream(content):
            op, operands = str(step.operator), step.operands
            if op == "q":
                stack.append(state)
            elif op == "Q" and stack:
                state = stack.pop()
            elif op == "cm":
                matrix = _times(tuple(float(v) for v in operands), state.matrix)
                state = replace(state, matrix=matrix)
            elif op == "Tr":
                mode = int(operands[0])
                state = replace(state, mode=mode, plain=state.plain and mode < _CLIPPING_TEXT)
            elif op in _SHOWING:
                self._show(operands, state.mode)
            elif op == "Do":
                self._place(str(operands[0]), resources, state, depth)
            elif op in _PATH:
                path.append(step)
            elif op in ("W", "W*"):
                clips = True
            self._paint(op, state)
            if op in _PATH_ENDS:
                state = state.clipped([_numbers(s) for s in path]) if clips else state
                path, clips = [], False

    def _paint(self, op: str, state: _State) -> None:
        """Note what is painted without a name, over a picture or as one."""
        if op in _PAINTING:
            self.painted_over = self.painted_over or bool(self.pictures)
        if op == "INLINE IMAGE":
            self.pictures.append(state.picture(None, (0, 0)))

    def _show(self, operands: object, mode: int) -> None:
        shown = _characters(operands)
        self.hidden += shown if mode == _INVISIBLE else 0
        self.visible += shown if mode != _INVISIBLE else 0

    def _place(self, name: str, resources: pikepdf.Object, state: _State, depth: int) -> None:
        """Note a picture; what is inside a form XObject counts as the page's own."""
        placed = resources.get("/XObject", pikepdf.Dictionary()).get(name)
        if placed is None:
            return
        kind = str(placed.get("/Subtype", ""))
        if kind == "/Image":
            self.pictures.append(state.picture(name, placed.objgen))
        elif kind == "/Form" and depth < _DEEPEST:
            self.painted_over = True
            own = tuple(float(v) for v in placed.get("/Matrix", (1, 0, 0, 1, 0, 0)))
            inside = replace(state, matrix=_times(own, state.matrix))
            self._walk(placed, placed.get("/Resources", resources), inside, depth + 1)


def _numbers(step: Any) -> tuple[str, list[float]]:
    return str(step.operator), [float(v) for v in step.operands]


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
