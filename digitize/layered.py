"""Records as searchable PDF/A-2b, by pikepdf: each page its picture, its words unseen over it.

The clauses named are those of ISO 19005-2 (PDF/A-2) and ISO 32000-1 (PDF 1.7).
"""

from __future__ import annotations

import io
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import IO, Any, BinaryIO, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, OutlineItem, Pdf, Stream
from PIL import ImageCms

from digitize import __version__
from digitize.corrections import CorrectedPage, writable
from records.geometry import Box, union
from records.model import Document, Line

POINTS_AN_INCH = 72
# 19005-2, 6.1.13: no side of a page is shorter or longer, in points.
_SHORTEST, _LONGEST = 3.0, 14400.0
_DPI_UNKNOWN = 200
# Words whose upper or lower edge lies within so many points of their line's stand as high as it.
_LEVEL_POINTS = 2.5
_EM, _DESCENT = 1000, -200  # of the unseen font: letters stand on a baseline within their box
_MAPPED_AT_ONCE = 100  # 32000-1, 9.10.3: the most lines in one section of a ToUnicode map
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _NOT_INTERLACED = 0, 0


Pictured = tuple[CorrectedPage, bytes]  # a page, and its stored PNG, grey or black and white


@dataclass(frozen=True, slots=True)
class About:
    """What a PDF says of itself, beside how it was made; ``created`` is an ISO time."""

    title: str
    created: str
    more: tuple[tuple[str, str], ...]  # further XMP properties


def searchable_pdf(document: Document, pages: Iterable[Pictured]) -> bytes:
    """Return a record as PDF/A-2b.

    Equal records give equal bytes. Raises ValueError when a PNG is none that was stored.
    """
    made = io.BytesIO()
    source = ("dc:source", writable(document.source))
    identifier = ("dc:identifier", f"sha256:{document.sha256}")
    title = writable(document.title) or f"Record {document.id}"
    with pikepdf.new() as pdf:
        letters = _Letters()
        font = pdf.make_indirect(Dictionary())
        _add_pages(pdf, font, letters, pages)
        _finish(pdf, font, letters, About(title, document.created_at, (source, identifier)), made)
    return made.getvalue()


def write_searchable_pdf(
    about: About, records: Iterable[tuple[Document, Iterable[Pictured]]], out: IO[bytes]
) -> None:
    """Write records one after the other as one PDF/A-2b, with a bookmark at each.

    Raises OSError when the disk is full, ValueError when a PNG is none that was stored.
    """
    with pikepdf.new() as pdf:
        letters = _Letters()
        font = pdf.make_indirect(Dictionary())
        bookmarks = []
        for document, pages in records:
            title = writable(document.title) or f"Record {document.id}"
            bookmarks.append(OutlineItem(title, len(pdf.pages)))
            _add_pages(pdf, font, letters, pages)
        with pdf.open_outline() as outline:
            outline.root.extend(bookmarks)
        _finish(pdf, font, letters, about, _Unflushed(out))
    out.flush()


class _Unflushed(io.RawIOBase):
    """A file to write to, not flushed: what goes wrong in that ends the process (pikepdf 10)."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, data: Any) -> int:
        """Write all of some bytes."""
        self._out.write(data)
        return len(data)

    def writable(self) -> bool:
        """Say yes."""
        return True


def _add_pages(
    pdf: Pdf, font: pikepdf.Object, letters: _Letters, pages: Iterable[Pictured]
) -> None:
    for number, (corrected, png) in enumerate(pages, len(pdf.pages)):
        size = page_points(corrected.page.width, corrected.page.height, corrected.page.dpi)
        pdf.add_blank_page(page_size=size)
        page = pdf.pages[number]
        page.Resources = Dictionary(
            XObject=Dictionary(Scan=_picture(pdf, png)), Font=Dictionary(Words=font)
        )
        page.Contents = pdf.make_stream(_drawn(corrected, size, letters))


def _finish(
    pdf: Pdf, font: pikepdf.Object, letters: _Letters, about: About, out: IO[bytes] | _Unflushed
) -> None:
    _fill_font(pdf, font, letters)
    _declare(pdf, about)
    pdf.save(cast(BinaryIO, out), min_version="1.7", deterministic_id=True)


def page_points(width: int, height: int, dpi: int) -> tuple[float, float]:
    """Return a page's size in points; one that no PDF may have is drawn to a smaller scale."""
    scale = POINTS_AN_INCH / (dpi if dpi > 0 else _DPI_UNKNOWN)
    scale = min(scale, _LONGEST / max(width, height, 1))
    return max(_SHORTEST, width * scale), max(_SHORTEST, height * scale)


def _picture(pdf: Pdf, png: bytes) -> Stream:
    """Return a PNG as a picture of a PDF, its coded pixels as they are: both know Deflate.

    Nothing is decoded, so nothing is lost and it takes no time (32000-1, 7.4.4.4: Predictor 15).
    """
    width, height, depth, pixels = _coded_pixels(png)
    return Stream(
        pdf,
        pixels,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=width,
        Height=height,
        ColorSpace=Name.DeviceGray,
        BitsPerComponent=depth,
        Filter=Name.FlateDecode,
        DecodeParms=Dictionary(Predictor=15, Colors=1, BitsPerComponent=depth, Columns=width),
    )


def _coded_pixels(png: bytes) -> tuple[int, int, int, bytes]:
    """Return a grey PNG's width, height, bits a pixel, and its pixels as they are coded."""
    header, pixels, at = b"", list[bytes](), len(_PNG_SIGNATURE)
    while png.startswith(_PNG_SIGNATURE) and at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        header = body if kind == b"IHDR" else header
        if kind == b"IDAT":
            pixels.append(body)
        at += length + 12
    if len(header) != 13 or not pixels:
        raise ValueError("a page's picture is no PNG")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if (colour, interlace) != (_GREY, _NOT_INTERLACED):
        raise ValueError("a page's picture is no plain grey PNG")
    return width, height, depth, b"".join(pixels)


class _Letters:
    """The characters of a PDF's words, each with the number (CID) that its font has for it."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def coded(self, text: str) -> str:
        """Return a text as the hexadecimal string that shows it."""
        numbers = (self.numbers.setdefault(c, len(self.numbers) + 1) for c in text)
        return "".join(f"{number:04x}" for number in numbers)

    def unicode_map(self) -> bytes:
        """Return the ToUnicode map (32000-1, 9.10.3) that makes words of what is shown."""
        lines = [
            f"<{number:04x}> <{character.encode('utf-16-be').hex()}>"
            for character, number in self.numbers.items()
        ]
        sections = [
            "\n".join((f"{len(part)} beginbfchar", *part, "endbfchar"))
            for start in range(0, len(lines), _MAPPED_AT_ONCE)
            for part in [lines[start : start + _MAPPED_AT_ONCE]]
        ]
        return _UNICODE_MAP.format(sections="\n".join(sections)).encode("ascii")


_UNICODE_MAP = """\
/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
{sections}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


def _drawn(corrected: CorrectedPage, size: tuple[float, float], letters: _Letters) -> bytes:
    """Return a page's content: its picture, and its words in text rendering mode 3, unseen."""
    width, height = size
    across, up = width / max(corrected.page.width, 1), height / max(corrected.page.height, 1)
    rise = -_DESCENT / _EM
    steps = [f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Scan Do Q", "BT", "3 Tr /Words 1 Tf"]
    for line in corrected.lines:
        last = len(line.words) - 1
        for number, (text, box) in enumerate(_levelled(line, _LEVEL_POINTS / up)):
            place = (
                f"{box.width * across / len(text):.4f} 0 0 {box.height * up:.4f}"
                f" {box.left * across:.3f} {height - (box.bottom - rise * box.height) * up:.3f}"
            )
            space = "" if number == last else " "
            steps.append(f"{place} Tm <{letters.coded(text + space)}> Tj")
    return "\n".join((*steps, "ET", "")).encode("ascii")


def _levelled(line: Line, level: float) -> Iterator[tuple[str, Box]]:
    """Yield a line's words as they are seen, each with its box in pixels.

    An edge of a word within ``level`` pixels of the line's own becomes that: words that stand
    level are taken for one line by whoever takes the text out again.
    """
    around = union([word.box for word in line.words])
    if around is None:
        return
    for word in line.words:
        left, top, right, bottom = word.box
        top = around.top if top - around.top <= level else top
        bottom = around.bottom if around.bottom - bottom <= level else bottom
        yield _as_seen(word.text), Box(left, top, max(right, left + 1), max(bottom, top + 1))


def _as_seen(text: str) -> str:
    """Return a word's characters from left to right: who takes it out turns it round again."""
    if not any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        return text
    runs = ("".join(run) for _, run in groupby(text, _runs_right))
    return "".join(run if _runs_right(run[0]) else run[::-1] for run in [*runs][::-1])


def _runs_right(character: str) -> bool:
    """Say whether a character stands in its order from left to right among Hebrew or Arabic."""
    return unicodedata.bidirectional(character) in ("L", "EN", "AN")


def _fill_font(pdf: Pdf, font: pikepdf.Object, letters: _Letters) -> None:
    """Make the font that words are written in: every character is the same glyph.

    It is embedded though nothing of it is seen (6.2.11.4.1), and no character is .notdef, which
    6.2.11.8 forbids in any rendering mode. The glyph fills an em, which the text matrix stretches
    over a word's box.
    """
    name = Name("/DigitizeUnseen")
    program = unseen_font()
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        Flags=4,
        FontBBox=[0, _DESCENT, _EM, _EM + _DESCENT],
        ItalicAngle=0,
        Ascent=_EM + _DESCENT,
        Descent=_DESCENT,
        CapHeight=_EM + _DESCENT,
        StemV=80,
        FontFile2=Stream(pdf, program, Length1=len(program)),
    )
    glyphs = struct.pack(f">{len(letters.numbers) + 1}H", 0, *(1 for _ in letters.numbers))
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(
            Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0
        ),
        FontDescriptor=pdf.make_indirect(descriptor),
        DW=_EM,
        CIDToGIDMap=Stream(pdf, glyphs),
    )
    made = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=name,
        Encoding=Name("/Identity-H"),
        DescendantFonts=[pdf.make_indirect(descendant)],
        ToUnicode=pdf.make_stream(letters.unicode_map()),
    )
    for key, value in made.items():
        font[key] = value


def unseen_font() -> bytes:
    """Return a TrueType font of two glyphs an em wide: .notdef, and one for all letters.

    A glyph is a line across its em and back, which has a size, as viewers that mark a word want,
    and no area that could be seen. The tables are those that a PDF asks for (32000-1, 9.9), laid
    out as the OpenType specification says.
    """
    low, high = _DESCENT, _EM + _DESCENT
    glyph = struct.pack(">5h2H2B4h", 1, 0, low, _EM, high, 1, 0, 1, 1, 0, _EM, low, _EM)
    glyph += b"\0" * (-len(glyph) % 4)
    tables = {
        b"glyf": glyph,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _EM, 0, 0, 0, low, _EM, high,
            0, 8, 2, 0, 0,
        ),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, high, low, 0, _EM, *[0] * 10, 0, 1),
        b"hmtx": struct.pack(">Hhh", _EM, 0, 0),
        b"loca": struct.pack(">3H", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 2, 1, 0, 0, 1, *[0] * 8),
    }  # fmt: skip
    at = 12 + 16 * len(tables)
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, 32)
    bodies = b""
    for tag, body in tables.items():
        padded = body + b"\0" * (-len(body) % 4)
        directory += struct.pack(">4sIII", tag, _table_sum(padded), at + len(bodies), len(body))
        bodies += padded
    font = bytearray(directory + bodies)
    adjustment = (0xB1B0AFBA - _table_sum(bytes(font))) & 0xFFFFFFFF
    struct.pack_into(">I", font, font.index(b"\x5f\x0f\x3c\xf5") - 4, adjustment)
    return bytes(font)


def _table_sum(padded: bytes) -> int:
    return int(sum(struct.unpack(f">{len(padded) // 4}I", padded))) & 0xFFFFFFFF


def _declare(pdf: Pdf, what: About) -> None:
    """Write what PDF/A asks for: the colours that grey is meant in, and who this is, twice."""
    profile = Stream(pdf, srgb_profile(), N=3, Alternate=Name.DeviceRGB)
    pdf.Root.OutputIntents = Array([
        Dictionary(
            Type=Name.OutputIntent,
            S=Name.GTS_PDFA1,
            OutputConditionIdentifier=pikepdf.String("sRGB"),
            Info=pikepdf.String("sRGB IEC61966-2.1"),
            DestOutputProfile=pdf.make_indirect(profile),
        )
    ])  # fmt: skip
    created = datetime.fromisoformat(what.created).replace(microsecond=0)
    with pdf.open_metadata(set_pikepdf_as_editor=False) as about:
        about["pdfaid:part"] = "2"
        about["pdfaid:conformance"] = "B"
        about["dc:title"] = what.title
        for name, value in what.more:
            about[name] = value
        about["xmp:CreateDate"] = created.isoformat()
        about["xmp:CreatorTool"] = f"digitize {__version__}"
        about["pdf:Producer"] = f"pikepdf {pikepdf.__version__}"


def srgb_profile() -> bytes:
    """Return the ICC profile of sRGB, without the moment at which it was made."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # its date; equal files want one
    return bytes(made)
