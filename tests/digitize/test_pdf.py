"""Pages out of PDFs: scans bit for bit, own words where drawn, and old text layers mistrusted."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from digitize import pdf, sources
from digitize.signatures import PDF
from digitize.sources import Loaded
from records.errors import InputError
from records.settings import Settings
from tests.digitize.making import (
    LETTER,
    as_bytes,
    bare_page,
    card,
    changed_pdf,
    first_picture,
    scanned_pdf,
    typed_pdf,
)

GREY = card(size=(400, 240), texts=("Alder Falls", "Permit 2019"))
PURE = GREY.convert("1")
PIXELS = np.asarray(GREY)
PURE_PIXELS = np.asarray(PURE.convert("L"))
SCAN = scanned_pdf(as_bytes(GREY, "PNG", dpi=(100, 100)))
TYPED = ((72.0, 700.0, "Town of Alder Falls"), (300.0, 200.0, "Adopted May 11"))
SMALL = (300.0, 180.0)


def load(folder: Path, data: bytes, settings: Settings, number: int = 1, **read: str) -> Loaded:
    """Load a page of a PDF of these bytes, with some of the settings of reading changed."""
    path = folder / "scan.pdf"
    path.write_bytes(data)
    chosen = replace(settings, read=replace(settings.read, **read))
    return sources.load_page(path, PDF, number, chosen)


def over_scan(text: str, hidden: bool) -> bytes:
    """Return a full-page scan with a text layer over it."""
    out = io.BytesIO()
    pen = canvas.Canvas(out, pagesize=SMALL, invariant=1)
    pen.drawImage(ImageReader(GREY), 0, 0, *SMALL)
    layer = pen.beginText(20, 150)
    layer.setTextRenderMode(3 if hidden else 0)
    layer.textOut(text)
    pen.drawText(layer)
    pen.save()
    return out.getvalue()


@pytest.mark.parametrize(
    ("picture", "pixels"),
    [
        (as_bytes(GREY, "PNG"), PIXELS),
        (as_bytes(PURE, "PNG"), PURE_PIXELS),
        (as_bytes(PURE, "TIFF", compression="group4"), PURE_PIXELS),
        (as_bytes(GREY, "TIFF", compression="tiff_lzw"), PIXELS),
    ],
    ids=["grey PNG", "1-bit PNG", "G4", "LZW"],
)
def test_a_scan_comes_out_bit_for_bit(
    tmp_path: Path, settings: Settings, picture: bytes, pixels: np.ndarray
) -> None:
    """A page that is one scanned picture yields that picture, not a drawing of it."""
    found = load(tmp_path, scanned_pdf(picture), settings)
    assert np.array_equal(found.image, pixels)
    assert found.bitonal is (pixels is PURE_PIXELS)
    assert found.lines is None


def test_a_jpeg_comes_out_bit_for_bit(tmp_path: Path, settings: Settings) -> None:
    """The very bytes that the scanner wrote are taken out of the PDF."""
    jpeg = as_bytes(GREY, "JPEG", quality=60)
    data = scanned_pdf(jpeg)
    path = tmp_path / "scan.pdf"
    path.write_bytes(data)
    name = pdf.look_at(path, 1).scan
    assert name
    assert pdf.scan_bytes(path, 1, name) == jpeg
    decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert np.array_equal(load(tmp_path, data, settings).image, decoded)


def test_a_jpeg2000_comes_out_bit_for_bit(tmp_path: Path, settings: Settings) -> None:
    """Archives' scanners write JPEG 2000; its pixels are the page."""
    found = load(tmp_path, scanned_pdf(as_bytes(GREY, "JPEG2000")), settings)
    assert np.array_equal(found.image, PIXELS)


def test_the_scans_own_resolution(tmp_path: Path, settings: Settings) -> None:
    """A picture of 400 pixels on four inches of paper is 100 dots per inch."""
    assert load(tmp_path, SCAN, settings).dpi == 100


@pytest.mark.parametrize("rotate", [90, 180, 270, -90, 450])
def test_a_turned_scan_comes_out_as_a_viewer_shows_it(
    tmp_path: Path, settings: Settings, rotate: int
) -> None:
    """/Rotate is honoured, clockwise, and no pixel is lost by it."""
    data = changed_pdf(SCAN, lambda p: p.pages[0].obj.__setattr__("Rotate", rotate))
    found = load(tmp_path, data, settings)
    assert np.array_equal(found.image, np.rot90(PIXELS, -rotate // 90))


def test_a_turn_that_all_pages_inherit(tmp_path: Path, settings: Settings) -> None:
    """/Rotate may stand on the tree of pages instead of on the page."""
    data = changed_pdf(SCAN, lambda p: p.Root.Pages.__setattr__("Rotate", 180))
    assert np.array_equal(load(tmp_path, data, settings).image, np.rot90(PIXELS, 2))


def _negative(document: pikepdf.Pdf) -> None:
    first_picture(document).Decode = [1, 0]


def _masked(document: pikepdf.Pdf) -> None:
    mask = document.make_stream(
        bytes(PIXELS.size), Width=400, Height=240, BitsPerComponent=8, Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image, ColorSpace=pikepdf.Name.DeviceGray,
    )  # fmt: skip
    first_picture(document).SMask = mask


@pytest.mark.parametrize(("change", "mean"), [(_negative, 255 - PIXELS.mean()), (_masked, 255)])
def test_a_picture_that_is_shown_otherwise_is_drawn(
    tmp_path: Path, settings: Settings, change: object, mean: float
) -> None:
    """When the PDF shows a picture as a negative, or behind a mask, so do we."""
    found = load(tmp_path, changed_pdf(SCAN, change), settings)
    assert found.image.mean() == pytest.approx(mean, abs=4)


def test_a_coarse_picture_behind_a_mask_is_drawn_all_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    """A scan of 36 dots per inch that must be drawn is not called too large."""
    coarse = scanned_pdf(as_bytes(GREY.resize((306, 396)), "PNG"), page=LETTER)
    found = load(tmp_path, changed_pdf(coarse, _negative), settings)
    assert found.image.shape[0] >= 396


def test_a_scan_that_needs_a_program_that_is_missing_is_drawn(
    tmp_path: Path, settings: Settings
) -> None:
    """JBIG2, the coding of many office scanners, is left to Poppler, and is no crash."""
    data = changed_pdf(
        SCAN, lambda p: first_picture(p).write(b"\0" * 40, filter=pikepdf.Name.JBIG2Decode)
    )
    assert load(tmp_path, data, settings).image.ndim == 2


def test_a_stamp_over_a_scan_is_not_lost(tmp_path: Path, settings: Settings) -> None:
    """A 'received' stamp that an office put on as an annotation is part of the page."""

    def stamp(document: pikepdf.Pdf) -> None:
        look = document.make_stream(
            b"0 g 0 0 40 20 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form,
            BBox=[0, 0, 40, 20],
        )  # fmt: skip
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[200, 20, 240, 40], F=4,
            AP=pikepdf.Dictionary(N=look),
        )  # fmt: skip
        document.pages[0].obj.Annots = document.make_indirect(pikepdf.Array([note]))

    found = load(tmp_path, changed_pdf(SCAN, stamp), settings)
    height, width = found.image.shape
    place = found.image[round(height * 0.80) : round(height * 0.85), round(width * 0.73) :]
    assert place[:, : width // 20].max() < 60


def test_a_link_over_a_scan_changes_nothing(tmp_path: Path, settings: Settings) -> None:
    """An invisible link is no reason to draw a scan afresh."""

    def link(document: pikepdf.Pdf) -> None:
        note = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9]
        )
        document.pages[0].obj.Annots = pikepdf.Array([note])

    assert np.array_equal(load(tmp_path, changed_pdf(SCAN, link), settings).image, PIXELS)


def test_a_page_number_over_a_wrapped_scan_does_not_hide_it(
    tmp_path: Path, settings: Settings
) -> None:
    """Programs that number pages wrap the scan in a form; it is read, and not only its number."""
    numbered = typed_pdf([(10, 5, "ALDER FALLS 000123 PAGE 1 OF 1")], size=(288, 172.8))
    with pikepdf.open(io.BytesIO(SCAN)) as scan:
        data = changed_pdf(numbered, lambda p: p.pages[0].add_underlay(scan.pages[0]))
    found = load(tmp_path, data, settings)
    assert found.lines is None
    assert (found.image < 128).mean() > 0.02


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_born_digital_page_keeps_its_words_where_they_stand(
    tmp_path: Path, settings: Settings, rotate: int
) -> None:
    """The file's own words come with boxes that lie on their ink, however the page is turned."""
    data = changed_pdf(typed_pdf(TYPED), lambda p: p.pages[0].obj.__setattr__("Rotate", rotate))
    found = load(tmp_path, data, settings)
    assert found.lines
    assert {line.text for line in found.lines} == {text for _, _, text in TYPED}
    assert found.image.shape == ((3300, 2550) if rotate in (0, 180) else (2550, 3300))
    for word in (w for line in found.lines for w in line.words):
        ink = found.image[word.box.top : word.box.bottom, word.box.left : word.box.right] < 128
        assert word.confidence == 1.0
        assert 0.1 < ink.mean() < 0.6, word
    elsewhere = found.image.copy()
    for word in (w for line in found.lines for w in line.words):
        elsewhere[word.box.top : word.box.bottom, word.box.left : word.box.right] = 255
    assert (elsewhere < 128).sum() < 100


def test_words_stand_where_they_were_drawn(tmp_path: Path, settings: Settings) -> None:
    """A word drawn at (72, 700) points stands there in pixels of 300 dots per inch."""
    found = load(tmp_path, typed_pdf(TYPED), settings)
    assert found.lines
    word = next(w for line in found.lines for w in line.words if w.text == "Town")
    assert word.box.left == pytest.approx(72 / 72 * 300, abs=4)
    baseline = (792 - 700) / 72 * 300
    assert word.box.top < baseline < word.box.bottom


def test_a_cropped_page_is_what_a_viewer_shows(tmp_path: Path, settings: Settings) -> None:
    """The crop box is the page; where it reaches beyond the paper, the paper is."""

    def crop(*box: float) -> bytes:
        return changed_pdf(
            typed_pdf(TYPED), lambda p: p.pages[0].obj.__setattr__("CropBox", list(box))
        )

    found = load(tmp_path, crop(36, 600, 336, 760), settings)
    assert found.lines
    assert [line.text for line in found.lines] == ["Town of Alder Falls"]
    assert found.lines[0].words[0].box.left == pytest.approx(36 / 72 * 300, abs=4)
    assert found.image.shape[::-1] == pytest.approx((1250, 667), abs=1)
    assert load(tmp_path, crop(-100, -100, 2000, 2000), settings).image.shape == (3300, 2550)


def test_born_digital_pages_can_be_read_from_their_picture(
    tmp_path: Path, settings: Settings
) -> None:
    """read.born_digital = "read" mistrusts the file's own text."""
    found = load(tmp_path, typed_pdf(TYPED), settings, born_digital="read")
    assert found.lines is None
    assert (found.image < 128).any()


def test_the_answers_of_a_fillable_form_are_words(tmp_path: Path, settings: Settings) -> None:
    """What was typed into a PDF's own fields is text of the page."""
    out = io.BytesIO()
    pen = canvas.Canvas(out, pagesize=LETTER, invariant=1)
    pen.drawString(72, 700, "Name of the owner of the dog")
    pen.acroForm.textfield(name="owner", value="Aloysius Fenwick", x=72, y=640, width=300)
    pen.save()
    found = load(tmp_path, out.getvalue(), settings)
    assert "Aloysius Fenwick" in {line.text for line in found.lines or ()}


def test_an_old_text_layer_is_mistrusted(tmp_path: Path, settings: Settings) -> None:
    """A hidden layer over a scan is not believed: the page is the scan, to be read afresh."""
    found = load(tmp_path, over_scan("Permlt 2O19 from old OCR", hidden=True), settings)
    assert found.lines is None
    assert np.array_equal(found.image, PIXELS)


def test_an_old_text_layer_can_be_kept(tmp_path: Path, settings: Settings) -> None:
    """read.hidden_text = "keep" takes the layer's words, with boxes on the page's picture."""
    data = over_scan("Permlt 2O19 from old OCR", hidden=True)
    found = load(tmp_path, data, settings, hidden_text="keep")
    assert [line.text for line in found.lines or ()] == ["Permlt 2O19 from old OCR"]
    assert found.image.shape == pytest.approx(PIXELS.shape, abs=1)


def test_a_scan_without_a_layer_is_read_even_so(tmp_path: Path, settings: Settings) -> None:
    """Keeping layers does not lose the pages that have none."""
    found = load(tmp_path, SCAN, settings, hidden_text="keep")
    assert found.lines is None
    assert np.array_equal(found.image, PIXELS)


def test_a_page_of_both_is_drawn_and_read(tmp_path: Path, settings: Settings) -> None:
    """Visible text over a picture: neither alone is the page, so it is drawn whole."""
    found = load(tmp_path, over_scan("Received May 11 2021", hidden=False), settings)
    assert found.lines is None
    assert found.image.shape == (750, 1250)
    bare = load(tmp_path, over_scan("", hidden=False), settings).image
    assert (found.image < 128).mean() > (bare < 128).mean() * 0.9


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((0, 0, 14_400, 14_400), "is 200 by 200 inches, larger than limits.megapixels allows"),
        ((0, 0, 0, 0), "has no size"),
        ((0, 0, 612, 0), "has no size"),
    ],
)
def test_an_impossible_page_is_refused(
    tmp_path: Path, settings: Settings, box: tuple[float, ...], said: str
) -> None:
    """A page as large as a wall, or of no size, is a sentence that says so."""
    with pytest.raises(InputError) as caught:
        load(tmp_path, bare_page(b"0 0 m 9 9 l S", box), settings)
    assert str(caught.value).startswith(said)


def test_a_long_plan_is_drawn_within_the_limits(tmp_path: Path, settings: Settings) -> None:
    """A plan that is large but possible is drawn as finely as limits.megapixels allows."""
    few = replace(settings, limits=replace(settings.limits, megapixels=2))
    found = load(tmp_path, bare_page(b"0 0 m 2000 600 l S", (0, 0, 2000, 600)), few)
    assert 1_500_000 < found.image.size <= 2_000_000
    assert found.image.shape[1] / found.image.shape[0] == pytest.approx(2000 / 600, rel=0.01)


def test_pages_are_counted(tmp_path: Path, settings: Settings) -> None:
    """As many pages as the file has, and too many are refused."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(typed_pdf(TYPED, TYPED, TYPED))
    assert sources.count_pages(path, PDF, settings) == 3
    few = replace(settings, limits=replace(settings.limits, pages=2))
    with pytest.raises(InputError, match="has 3 pages, more than the 2"):
        sources.count_pages(path, PDF, few)


def test_a_pdf_that_only_its_owner_may_change_is_read(tmp_path: Path, settings: Settings) -> None:
    """A PDF that opens without a password is read, though it may not be edited."""
    lock = pikepdf.Encryption(user="", owner="secret")
    for data in (SCAN, typed_pdf(TYPED)):
        found = load(tmp_path, changed_pdf(data, lambda _: None, encryption=lock), settings)
        assert (found.image < 128).any()


@pytest.mark.parametrize("data", [SCAN, typed_pdf(TYPED, size=SMALL)], ids=["scan", "typed"])
@example(at=0.3, value=0, length=400)
@given(at=st.floats(0, 1), value=st.integers(0, 255), length=st.integers(1, 60))
@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_pdf_ends_in_a_page_or_a_sentence(
    tmp_path: Path, settings: Settings, data: bytes, at: float, value: int, length: int
) -> None:
    """Wherever a PDF is damaged, reading it gives a page or an InputError, nothing else."""
    hurt = bytearray(data)
    start = min(int(len(hurt) * at), len(hurt) - 1)
    hurt[start : start + length] = bytes([value]) * min(length, len(hurt) - start)
    said, image = "", None
    try:
        image = load(tmp_path, bytes(hurt), settings).image
    except InputError as error:
        said = str(error)
    assert said or (image is not None and image.ndim == 2)


def test_half_a_picture_on_a_drawn_page_is_noticed(tmp_path: Path, settings: Settings) -> None:
    """A page that is drawn, and whose picture is cut short, is not filed as if it were whole."""
    out = io.BytesIO()
    pen = canvas.Canvas(out, pagesize=SMALL, invariant=1)
    for x in (0, 150):
        pen.drawImage(ImageReader(GREY.rotate(x)), x, 0, 150, 180)
    pen.save()

    def cut(document: pikepdf.Pdf) -> None:
        picture = first_picture(document)
        raw = picture.read_raw_bytes()
        picture.write(raw[: len(raw) // 3], filter=picture.Filter)

    with pytest.raises(InputError):
        load(tmp_path, changed_pdf(out.getvalue(), cut), settings)


WIDE = card(size=(800, 240), texts=("Alder Falls        Permit 2019", "left        right"))
HALVES = [np.asarray(WIDE)[:, :400], np.asarray(WIDE)[:, 400:]]
STAMP = b" BT /F1 12 Tf 20 150 Td (RECEIVED May 11 2021 Town Clerk) Tj ET"


def drawn_with(
    content: bytes, picture: Image.Image = GREY, box: tuple[float, ...] = (0, 0, *SMALL)
):
    """Return a PDF of one page that draws a picture /P, and letters in /F1, as ``content`` says."""

    def fill(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(
            picture.convert("L").tobytes(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image,
            Width=picture.width, Height=picture.height, BitsPerComponent=8,
            ColorSpace=pikepdf.Name.DeviceGray,
        )  # fmt: skip
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        document.pages[0].obj.Resources = pikepdf.Dictionary(
            XObject=pikepdf.Dictionary(P=stream), Font=pikepdf.Dictionary(F1=font)
        )

    return changed_pdf(bare_page(content, box), fill)


def _inline(width: float, height: float) -> bytes:
    small = GREY.resize((100, 60)).tobytes()
    head = b"q %g 0 0 %g 0 0 cm BI /W 100 /H 60 /BPC 8 /CS /G /F /AHx ID " % (width, height)
    return head + small.hex().encode() + b"> EI Q"


@pytest.mark.parametrize(
    "content",
    [
        b"".join(b"q 300 0 0 45 0 %d cm /P Do Q " % low for low in (0, 45, 90, 135)),
        _inline(300, 180),
    ],
    ids=["strips", "inline"],
)
def test_a_stamp_on_a_scan_of_any_make_is_no_born_digital_page(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    """A scan in strips, or inline in the page, under a stamp is read: the stamp is not all."""
    assert load(tmp_path, drawn_with(content + STAMP), settings).lines is None


@pytest.mark.parametrize(
    "content",
    [
        _inline(100, 60),
        b"q 0 0 60 60 re W n 300 0 0 180 0 0 cm /P Do Q",
        b"q 0 0 m 60 0 l 0 60 l h W n 300 0 0 180 0 0 cm /P Do Q",
        b"q 300 0 0 180 250 150 cm /P Do Q",
    ],
    ids=["small", "clipped", "clipped oddly", "off the page"],
)
def test_a_small_picture_leaves_a_page_its_words(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    """A logo, or a picture of which little is seen, makes no scan of a born-digital page."""
    found = load(tmp_path, drawn_with(content + STAMP), settings)
    assert [line.text for line in found.lines or ()] == ["RECEIVED May 11 2021 Town Clerk"]


@pytest.mark.parametrize("half", [0, 1])
def test_each_half_of_a_spread_is_its_own_page(
    tmp_path: Path, settings: Settings, half: int
) -> None:
    """Two pages that show one picture through two crop boxes are two halves of it."""
    data = drawn_with(b"q 600 0 0 180 0 0 cm /P Do Q", WIDE, (0, 0, 600, 180))
    cropped = changed_pdf(
        data,
        lambda p: p.pages[0].obj.__setattr__("CropBox", [half * 300, 0, half * 300 + 300, 180]),
    )
    found = load(tmp_path, cropped, settings).image
    assert found.shape[1] / found.shape[0] == pytest.approx(300 / 180, rel=0.01)
    like = np.asarray(Image.fromarray(found).resize((400, 240)), dtype=int)
    assert np.abs(like - HALVES[half]).mean() < 8
    assert np.abs(like - HALVES[1 - half]).mean() > 8


@pytest.mark.parametrize(
    "content",
    [
        b"q 600 0 0 360 -100 -90 cm /P Do Q",
        b"q 0 0 150 180 re W n 300 0 0 180 0 0 cm /P Do Q",
        b"q 0 0 m 300 0 l 0 180 l h W n 300 0 0 180 0 0 cm /P Do Q",
    ],
    ids=["offset", "clip", "odd clip"],
)
def test_a_picture_of_which_a_part_is_shown_is_drawn(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    """What a page hides of its picture, beyond its edges or by a clip, is not on the page."""
    found = load(tmp_path, drawn_with(content), settings)
    assert found.image.shape == (750, 1250)


@pytest.mark.parametrize(
    "content",
    [
        b"q 0 0 300 180 re W n 300 0 0 180 0 0 cm /P Do Q",
        b"q 0 0 10 10 re W n Q q 302 0 0 181 -1 -0.5 cm /P Do Q",
        b"q 300 0 0 180 0 0 cm 0 0 1 1 re W n /P Do Q",
    ],
    ids=["clip to the page", "margins and another's clip", "clip to the picture"],
)
def test_a_clip_that_hides_nothing_leaves_a_scan_bit_for_bit(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    """Many programs clip a scan to its own page; it is the scan all the same."""
    assert np.array_equal(load(tmp_path, drawn_with(content), settings).image, PIXELS)


def test_a_scan_in_a_printers_colours_is_no_negative(tmp_path: Path, settings: Settings) -> None:
    """A JPEG of four colours means in a PDF the opposite of what it means by itself."""
    four = GREY.convert("RGB").convert("CMYK")
    plain = Image.frombytes("CMYK", four.size, bytes(255 - b for b in four.tobytes()))
    jpeg = as_bytes(plain, "JPEG", quality=95)  # Pillow turns the colours of a CMYK JPEG over

    def put(document: pikepdf.Pdf) -> None:
        picture = first_picture(document)
        picture.write(jpeg, filter=pikepdf.Name.DCTDecode)
        picture.ColorSpace = pikepdf.Name.DeviceCMYK

    found = load(tmp_path, changed_pdf(drawn_with(b"q 300 0 0 180 0 0 cm /P Do Q"), put), settings)
    assert found.image.mean() == pytest.approx(PIXELS.mean(), abs=8)


@pytest.mark.parametrize("turn", ["45", "90.0", "/Left", "[90]"])
@pytest.mark.parametrize("data", [SCAN, typed_pdf(TYPED, size=SMALL)], ids=["scan", "typed"])
def test_a_turn_that_is_no_quarter_is_none(
    tmp_path: Path, settings: Settings, data: bytes, turn: str
) -> None:
    """Poppler heeds /Rotate only in whole quarters, and so do we."""
    value = pikepdf.Object.parse(turn.encode())
    page = changed_pdf(data, lambda p: p.pages[0].obj.__setattr__("Rotate", value))
    assert np.array_equal(
        load(tmp_path, page, settings).image, load(tmp_path, data, settings).image
    )


@pytest.mark.parametrize(("unit", "times"), [(2, 2), (0.5, 0.5), (0, 1), (-3, 1)])
@pytest.mark.parametrize("rotate", [0, 90])
def test_a_page_in_larger_units(
    tmp_path: Path, settings: Settings, unit: float, times: float, rotate: int
) -> None:
    """/UserUnit makes a page as large as it says, and its words lie on their ink."""

    def enlarge(document: pikepdf.Pdf) -> None:
        document.pages[0].obj.UserUnit = unit
        document.pages[0].obj.Rotate = rotate

    found = load(tmp_path, changed_pdf(typed_pdf([(20, 60, "Town of Alder")], size=SMALL), enlarge),
                 settings)  # fmt: skip
    shape = (round(750 * times), round(1250 * times))
    assert found.image.shape == (shape if rotate == 0 else shape[::-1])
    assert found.lines
    for word in found.lines[0].words:
        ink = found.image[word.box.top : word.box.bottom, word.box.left : word.box.right] < 128
        assert 0.1 < ink.mean() < 0.6, word
    scan = load(tmp_path, changed_pdf(SCAN, enlarge), settings)
    assert scan.dpi == (round(100 / times) if 100 / times >= 60 else 300)


def _two(picture: bytes) -> bytes:
    """Return a page that must be drawn: a scan, and a line over it."""
    line = b" 0 0 m 9 9 l S"
    return changed_pdf(
        scanned_pdf(picture),
        lambda p: p.pages[0].obj.__setattr__(
            "Contents", p.make_stream(p.pages[0].Contents.read_bytes() + line)
        ),
    )


ENCODED = {
    "deflate": as_bytes(GREY, "PNG"),
    "JPEG": as_bytes(GREY, "JPEG"),
    "colour JPEG": as_bytes(GREY.convert("RGB"), "JPEG"),
    "JPEG 2000": as_bytes(GREY, "JPEG2000"),
    "G4": as_bytes(PURE, "TIFF", compression="group4"),
    "palette": as_bytes(GREY.convert("P"), "PNG"),
    "1-bit": as_bytes(PURE, "PNG"),
}


@pytest.mark.parametrize("coding", ENCODED)
def test_a_drawn_picture_must_be_whole(tmp_path: Path, settings: Settings, coding: str) -> None:
    """However a picture on a drawn page is coded: whole it is drawn, cut short it is refused."""
    data = _two(ENCODED[coding])
    assert (load(tmp_path, data, settings).image < 128).mean() > 0.02

    def cut(document: pikepdf.Pdf) -> None:
        picture = first_picture(document)
        raw, parms = picture.read_raw_bytes(), picture.get("/DecodeParms")
        picture.write(raw[: len(raw) // 2], filter=picture.Filter, decode_parms=parms)

    with pytest.raises(InputError, match=r"has a picture that is .*cut short"):
        load(tmp_path, changed_pdf(data, cut), settings)


@pytest.mark.parametrize(
    "extra",
    [b" BT /F9 12 Tf (hello) Tj ET", b" /Nothing Do", b" 1 2 frobnicate Q Q Q", b" 1 2 3 re W n"],
)
def test_what_poppler_only_grumbles_at_is_drawn(
    tmp_path: Path, settings: Settings, extra: bytes
) -> None:
    """A missing font, a stray operator: the page's picture is whole, so the page is taken."""
    data = drawn_with(b"q 300 0 0 180 0 0 cm /P Do Q 0 0 m 9 9 l S" + extra)
    assert (load(tmp_path, data, settings).image < 128).mean() > 0.02


def test_a_fax_in_a_pdf_has_square_pixels(tmp_path: Path, settings: Settings) -> None:
    """A scan of 200 by 100 dots per inch is stretched, as in a file of its own."""
    squat = drawn_with(b"q 288 0 0 172.8 0 0 cm /P Do Q", _squat(2), (0, 0, 288, 172.8))
    for turn in (0, 90):
        data = changed_pdf(squat, lambda p, t=turn: p.pages[0].obj.__setattr__("Rotate", t))
        found = load(tmp_path, data, settings)
        expected = np.asarray(_squat(2).resize((800, 480), Image.Resampling.NEAREST))
        assert np.array_equal(found.image, np.rot90(expected, -turn // 90))
        assert found.dpi == 200


def _squat(times: int) -> Image.Image:
    return GREY.resize((GREY.width * times, GREY.height))
