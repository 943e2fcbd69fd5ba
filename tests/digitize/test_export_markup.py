"""hOCR and ALTO: every word with its place, in the shapes that the formats ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from digitize import markup
from digitize.corrections import CorrectedPage
from records.geometry import Box, untouched
from records.model import Document, DocumentStatus, Line, Page, PageKey, PageKind, Word

X = "{http://www.w3.org/1999/xhtml}"
A = "{http://www.loc.gov/standards/alto/ns-v4#}"
TITLE = 'Fence <permit> & "plan" 许可'
WORDS = (
    (Word("Größe", Box(10, 20, 110, 50), 0.966), Word("<&>\"'", Box(120, 20, 160, 50), 0.5)),
    (Word("许可证", Box(10, 80, 90, 110), 1.2), Word("ﬁrst", Box(80, 82, 130, 108), -0.1)),
)
# What ALTO 4.4's schema lets an element of ours hold, in this order, and which attributes it must
# have. Written from the schema of the ALTO board, which itself is CC BY-SA and not part of this.
CHILDREN = {
    "alto": ("Description", "Styles", "Tags", "ReadingOrder", "Layout"),
    "Description": ("MeasurementUnit", "sourceImageInformation", "OCRProcessing", "Processing"),
    "sourceImageInformation": ("fileName", "fileIdentifier", "documentIdentifier"),
    "Processing": (
        "processingCategory", "processingDateTime", "processingAgency",
        "processingStepDescription", "processingStepSettings", "processingSoftware",
    ),
    "processingSoftware": ("softwareCreator", "softwareName", "softwareVersion"),
    "Layout": ("Page",),
    "Page": ("TopMargin", "LeftMargin", "RightMargin", "BottomMargin", "PrintSpace"),
    "PrintSpace": ("TextBlock",),
    "TextBlock": ("TextLine",),
    "String": ("Shape", "ALTERNATIVE", "Glyph"),
}  # fmt: skip
PLACE = ("HPOS", "VPOS", "WIDTH", "HEIGHT")
ATTRIBUTES = {
    "Processing": ("ID",),
    "Page": ("ID", "PHYSICAL_IMG_NR", "WIDTH", "HEIGHT", "PC"),
    "PrintSpace": ("ID", *PLACE),
    "TextBlock": ("ID", *PLACE),
    "TextLine": ("ID", *PLACE),
    "String": ("ID", *PLACE, "CONTENT", "WC"),
    "SP": PLACE,
}


def page(*lines: tuple[Word, ...], number: int = 1) -> CorrectedPage:
    """Return a page of 400 x 300 pixels with these lines."""
    stored = Page(
        number, 7, number, number, PageKey("ab", number), None, "read", PageKind.SCAN, "ab" * 32,
        400, 300, 200, untouched(400, 300), (), False, False, 0.9, None, "tesseract 5", None,
    )  # fmt: skip
    return CorrectedPage(stored, tuple(Line(words) for words in lines))


@pytest.fixture(scope="module")
def document() -> Document:
    """Return a record whose title has what XML must write otherwise."""
    return Document(
        7, "cd" * 32, "a.pdf", 1, "b", "clerk", None, TITLE, None, DocumentStatus.FILED, (), 1, 1,
        "2026-11-24T10:00:00.123+00:00",
    )  # fmt: skip


def test_hocr_has_every_word_in_its_line(document: Document) -> None:
    """Pages, lines and words of hOCR 1.2, each with its box, words with how sure, 0 to 100."""
    made = markup.hocr(document, [page(*WORDS), page(number=2)])
    root = ElementTree.fromstring(made)
    assert made.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n<html')
    assert root.findtext(f"{X}head/{X}title") == TITLE
    meta = {m.get("name"): m.get("content") for m in root.iter(f"{X}meta")}
    assert meta["ocr-capabilities"] == "ocr_page ocr_line ocrx_word"
    assert meta["ocr-number-of-pages"] == "2"
    assert "tesseract 5" in (meta["ocr-system"] or "")
    first, second = root.iter(f"{X}div")
    assert first.get("title") == (
        f'image "{"ab" * 32}.png"; bbox 0 0 400 300; ppageno 0; scan_res 200 200'
    )
    assert [len(first), len(second)] == [2, 0]
    assert ["".join(line.itertext()).split() for line in first] == [
        [w.text for w in words] for words in WORDS
    ]
    assert first[0].get("title") == "bbox 10 20 160 50"
    titles = [word.get("title") for line in first for word in line]
    assert titles[0] == "bbox 10 20 110 50; x_wconf 97"
    assert [str(t).split()[-1] for t in titles] == ["97", "50", "100", "0"]
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names)) == 2 + 2 + 4


def test_alto_has_every_word_in_its_line(document: Document) -> None:
    """Strings with their boxes in pixels and their confidence, and the spaces between them."""
    root = ElementTree.fromstring(markup.alto(page(*WORDS, number=3)))
    assert root.findtext(f"{A}Description/{A}MeasurementUnit") == "pixel"
    sheet = next(root.iter(f"{A}Page"))
    assert [sheet.get(k) for k in ("PHYSICAL_IMG_NR", "WIDTH", "HEIGHT")] == ["3", "400", "300"]
    lines = list(root.iter(f"{A}TextLine"))
    found = [[s.get("CONTENT") for s in line.iter(f"{A}String")] for line in lines]
    assert found == [[w.text for w in words] for words in WORDS]
    assert [e.tag.removeprefix(A) for e in lines[0]] == ["String", "SP", "String"]
    first, space, _ = lines[0]
    assert [first.get(k) for k in PLACE] == ["10", "20", "100", "30"]
    assert [space.get(k) for k in PLACE] == ["110", "20", "10", "30"]
    assert lines[1][1].get("WIDTH") == "0"  # the words overlap
    assert [s.get("WC") for s in root.iter(f"{A}String")] == ["0.966", "0.500", "1.000", "0.000"]


def test_titles_hold_what_xml_may_hold(document: Document) -> None:
    """A control character in a title, which comes from a file's name, breaks nothing."""
    named = replace(document, title="a\x00\x0b\ufffe<b>")
    root = ElementTree.fromstring(markup.hocr(named, [page()]))
    assert root.findtext(f"{X}head/{X}title") == "a<b>"


@pytest.mark.parametrize("lines", [(), WORDS])
def test_alto_is_as_its_schema_asks(
    document: Document, lines: tuple[tuple[Word, ...], ...]
) -> None:
    """Elements stand where ALTO 4.4 lets them, with the attributes it wants, of its types."""
    root = ElementTree.fromstring(markup.alto(page(*lines)))
    assert root.tag == f"{A}alto"
    names = list[str]()
    for element in root.iter():
        check_element(element)
        names += [element.get("ID")] if element.get("ID") else []
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)  # xsd:ID
    assert len(list(root.iter(f"{A}TextBlock"))) == bool(lines)


def check_element(element: Element) -> None:
    """Hold an element against the rules above."""
    name = element.tag.removeprefix(A)
    children = [child.tag.removeprefix(A) for child in element]
    if name == "TextLine":
        assert re.fullmatch("String( SP String)*", " ".join(children))
    else:
        places = [CHILDREN.get(name, ()).index(child) for child in children]
        assert places == sorted(places)
    assert set(ATTRIBUTES.get(name, ())) <= set(element.attrib)
    for key in (*PLACE, "PHYSICAL_IMG_NR"):
        assert float(element.get(key, 0)) >= 0
    for key in ("WC", "PC"):
        assert 0 <= float(element.get(key, 0)) <= 1
    if children and name not in ("String",):
        assert not (element.text or "").strip()
