"""Clean-up of page images: the project's own scans, and pages drawn for one question each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from digitize import image, sources
from digitize.image import Cleaning
from digitize.orientation import Orientation, find_orientation
from digitize.signatures import media_type
from digitize.sources import Loaded
from records.geometry import Box
from records.settings import Settings
from tests.digitize.making import SAMPLES, TRUTH, card

ALL = Cleaning(True, True, True, True, True)
UPRIGHT = Orientation(0, 0.0, 1.0)
DENSE = (
    "The meeting was called to order at 7:30",
    "by Mayor Whitlock. All members were present",
    "but one. Minutes of April 27 were read",
    "and approved as printed. Mr. Fenwick asked",
    "that the fence behind the old mill be",
    "mended before winter; the clerk is to write",
    "to the owner. Bills of $1,204.50 were paid.",
    "A hearing on the bridge follows on June 8.",
    "There being nothing else, they adjourned",
    "at 9:10. Respectfully, J. Hollis, Clerk",
)


@dataclass(frozen=True)
class Sample:
    """One page of the project's own scans, and the truth about it."""

    file: str
    number: int
    truth: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file} {self.number}"


def _samples() -> list[Sample]:
    found = []
    for path in sorted(TRUTH.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        found += [Sample(truth["file"], page["number"], page) for page in truth["pages"]]
    return found


SAMPLE_PAGES = _samples()


@cache
def loaded(file: str, number: int, settings: Settings) -> Loaded:
    path = SAMPLES / file
    return sources.load_page(path, media_type(path), number, settings)


def orientation(page: Loaded) -> Orientation:
    """Find how a page lies, as the reading of a page does: the scanner's frame left out."""
    frame = image.border_mask(page.image)
    seen = page.image if frame is None else np.where(frame > 0, np.uint8(255), page.image)
    return find_orientation(seen)


def typed(texts: tuple[str, ...] = DENSE) -> image.Grey:
    """Return a page of typed lines, white and upright."""
    return np.array(card(texts, (1000, 900)))


@pytest.mark.parametrize("sample", SAMPLE_PAGES, ids=str)
def test_only_blank_samples_are_blank(sample: Sample, settings: Settings) -> None:
    """A blank reverse with bleed-through is blank; no page with writing is."""
    page = loaded(sample.file, sample.number, settings)
    frame = image.border_mask(page.image)
    clean = image.clean(page.image, orientation(page), page.bitonal, ALL, frame)
    assert clean.blank is sample.truth["blank"]


def test_what_is_switched_off_is_not_done() -> None:
    """Each step can be switched off by its setting."""
    page = np.ascontiguousarray(np.rot90(image.rotate(typed(), -4), 2))
    assert find_orientation(page, turn=False).turn == 0
    assert find_orientation(page, deskew=False).skew_degrees == 0.0
    off = Cleaning(False, False, False, False, False)
    clean = image.clean(page, UPRIGHT, False, off)
    assert clean.steps == ()
    assert np.array_equal(clean.image, page)


@pytest.mark.parametrize("bitonal", [False, True])
def test_a_page_that_no_step_helped_is_left_alone(bitonal: bool) -> None:
    """A clean page that lies upright is not touched, to the pixel."""
    page = typed()
    if bitonal:  # of so fine a resolution that the edges are not ragged
        page = np.repeat(np.repeat(np.where(page < 128, np.uint8(0), np.uint8(255)), 2, 0), 2, 1)
    found = find_orientation(page)
    clean = image.clean(page, found, bitonal, ALL, image.border_mask(page))
    assert clean.steps == ()
    assert np.array_equal(clean.image, page)
    assert clean.geometry.to_original(12.0, 34.0) == (12.0, 34.0)


def _white() -> image.Grey:
    return np.full((900, 700), 255, np.uint8)


def _dusty() -> image.Grey:
    page = _white()
    places = np.random.default_rng(1).integers(20, 680, (300, 2))
    page[places[:, 0], places[:, 1]] = 0
    return page


def _bled_through() -> image.Grey:
    through = cv2.GaussianBlur(np.ascontiguousarray(typed()[:, ::-1]), (9, 9), 0)
    return np.asarray(255 - (255 - through.astype(int)) // 20, dtype=np.uint8)


def _punched() -> image.Grey:
    page = _white()
    for y in (200, 450, 700):
        cv2.circle(page, (40, y), 15, 0, -1)
    return page


def _black() -> image.Grey:
    return np.zeros((900, 700), np.uint8)


@pytest.mark.parametrize("make", [_white, _dusty, _bled_through, _punched, _black])
def test_a_page_without_writing_is_blank(make: Any) -> None:
    """White, dust, faint bleed-through, punch holes, the scanner's lid: nothing to read."""
    page = make()
    clean = image.clean(page, UPRIGHT, False, ALL, image.border_mask(page))
    assert clean.blank


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 3000), (3000, 1), (7, 7), (30, 30), (9, 5000), (39, 41)]
)
@pytest.mark.parametrize("colour", [0, 255])
def test_the_smallest_pages_pass(size: tuple[int, int], colour: int) -> None:
    """A picture of a pixel, or as thin as a hair, ends neither in an error nor in a crash."""
    page = np.full(size, colour, np.uint8)
    found = find_orientation(page)
    clean = image.clean(page, found, False, ALL, image.border_mask(page))
    assert clean.blank
    assert image.rendition(image.encode_png(clean.image), 100).startswith(b"\xff\xd8")


def test_a_scanners_frame_is_cut_off() -> None:
    """The black frame goes, and all of the sheet stays."""
    scan = np.zeros((1100, 1300), np.uint8)
    sheet = typed()
    scan[90 : 90 + 900, 140 : 140 + 1000] = sheet
    frame = image.border_mask(scan)
    assert frame is not None
    clean = image.clean(scan, UPRIGHT, False, ALL, frame)
    assert "crop" in clean.steps
    crop = clean.geometry.crop
    assert crop == pytest.approx(Box(140, 90, 1140, 990), abs=8)
    inner = clean.image[20:-20, 20:-20]
    assert (inner < 128).sum() == pytest.approx((sheet < 128).sum(), rel=0.02)
    edge = np.concatenate((clean.image[:4].ravel(), clean.image[-4:].ravel()))
    assert edge.min() == 255


def test_writing_at_the_edge_is_no_frame() -> None:
    """A page without a frame is not cropped, though a rule runs to its edge."""
    page = typed()
    page[100:106, 0:300] = 0
    assert image.border_mask(page) is None


def test_shadows_turn_white() -> None:
    """A shadow across a page goes, and the writing under it stays."""
    page = typed()
    shade = np.linspace(1.0, 0.55, page.shape[1])
    shaded = np.asarray(page * shade, dtype=np.uint8)
    clean = image.clean(shaded, UPRIGHT, False, ALL, None)
    assert "background" in clean.steps
    assert np.percentile(clean.image, 40) >= 250
    assert (clean.image < 128).sum() == pytest.approx((page < 128).sum(), rel=0.15)


def _strewn(page: image.Grey, specks: int) -> image.Grey:
    places = np.random.default_rng(2).integers((0, 0), page.shape, (specks, 2))
    strewn = page.copy()
    strewn[places[:, 0], places[:, 1]] = 0
    return strewn


def test_specks_fade_and_full_stops_stay() -> None:
    """On a dusty page specks turn pale, and as many full stops and dots as before stay dark."""
    page = typed()
    dusty = _strewn(page, 400)
    clean = image.clean(dusty, UPRIGHT, False, ALL)
    assert clean.steps == ("soften",)
    assert np.array_equal(clean.image, dusty)  # what is kept stays as it was scanned
    shown = image.soften(clean.image, 1.0)
    specks = (dusty != page) & (cv2.erode(page, np.ones((9, 9), np.uint8)) == 255)
    assert specks.sum() > 100
    assert shown[specks].min() > 128
    pieces = [cv2.connectedComponents((p < 160).astype(np.uint8))[0] for p in (page, shown)]
    assert pieces[1] == pytest.approx(pieces[0], rel=0.1)


@pytest.mark.parametrize(
    ("height", "bitonal", "specks", "softened"),
    [(20, False, 400, True), (20, False, 20, False), (10, False, 400, False),
     (20, True, 0, True), (30, True, 400, False), (10, True, 0, False), (0, False, 400, False)],
)  # fmt: skip
def test_only_grain_and_fax_are_softened(
    height: float, bitonal: bool, specks: int, softened: bool
) -> None:
    """Grainy grey pages and coarse 1-bit ones are; clean ones and small letters never."""
    assert image.needs_softening(_strewn(_white(), specks), height, bitonal) is softened


@pytest.mark.parametrize(
    ("height", "pixels", "scale"),
    [(9, 760_000, 2.0), (12, 2_000_000, 1.5), (15, 2_000_000, 1.0), (25, 8_000_000, 1.0),
     (60, 8_000_000, 1.0), (120, 8_000_000, 0.25), (500, 8_000_000, 0.25), (0, 8_000_000, 1.0),
     (9, 40_000_000, 1.0), (9, 22_500_000, 4 / 3), (25, 160_000_000, 0.5)],
)  # fmt: skip
def test_letters_are_brought_to_a_readable_size(height: float, pixels: int, scale: float) -> None:
    """Small letters are enlarged, huge ones and huge pages reduced, all others left as they are."""
    assert image.reading_scale(height, pixels) == pytest.approx(scale)


@pytest.mark.parametrize(
    ("height", "told"), [(0, 96), (2, 70), (10, 180), (20, 360), (30, 540), (100, 1200)]
)
def test_the_resolution_follows_the_letters(height: float, told: int) -> None:
    """What a reader is told of the resolution goes by the letters, else by what the file says."""
    assert image.reading_dpi(height, 96) == told


def test_png_and_back() -> None:
    """A stored page image is the page, grey or black and white."""
    grey = typed()
    grey[0, 0] = 7
    pure = np.where(grey < 128, np.uint8(0), np.uint8(255))
    for page in (grey, pure, grey[:1, :1]):
        assert np.array_equal(image.decode_png(image.encode_png(page)), page)
    assert len(image.encode_png(pure)) < len(image.encode_png(grey))


@pytest.mark.parametrize("damaged", [b"png", b"\x89PNG\r\n\x1a\n"])
def test_a_damaged_page_image_is_told(damaged: bytes) -> None:
    """What cannot be decoded is a ValueError, not an empty page."""
    with pytest.raises(ValueError, match="damaged"):
        image.decode_png(damaged)


def test_a_rendition_is_a_small_jpeg() -> None:
    """For looking at, a page is never wider than asked for, and never enlarged."""
    png = image.encode_png(typed())
    for asked, width in ((400, 400), (5000, 1000)):
        seen = cv2.imdecode(np.frombuffer(image.rendition(png, asked), np.uint8), 0)
        assert seen is not None
        assert seen.shape[1] == width


def _box_at(left: int, top: int, side: int = 30, ticked: bool = False) -> image.Grey:
    page = np.full((300, 300), 255, np.uint8)
    cv2.rectangle(page, (left, top), (left + side, top + side), 0, 2)
    if ticked:
        cv2.line(page, (left + 6, top + 6), (left + side - 6, top + side - 6), 0, 3)
        cv2.line(page, (left + side - 6, top + 6), (left + 6, top + side - 6), 0, 3)
    return page


def test_ink_is_told_from_rules() -> None:
    """A cross is ink; an empty box, a rule and a white patch are none; outside is none."""
    inner = Box(126, 136, 145, 155)
    assert image.ink_share(_box_at(120, 130, ticked=True), inner) > 0.2
    assert image.ink_share(_box_at(120, 130), inner) == 0.0
    ruled = np.full((60, 300), 255, np.uint8)
    ruled[40:43] = 0
    assert image.ink_share(ruled, Box(0, 0, 300, 60)) == 0.0
    assert image.ink_share(ruled, Box(400, 400, 500, 500)) == 0.0
