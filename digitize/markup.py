"""A record's words as hOCR 1.2 and ALTO 4, for other programs that work with text on pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from digitize import __version__
from digitize.corrections import CorrectedPage, writable
from records.geometry import Box, union
from records.model import Document, Line, Page

_XHTML = "http://www.w3.org/1999/xhtml"
_ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
_ALTO_VERSION = "4.4"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_ALTO_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"


def hocr(document: Document, pages: Sequence[CorrectedPage]) -> bytes:
    """Return a record as one hOCR file (XHTML): its pages, their lines, their words.

    Boxes are pixels of the stored page image, whose name is given; ``x_wconf`` is 0 to 100.
    """
    root = Element("html", {"xmlns": _XHTML})
    head = SubElement(root, "head")
    SubElement(head, "title").text = writable(document.title)
    readers = sorted({each.page.reader for each in pages if each.page.reader})
    for name, content in (
        ("ocr-system", f"digitize {__version__} ({', '.join(readers)})"),
        ("ocr-capabilities", "ocr_page ocr_line ocrx_word"),
        ("ocr-number-of-pages", str(len(pages))),
    ):
        SubElement(head, "meta", {"name": name, "content": content})
    body = SubElement(root, "body")
    for number, each in enumerate(pages):
        body.append(_hocr_page(each, number))
    return _written(root, b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n')


def _hocr_page(each: CorrectedPage, number: int) -> Element:
    page = each.page
    about = [
        f'image "{page.image}.png"', _bbox(Box(0, 0, page.width, page.height)),
        f"ppageno {number}", f"scan_res {page.dpi} {page.dpi}",
    ]  # fmt: skip
    name = f"{number + 1}"
    made = Element("div", _hocr("ocr_page", f"page_{name}", *about))
    for line_number, (line, around) in enumerate(_boxed(each.lines), 1):
        line_name = f"{name}_{line_number}"
        span = SubElement(made, "span", _hocr("ocr_line", f"line_{line_name}", _bbox(around)))
        for word_number, word in enumerate(line.words, 1):
            sure = f"x_wconf {round(100 * _share(word.confidence))}"
            attributes = _hocr(
                "ocrx_word", f"word_{line_name}_{word_number}", _bbox(word.box), sure
            )
            inner = SubElement(span, "span", attributes)
            inner.text, inner.tail = word.text, " "
        span.tail = "\n"
    return made


def _hocr(kind: str, name: str, *properties: str) -> dict[str, str]:
    return {"class": kind, "id": name, "title": "; ".join(properties)}


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


def alto(each: CorrectedPage) -> bytes:
    """Return one page of a record as an ALTO 4 file, measured in pixels of the page image.

    The page is one block: lines are known, paragraphs and columns are not.
    """
    page = each.page
    root = Element(
        "alto",
        {
            "xmlns": _ALTO,
            "xmlns:xsi": _INSTANCE,
            "xsi:schemaLocation": f"{_ALTO} {_ALTO_SCHEMA}",
            "SCHEMAVERSION": _ALTO_VERSION,
        },
    )
    _describe(SubElement(root, "Description"), page)
    whole = _place(Box(0, 0, page.width, page.height))
    sheet = SubElement(
        SubElement(root, "Layout"),
        "Page",
        {
            "ID": "page",
            "PHYSICAL_IMG_NR": str(page.number),
            "HEIGHT": whole["HEIGHT"],
            "WIDTH": whole["WIDTH"],
            "PC": f"{_share(page.confidence):.3f}",
        },
    )
    space = SubElement(sheet, "PrintSpace", {"ID": "space", **whole})
    lines = list(_boxed(each.lines))
    around = union([box for _, box in lines])
    if around is not None:
        block = SubElement(space, "TextBlock", {"ID": "block", **_place(around)})
        for number, (line, box) in enumerate(lines, 1):
            _alto_line(SubElement(block, "TextLine"), line, box, f"line_{number}")
    ElementTree.indent(root)
    return _written(root, b'<?xml version="1.0" encoding="UTF-8"?>\n')


def _describe(made: Element, page: Page) -> None:
    """Say what was measured in which unit, and what made it; the order is the schema's."""
    SubElement(made, "MeasurementUnit").text = "pixel"
    image = SubElement(made, "sourceImageInformation")
    SubElement(image, "fileName").text = f"{page.image}.png"
    SubElement(image, "documentIdentifier").text = f"sha256:{page.key.sha256}"
    reading = SubElement(made, "Processing", {"ID": "reading"})
    SubElement(reading, "processingCategory").text = "contentGeneration"
    SubElement(reading, "processingStepDescription").text = f"read by {page.reader}"
    software = SubElement(reading, "processingSoftware")
    SubElement(software, "softwareName").text = "digitize"
    SubElement(software, "softwareVersion").text = __version__


def _alto_line(made: Element, line: Line, box: Box, name: str) -> None:
    made.attrib.update({"ID": name, **_place(box)})
    for number, word in enumerate(line.words, 1):
        if number > 1:
            SubElement(made, "SP", _place(_between(line.words[number - 2].box, word.box)))
        attributes = {
            "ID": f"{name}_word_{number}",
            **_place(word.box),
            "CONTENT": word.text,
            "WC": f"{_share(word.confidence):.3f}",
        }
        made_word = SubElement(made, "String", attributes)
        for other in word.alternatives:
            SubElement(made_word, "ALTERNATIVE", {"PURPOSE": "reading"}).text = writable(other)


def _between(left: Box, right: Box) -> Box:
    """Return the space between two words; none has a width below 0, however they overlap."""
    return Box(left.right, left.top, max(left.right, right.left), left.bottom)


def _place(box: Box) -> dict[str, str]:
    values = (box.left, box.top, box.width, box.height)
    return dict(zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), map(str, values), strict=True))


def _boxed(lines: Sequence[Line]) -> Iterator[tuple[Line, Box]]:
    for line in lines:
        around = union([word.box for word in line.words])
        if around is not None:
            yield line, around


def _share(confidence: float) -> float:
    return min(1.0, max(0.0, confidence))


def _written(root: Element, head: bytes) -> bytes:
    return b"%b%b\n" % (head, ElementTree.tostring(root, encoding="utf-8"))
