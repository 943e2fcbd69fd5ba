"""Barcodes and patch codes: what is read, what parts papers, and what is none of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from digitize import sources
from digitize.barcodes import Barcode, is_patch_t, read_barcodes
from digitize.form_file import load_form
from digitize.forms import FormTemplate
from digitize.identify import identify
from digitize.importing import Importer
from digitize.installation import open_installation
from digitize.intake import walk
from digitize.orientation import Grey
from digitize.page import PageTask, reading_key, work_on_page
from digitize.signatures import media_type
from records.archive import Archive
from records.filing import Intake
from records.geometry import Box
from records.model import Line, PageResult, Word
from records.settings import Settings
from tests.digitize.making import SAMPLES, as_bytes, card, configured

# The bars of Kodak's patches, from the edge that goes into the scanner first: wide and narrow.
PATCHES = {"1": "WWNN", "2": "WNNW", "3": "WNWN", "4": "NWWN", "6": "NNWW", "T": "NWNW"}
SHORT = {"archive": {"free_mb": 1}, "read": {"mode": "tesseract"}}


def patch(name: str, dpi: int, length: float = 2.0, ink: int = 0, paper: int = 255) -> Image.Image:
    """Draw a letter sheet with a patch, its bars ``length`` inches long."""
    sheet = Image.new("L", (round(8.5 * dpi), 11 * dpi), paper)
    pen, top = ImageDraw.Draw(sheet), 0.5
    for bar in PATCHES[name]:
        bottom = top + (0.2 if bar == "W" else 0.08)
        places = (dpi, round(top * dpi), round((1 + length) * dpi) - 1, round(bottom * dpi) - 1)
        pen.rectangle(places, fill=ink)
        top = bottom + 0.08
    return sheet


def turned(sheet: Image.Image, degrees: float) -> Image.Image:
    """Lay a sheet on the glass at an angle."""
    return sheet.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=255)


def scanned(sheet: Image.Image, noise: float = 0.0) -> Grey:
    """Return a sheet as pixels, a share of them black or white by chance."""
    dice = np.random.default_rng(7)
    pixels = np.array(sheet)
    hit = dice.random(pixels.shape) < noise
    pixels[hit] = dice.integers(0, 2, int(hit.sum()), dtype=np.uint8) * 255
    return pixels


def code(kind: zxingcpp.BarcodeFormat, text: str, scale: int = 4) -> Image.Image:
    """Draw a letter sheet at 150 dots per inch with a barcode at (200, 300)."""
    sheet = Image.new("L", (1275, 1650), 255)
    made = zxingcpp.create_barcode(text, kind).to_image(scale=scale)
    sheet.paste(Image.fromarray(np.array(made)), (200, 300))
    return sheet


@pytest.mark.parametrize("degrees", [0, 3, 90, 180])
@pytest.mark.parametrize(
    ("kind", "name"),
    [(zxingcpp.BarcodeFormat.QRCode, "QR Code"), (zxingcpp.BarcodeFormat.Code128, "Code 128")],
)
def test_a_barcode_is_read(kind: zxingcpp.BarcodeFormat, name: str, degrees: float) -> None:
    """QR codes and Code 128 are read whichever way the sheet lies, specks and all."""
    (found,) = read_barcodes(scanned(turned(code(kind, "PERMIT-2019-0412"), degrees), 0.01))
    assert (found.kind, found.text) == (name, "PERMIT-2019-0412")


def test_a_barcode_has_its_place() -> None:
    """The box is where the code stands on the page, to a few pixels."""
    page = scanned(code(zxingcpp.BarcodeFormat.QRCode, "A-17"))
    (found,) = read_barcodes(page)
    ink = np.argwhere(page < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    assert isinstance(found, Barcode)
    assert np.allclose(found.box, Box(int(left), int(top), int(right), int(bottom)), atol=4)


@pytest.mark.parametrize("dpi", [150, 200, 300])
@pytest.mark.parametrize("degrees", [0, 2, -2, 5, 90, 180, 272])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_a_patch_t_is_found(dpi: int, degrees: float, noise: float) -> None:
    """Four bars tell it at any customary resolution, askew, on its side or head, and speckled."""
    assert is_patch_t(scanned(turned(patch("T", dpi), degrees), noise))


@pytest.mark.parametrize(("ink", "paper"), [(0, 180), (60, 190), (90, 220)])
def test_a_pale_patch_t_is_found(ink: int, paper: int) -> None:
    """A sheet of coloured paper, printed or copied faintly, still parts papers."""
    assert is_patch_t(scanned(patch("T", 200, ink=ink, paper=paper), 0.05))


def test_a_short_patch_t_is_found() -> None:
    """Bars of three quarters of an inch, the shortest that scanners take, are enough."""
    assert is_patch_t(scanned(patch("T", 200, length=0.75)))


@pytest.mark.parametrize("name", ["1", "2", "4", "6"])
@pytest.mark.parametrize("degrees", [0, 2, 90, 180])
def test_another_patch_is_no_patch_t(name: str, degrees: float) -> None:
    """Patches that switch colour or levels part nothing."""
    assert not is_patch_t(scanned(turned(patch(name, 200), degrees), 0.1))


@pytest.mark.parametrize("scale", range(1, 30, 4))
@pytest.mark.parametrize("kind", ["Code39", "Code128", "ITF", "QRCode", "PDF417"])
def test_a_barcode_is_no_patch_t(kind: str, scale: int) -> None:
    """However large, a barcode's bars are not taken for a patch."""
    sheet = code(getattr(zxingcpp.BarcodeFormat, kind), "123456", scale)
    assert not is_patch_t(scanned(sheet))


@pytest.mark.parametrize(
    "name",
    ["Kestrel Lane 40.tif", "scan0012.bmp", "comment card.webp", "fax from public works.tif"],
)
def test_papers_have_neither(name: str, settings: Settings) -> None:
    """Letters, rules, tables and tick boxes are no bars; an empty or tiny page has none."""
    path = SAMPLES / name
    kind = media_type(path) or ""
    page = sources.load_page(path, kind, 1, settings).image
    assert not is_patch_t(page)
    assert read_barcodes(page) == ()
    for shape in ((1, 1), (7, 2000), (1650, 1275)):
        assert not is_patch_t(np.full(shape, 255, np.uint8))


def form_with(pattern: str, folder: Path, more: str = "") -> FormTemplate:
    """Return a form of two pages that is known by its barcode."""
    path = folder / "permit.toml"
    path.write_text(
        f"name = 'permit'\ntitle = 'Permit'\npages = 2\n[identify]\nbarcode = '{pattern}'\n"
        f"anchors = [{{ text = 'PERMIT' }}, {{ text = 'CONDITIONS', page = 2 }}]\n{more}"
        "[[fields]]\nname = 'site'\nbeside = 'Site'\n"
    )
    return load_form(path, frozenset())


@pytest.mark.parametrize(
    ("codes", "text", "page"),
    [
        (("F-104",), "nothing of it", 1),
        (("x", "F-7"), "nothing of it", 1),
        (("F-104",), "CONDITIONS", 2),
        (("F-104b",), "nothing of it", 0),
        ((), "nothing of it", 0),
    ],
)
def test_a_form_is_known_by_its_barcode(
    codes: tuple[str, ...], text: str, page: int, tmp_path: Path
) -> None:
    """A barcode that matches as a whole says the form; its words say if it is another page."""
    form = form_with(r"F-\d+", tmp_path)
    lines = (Line(tuple(Word(part, Box(0, 0, 9, 9), 0.9) for part in text.split())),)
    found = identify(lines, {form.name: form}, codes)
    assert (found.page if found else 0) == page
    assert found is None or found.score == 1.0


def work(picture: Image.Image, folder: Path, forms: dict[str, FormTemplate], **intake: object):
    """Return what a page is found to be."""
    settings = configured(folder, **SHORT, intake=intake)
    archive = Archive(settings.archive.folder)
    archive.prepare()
    path = folder / "page.png"
    path.write_bytes(as_bytes(picture, "PNG", dpi=(150, 150)))
    task = PageTask(path, path.name, "image/png", 1, None, settings, forms, archive.work)
    result = work_on_page(task)
    assert isinstance(result, PageResult)
    return result


@pytest.mark.parametrize(
    ("text", "intake", "parts"),
    [
        ("SEPARATOR", {}, True),
        ("NO SEPARATOR", {}, False),
        ("NEXT-17", {"separator_barcode": r"NEXT-\d+"}, True),
        ("SEPARATOR", {"separator_barcode": ""}, False),
        ("SEPARATOR", {"split": ["form"]}, False),
    ],
)
def test_which_barcodes_part_papers(
    text: str, intake: dict[str, object], parts: bool, tmp_path: Path
) -> None:
    """A sheet with nothing but a QR code is a separator when the settings say that text."""
    sheet = code(zxingcpp.BarcodeFormat.QRCode, text, 3)
    assert work(sheet, tmp_path, {}, **intake).separator is parts


def test_a_page_is_searched_for_its_forms_barcode(tmp_path: Path) -> None:
    """A form of which no printed word was read is known by the code on it, and parts nothing."""
    form = form_with("SEPARATOR", tmp_path)
    sheet = code(zxingcpp.BarcodeFormat.Code128, "SEPARATOR", 3)
    found = work(sheet, tmp_path, {form.name: form})
    assert (found.form, found.form_page, found.separator) == ("permit", 1, False)


def test_a_patch_on_a_known_form_parts_nothing(tmp_path: Path) -> None:
    """A form that has bars printed on it keeps its fields."""
    sheet = patch("T", 150)
    sheet.paste(card(("PERMIT", "Site  Elm Street 12")), (300, 600))
    assert work(sheet, tmp_path, {}).separator
    known = replace(form_with("x", tmp_path), pages=1)
    found = work(sheet, tmp_path, {known.name: replace(known, anchors=known.anchors[:1])})
    assert (found.form, found.separator) == ("permit", False)


def test_a_new_barcode_reads_pages_again(tmp_path: Path) -> None:
    """What parts papers shapes a page's reading, where separators count."""
    keys = [
        reading_key(configured(tmp_path, intake=intake), {}, None)
        for intake in (
            {}, {"separator_barcode": "X"}, {"separator_barcode": ""}, {"split": []},
            {"split": [], "separator_barcode": "X"},
        )
    ]  # fmt: skip
    assert len(set(keys)) == 4
    assert keys[3] == keys[4]


def test_a_drawer_is_parted_at_a_patch_t(tmp_path: Path) -> None:
    """Two papers with a sheet of bars between them become two records; the sheet is kept."""
    first, second = card(("Town of Alder Falls", "Notes of May")), card(("Fence of Mr. Fenwick",))
    drawer = tmp_path / "box.tif"
    sheets = [patch("T", 150), second]
    drawer.write_bytes(as_bytes(first, "TIFF", save_all=True, append_images=sheets, dpi=(150, 150)))
    installation = open_installation(configured(tmp_path, **SHORT))
    with installation.archive.run() as run:
        intake = Intake("test", "Drawer 1", None, None, run.name)
        importer = Importer(installation, intake, run, lambda _: None, lambda _: None)
        importer.process(walk([drawer]), (), 1)
    records = installation.store.documents(installation.store.system_viewer("carl"))
    pages = sorted([p.number for p in installation.store.pages(d.id)] for d in records)
    installation.store.close()
    assert pages == [[1, 2], [3]]
