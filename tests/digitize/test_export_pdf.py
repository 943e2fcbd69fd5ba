"""Searchable PDFs: each word at its place, the picture bit for bit, and the rules of PDF/A-2b."""

from __future__ import annotations

import html
import io
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pikepdf
import pytest
from PIL import Image, ImageCms

from digitize import desk, export, layered
from digitize.corrections import CorrectedPage
from digitize.importing import Importer
from digitize.installation import Installation, open_installation
from digitize.intake import walk
from records.errors import InputError
from records.filing import Intake
from records.geometry import Box, untouched
from records.model import Document, DocumentStatus, Line, Page, PageKey, PageKind, Word
from tests.digitize.making import SAMPLES, as_bytes, configured

# A card in black and white, one in grey, and born-digital minutes of two pages.
SCANS = ("scan0012.bmp", "Hollis burial card.png", "Council Minutes 2021-05-11.pdf")
_WORD = re.compile(
    r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>'
)
_NEAR_POINTS = 3.0
# Keys by which a PDF says or does more than PDF/A-2 lets it, wherever they stand.
FORBIDDEN = {
    "/AA", "/OpenAction", "/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/AcroForm", "/XFA",
    "/OCProperties", "/Perms", "/SMask", "/TR", "/HTP", "/OPI", "/Alternates", "/FFilter",
    "/FDecodeParms", "/Group", "/Annots", "/Collection", "/Requirements", "/PresSteps",
    "/AlternatePresentations", "/CIDSet", "/BM", "/CA", "/ca",
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """An installation with the scans read into it."""

    installation: Installation

    @property
    def records(self) -> list[Document]:
        store = self.installation.store
        return store.documents(store.system_viewer("ann"))

    def pdf(self, document: Document) -> bytes:
        """Return a record as PDF; nothing may be left out of it."""
        made, left_out = export.searchable_pdf(self.installation, document)
        assert left_out == ()
        return made

    def pages(self, document: Document) -> list[CorrectedPage]:
        return export.corrected_pages(self.installation, document.id)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Read the sample scans once."""
    place = tmp_path_factory.mktemp("pdf")
    (place / "drawer").mkdir()
    for name in SCANS:
        shutil.copy(SAMPLES / name, place / "drawer")
    made = open_installation(configured(place))
    with made.archive.run() as run:
        intake = Intake("test", "Drawer 1", None, None, run.name)
        Importer(made, intake, run, lambda _: None, lambda _: None).process(
            walk([place / "drawer"]), (), 1
        )
    yield Desk(made)
    made.store.close()


@pytest.fixture(scope="module")
def record(read: Desk) -> Document:
    """Return one of the records: any will do."""
    return read.records[0]


def made_page(words: list[list[str]], dpi: int = 200) -> tuple[CorrectedPage, bytes]:
    """Return a white page of 1700 x 2200 pixels with lines of words, and its PNG."""
    lines = list[Line]()
    for row, texts in enumerate(words):
        left, placed = 100, list[Word]()
        for text in texts:
            right = left + 30 * len(text)
            placed.append(Word(text, Box(left, 100 + 100 * row, right, 140 + 100 * row), 0.9))
            left = right + 20
        lines.append(Line(tuple(placed)))
    stored = Page(
        1, 1, 1, 1, PageKey("cd" * 32, 1), None, "read", PageKind.SCAN, "ab" * 32,
        1700, 2200, dpi, untouched(1700, 2200), (), False, False, 0.9, None, "r", None,
    )  # fmt: skip
    return CorrectedPage(stored, tuple(lines)), as_bytes(Image.new("1", (1700, 2200), 1), "PNG")


def pdf_of(record: Document, *pages: tuple[CorrectedPage, bytes]) -> bytes:
    """Return the PDF of made pages."""
    return layered.searchable_pdf(record, pages)


def text_of(pdf: bytes, *options: str) -> str:
    """Return what pdftotext takes out of a PDF."""
    done = subprocess.run(
        ["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True
    )
    return done.stdout.decode()


def boxes_of(pdf: bytes) -> list[list[tuple[str, tuple[float, ...]]]]:
    """Return the words of each page with their edges in points, as pdftotext finds them."""
    return [
        [(html.unescape(m[5]), tuple(map(float, m.groups()[:4]))) for m in _WORD.finditer(page)]
        for page in text_of(pdf, "-bbox").split("<page ")[1:]
    ]


@pytest.mark.parametrize("name", SCANS)
def test_each_word_is_found_where_it_stands(read: Desk, name: str) -> None:
    """pdftotext finds every word, no other, and each edge within 3 points of the word's box."""
    document = next(d for d in read.records if d.source == name)
    found = boxes_of(read.pdf(document))
    pages = read.pages(document)
    assert len(found) == len(pages) > 0
    for words, corrected in zip(found, pages, strict=True):
        scale = layered.POINTS_AN_INCH / corrected.page.dpi
        left = list(words)
        for word in (w for line in corrected.lines for w in line.words):
            nearest = min(
                (each for each in left if each[0] == word.text),
                key=lambda each: _apart(each[1], word.box, scale),
            )
            assert _apart(nearest[1], word.box, scale) <= _NEAR_POINTS, word
            left.remove(nearest)
        assert left == []
        assert len(words) > 20


def _apart(edges: tuple[float, ...], box: Box, scale: float) -> float:
    return max(abs(edge - pixel * scale) for edge, pixel in zip(edges, box, strict=True))


@pytest.mark.parametrize("name", SCANS)
def test_the_picture_is_the_stored_one_bit_for_bit(read: Desk, name: str) -> None:
    """A page shows the pixels of the archive, none lost, in no more bytes than they had."""
    document = next(d for d in read.records if d.source == name)
    made = read.pdf(document)
    stored = 0
    with pikepdf.open(io.BytesIO(made)) as pdf:
        for page, corrected in zip(pdf.pages, read.pages(document), strict=True):
            path = read.installation.archive.image_path(corrected.page.image or "")
            stored += path.stat().st_size
            shown = pikepdf.PdfImage(page.Resources.XObject.Scan).as_pil_image()
            with Image.open(path) as kept:
                assert shown.convert("L").tobytes() == kept.convert("L").tobytes()
    assert len(made) < stored + 20_000


@pytest.mark.parametrize("name", SCANS)
def test_it_is_pdf_a(read: Desk, name: str) -> None:
    """What ISO 19005-2 asks of such a file at level B holds."""
    document = next(d for d in read.records if d.source == name)
    check_pdf_a(read.pdf(document), document)


def check_pdf_a(made: bytes, document: Document) -> None:
    """Hold a file against the rules of PDF/A-2b that can touch it; clauses of ISO 19005-2."""
    assert re.match(rb"%PDF-1\.[0-7]\n%[\x80-\xff]{4}", made)  # 6.1.2
    assert re.search(rb"%%EOF\n?\Z", made)  # 6.1.3
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.check_pdf_syntax() == []  # what qpdf --check says
        assert not pdf.is_encrypted
        assert len(pdf.trailer.ID) == 2  # 6.1.3
        for thing in pdf.objects:
            for part in _parts(thing):
                check_part(part)
        check_colours(pdf)
        check_about(pdf, document)
        for page in pdf.pages:
            assert all(3 <= side <= 14400 for side in page.mediabox[2:])  # 6.1.13
            check_font(page.Resources.Font.Words)
            check_content(page)


def _parts(thing: Any) -> Iterator[Any]:
    """Yield an object of a PDF and all that lies in it directly."""
    yield thing
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for _, value in thing.items():
            if not getattr(value, "is_indirect", False):
                yield from _parts(value)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            yield from _parts(value)


def check_part(part: Any) -> None:
    """No forbidden key (6.1, 6.2, 6.5, 6.6, 6.9 to 6.11), filter (6.1.7.2) or length (6.1.13)."""
    if isinstance(part, pikepdf.Dictionary | pikepdf.Stream):
        assert not FORBIDDEN & set(part.keys())
    if isinstance(part, pikepdf.Stream):
        assert "/F" not in part  # 6.1.7.1: no stream lies in another file
        assert str(part.get("/Filter", "/FlateDecode")) == "/FlateDecode"  # not LZW, not Crypt
        if part.get("/Subtype") == "/Image":  # 6.2.8
            assert "/Interpolate" not in part
            assert part.BitsPerComponent in (1, 8)
            assert part.ColorSpace == "/DeviceGray"
    if isinstance(part, pikepdf.String):
        assert len(bytes(part)) <= 32767
    if isinstance(part, pikepdf.Name):
        assert len(str(part)) <= 127


def check_colours(pdf: pikepdf.Pdf) -> None:
    """One PDF/A output intent with an ICC profile of three colours says what grey means.

    6.2.3, and 6.2.4.3: DeviceGray needs one.
    """
    (intent,) = pdf.Root.OutputIntents
    assert intent.S == "/GTS_PDFA1"
    assert str(intent.OutputConditionIdentifier) == "sRGB"
    profile = intent.DestOutputProfile
    assert profile.N == 3
    data = profile.read_bytes()
    assert (data[12:16], data[16:20], data[36:40]) == (b"mntr", b"RGB ", b"acsp")
    assert data[8] < 5  # its version
    assert struct.unpack_from(">I", data)[0] == len(data)
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data)))


def check_about(pdf: pikepdf.Pdf, document: Document) -> None:
    """XMP says PDF/A-2b, and the same of the file as its Info does (6.6.2, 6.6.4)."""
    stream = pdf.Root.Metadata
    assert (stream.Type, stream.Subtype) == ("/Metadata", "/XML")
    assert "/Filter" not in stream  # so that it is found without knowing PDF
    packet = stream.read_bytes().decode()
    assert packet.startswith("<?xpacket begin=")
    assert "bytes=" not in packet.splitlines()[0]
    assert "encoding=" not in packet.splitlines()[0]
    info = pdf.docinfo
    with pdf.open_metadata() as about:
        assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("2", "B")
        assert about["dc:title"] == str(info.Title) == document.title
        assert about["dc:identifier"] == f"sha256:{document.sha256}"
        assert about["xmp:CreatorTool"] == str(info.Creator)
        assert about["pdf:Producer"] == str(info.Producer)
        digits = re.sub(r"\D", "", str(about["xmp:CreateDate"]))[:14]
        assert re.sub(r"\D", "", str(info.CreationDate))[:14] == digits
    assert set(info.keys()) <= {"/Title", "/Creator", "/Producer", "/CreationDate"}


def check_font(font: Any) -> None:
    """The font is embedded, as wide as it says, and every character has a glyph and a meaning."""
    (descendant,) = font.DescendantFonts
    assert (font.Type, font.Subtype, font.Encoding) == ("/Font", "/Type0", "/Identity-H")
    assert (descendant.Type, descendant.Subtype) == ("/Font", "/CIDFontType2")
    system = descendant.CIDSystemInfo
    assert (str(system.Registry), str(system.Ordering)) == ("Adobe", "Identity")
    descriptor = descendant.FontDescriptor
    names = {str(f) for f in (font.BaseFont, descendant.BaseFont, descriptor.FontName)}
    assert len(names) == 1
    program = descriptor.FontFile2.read_bytes()
    assert descriptor.FontFile2.Length1 == len(program)
    tables = font_tables(program)
    (glyphs,) = struct.unpack_from(">H", tables[b"maxp"], 4)
    (em,) = struct.unpack_from(">H", tables[b"head"], 18)
    (advance,) = struct.unpack_from(">H", tables[b"hmtx"])
    assert descendant.DW * em == advance * 1000  # 6.2.11.5
    to_glyph = descendant.CIDToGIDMap.read_bytes()  # 6.2.11.3.2
    used = struct.unpack(f">{len(to_glyph) // 2}H", to_glyph)[1:]
    assert all(0 < glyph < glyphs for glyph in used)  # 6.2.11.8: no .notdef
    mapped = font.ToUnicode.read_bytes().partition(b"endcodespacerange")[2]
    meanings = re.findall(rb"^<([0-9a-f]{4})> <([0-9a-f]+)>$", mapped, re.M)
    assert len(meanings) == len(used)
    assert not {b"0000", b"feff", b"fffe"} & {meaning for _, meaning in meanings}


def font_tables(program: bytes) -> dict[bytes, bytes]:
    """Return a TrueType font's tables, each held against its own check sum."""
    count = struct.unpack_from(">4xH", program)[0]
    tables = {}
    for number in range(count):
        tag, total, at, length = struct.unpack_from(">4sIII", program, 12 + 16 * number)
        body = program[at : at + length]
        if tag != b"head":
            padded = body + b"\0" * (-length % 4)
            assert sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF == total
        tables[tag] = body
    whole = struct.unpack(f">{len(program) // 4}I", program)
    assert sum(whole) & 0xFFFFFFFF == 0xB1B0AFBA
    return tables


def check_content(page: pikepdf.Page) -> None:
    """A page draws its picture, then words, all in rendering mode 3; nothing else."""
    steps = [str(step.operator) for step in pikepdf.parse_content_stream(page)]
    assert steps[:7] == ["q", "cm", "Do", "Q", "BT", "Tr", "Tf"]
    assert set(steps[7:-1]) <= {"Tm", "Tj"}
    assert steps[-1] == "ET"
    (mode,) = [s.operands for s in pikepdf.parse_content_stream(page) if str(s.operator) == "Tr"]
    assert list(mode) == [3]


def test_many_records_are_one_pdf_a(read: Desk) -> None:
    """Records one after the other, by the same rules; each page has its own text and picture."""
    made = io.BytesIO()
    what = export.gathered(read.installation, read.records)
    assert what.left_out == ()
    export.write_gathered(read.installation, what, "Drawer 1", "2026-01-02T03:04:05+00:00", made)
    single = [text_of(read.pdf(document)) for document in read.records]
    assert len(single) > 1
    assert text_of(made.getvalue()) == "".join(single)
    with pikepdf.open(made) as pdf:
        assert pdf.check_pdf_syntax() == []
        for thing in pdf.objects:
            for part in _parts(thing):
                check_part(part)
        check_colours(pdf)
        for page in pdf.pages:
            check_font(page.Resources.Font.Words)
            check_content(page)
        with pdf.open_metadata() as about:
            assert (about["pdfaid:part"], about["dc:title"]) == ("2", "Drawer 1")
            assert "dc:identifier" not in about


def test_a_correction_is_in_the_text(read: Desk) -> None:
    """What a person said stands in the PDF where the misread words stood."""
    document = next(d for d in read.records if d.form == "dog-licence")
    store = read.installation.store
    field = next(f for f in store.fields(document.id) if f.name == "owner_name" and f.box)
    viewer = store.system_viewer("ann")
    after = desk.correct_field(
        read.installation, viewer, document.id, "owner_name", "Ōsaka Łucja", document.version
    )
    made = read.pdf(after)
    check_pdf_a(made, after)
    (words,) = boxes_of(made)
    box = field.box or Box(0, 0, 0, 0)
    (page,) = read.pages(after)
    scale = layered.POINTS_AN_INCH / page.page.dpi
    for text in ("Ōsaka", "Łucja"):
        (edges,) = [edges for word, edges in words if word == text]
        assert box.left * scale - 3 <= edges[0] < edges[2] <= box.right * scale + 3
    assert "Ōsaka Łucja" in export.as_json(read.installation, after)["pages"][0]["text"]


@pytest.mark.parametrize(
    "texts",
    [
        ["Größe", "naïve", "Čapek", "Łódź", "e\u0301te\u0301"],
        ["许可证", "編號", "二〇一九", "한국어", "ไทย", "हिन्दी"],
        ["ﬁrst", "eﬃcient", "ﬀ", "½", "№", "ǅ", "€5"],
        ["\U0001f600", "\U0001d518nicode", "\U00020000\U00020001"],
        ["Ελλάδα", "Москва", "<&>", "(x)", "\\", "'quoted'", "-", "—", "a\u200bb", "co\u00adop"],
        ["a", "b", "I", "1", "."],
        [],
    ],
)
def test_any_text_comes_out_as_it_went_in(record: Document, texts: list[str]) -> None:
    """Every character is kept, in whatever script, and each word is one word."""
    made = pdf_of(record, made_page([texts, texts[::-1]]))
    assert text_of(made, "-raw").split() == [*texts, *texts[::-1]]
    assert text_of(made).split("\n")[:2] in ([" ".join(texts), " ".join(texts[::-1])], ["\f"])
    check_pdf_a(made, record)


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "שלום123", "12/5"])
def test_words_from_right_to_left(record: Document, text: str) -> None:
    """Hebrew and Arabic are drawn as they are seen, so that readers turn them back."""
    marks = dict.fromkeys(map(ord, "\u202a\u202b\u202c"))  # pdftotext adds them
    assert text_of(pdf_of(record, made_page([[text]]))).translate(marks).split() == [text]


def test_equal_records_give_equal_bytes(read: Desk, record: Document) -> None:
    """A second export differs in nothing, so that copies can be compared."""
    first = read.pdf(record)
    time.sleep(1.1)  # what depends on the time, depends on its seconds
    assert read.pdf(record) == first


@pytest.mark.parametrize(
    ("width", "height", "dpi", "points"),
    [
        (1700, 2200, 200, (612.0, 792.0)),
        (1700, 2200, 0, (612.0, 792.0)),
        (60000, 30000, 72, (14400.0, 7200.0)),
        (1, 1, 300, (3.0, 3.0)),
        (100_000, 1, 300, (14400.0, 3.0)),
    ],
)
def test_pages_have_sides_that_a_pdf_may_have(
    width: int, height: int, dpi: int, points: tuple[float, float]
) -> None:
    """A page is as large as its paper, and never more than 14,400 or less than 3 points."""
    assert layered.page_points(width, height, dpi) == pytest.approx(points)


def test_words_of_a_page_that_is_drawn_smaller_fit_it(record: Document) -> None:
    """On a page too large for a PDF, words are scaled as their page is."""
    page, png = made_page([["corner"]])
    wide = replace(page.page, width=30000, height=40000, dpi=72)
    placed = Line((Word("corner", Box(29000, 39000, 30000, 40000), 0.9),))
    made = pdf_of(record, (CorrectedPage(wide, (placed,)), png))
    [[(_, edges)]] = boxes_of(made)
    assert edges == pytest.approx((10440, 14040, 10800, 14400), abs=1)
    check_pdf_a(made, record)


@pytest.mark.parametrize("title", ["", "a\x00\x0b\ufffeb\n<&>", "许可 é \U0001f600", "x" * 5000])
def test_any_title_is_said_twice_alike(record: Document, title: str) -> None:
    """XMP and Info agree on it, whatever a file was called."""
    named = replace(record, title=title, source=title)
    written = "".join(c for c in title if c not in "\x00\x0b\ufffe")
    seen = replace(named, title=written or f"Record {record.id}")
    check_pdf_a(pdf_of(named, made_page([["word"]])), seen)


def test_many_letters(record: Document) -> None:
    """A record in more than 256 characters needs no second font."""
    texts = [chr(0x4E00 + 10 * n) + chr(0x4E05 + 10 * n) for n in range(400)]
    rows = [texts[n : n + 20] for n in range(0, 400, 20)]
    made = pdf_of(record, made_page(rows))
    assert text_of(made, "-raw").split() == texts
    check_pdf_a(made, record)


@pytest.mark.parametrize(
    "png",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        as_bytes(Image.new("RGB", (10, 10)), "PNG"),
        as_bytes(Image.new("L", (10, 10)), "PNG")[:40],
    ],
)
def test_only_stored_pictures_are_taken(record: Document, png: bytes) -> None:
    """What is no plain grey PNG is refused, and not put into a PDF as it is."""
    with pytest.raises(ValueError, match=r"no (PNG|plain grey)"):
        pdf_of(record, (made_page([])[0], png))


def test_a_record_without_pages_has_no_pdf(read: Desk, record: Document) -> None:
    """It is a sentence and no empty file."""
    with pytest.raises(InputError, match="no page"):
        export.searchable_pdf(read.installation, replace(record, id=10_000))


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Permit 12 - Elm Street", "000123-permit-12-elm-street"),
        ("../../etc/passwd", "000123-etc-passwd"),
        ("Łódź Straße\n\x00 é", "000123-odz-strae-e"),
        ("许可", "000123-record"),
        ("", "000123-record"),
        ("-" * 300, "000123-record"),
        ("a" * 300, "000123-" + "a" * 60),
    ],
)
def test_a_name_is_safe_whatever_the_title(record: Document, title: str, stem: str) -> None:
    """Nothing but a-z, 0-9 and - comes into a file's name, and not too much of it."""
    named = replace(record, id=123, title=title, status=DocumentStatus.FILED)
    assert export.file_stem(named) == stem
