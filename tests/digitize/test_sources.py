"""Pages out of picture files: every pixel as it lies in the file, or a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from digitize import sources
from digitize.signatures import IMAGE_TYPES
from digitize.sources import Loaded
from records.errors import InputError
from records.settings import Settings
from tests.digitize.making import as_bytes, card

TYPES = {name: kind for kind, name in IMAGE_TYPES.items()}
GREY = card(size=(320, 200), texts=("Alder Falls", "2019-0412"))
PURE = GREY.convert("1")
PIXELS = np.asarray(GREY)
PURE_PIXELS = np.asarray(PURE.convert("L"))


def load(folder: Path, data: bytes, kind: str, settings: Settings, number: int = 1) -> Loaded:
    """Load a page from a file of these bytes."""
    path = folder / "scan"
    path.write_bytes(data)
    return sources.load_page(path, TYPES[kind], number, settings)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_pictures_come_out_as_they_went_in(
    tmp_path: Path, settings: Settings, kind: str
) -> None:
    """Nothing is lost between a file and the page that is worked on."""
    grey = load(tmp_path, as_bytes(GREY, kind), kind, settings)
    assert np.array_equal(grey.image, PIXELS)
    assert not grey.bitonal
    pure = load(tmp_path, as_bytes(PURE, kind), kind, settings)
    assert np.array_equal(pure.image, PURE_PIXELS)
    assert pure.bitonal


def test_webp(tmp_path: Path, settings: Settings) -> None:
    """A lossless WebP is the picture itself, its colours made grey."""
    found = load(tmp_path, as_bytes(GREY, "WEBP", lossless=True), "WEBP", settings)
    assert np.abs(found.image.astype(int) - PIXELS).max() <= 1


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "tiff_adobe_deflate"])
def test_every_frame_of_a_tiff(tmp_path: Path, settings: Settings, compression: str) -> None:
    """Each frame is a page, in its order, in its own size."""
    first = PURE if compression.startswith("group") else GREY
    second = first.rotate(90, expand=True)
    data = as_bytes(
        first, "TIFF", compression=compression, save_all=True, append_images=[second, first]
    )
    path = tmp_path / "scan"
    path.write_bytes(data)
    assert sources.count_pages(path, "image/tiff", settings) == 3
    for number, frame in ((1, first), (2, second), (3, first)):
        found = load(tmp_path, data, "TIFF", settings, number)
        assert np.array_equal(found.image, np.asarray(frame.convert("L"))), number


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_cameras_turn_is_undone(tmp_path: Path, settings: Settings, tag: int, kind: str) -> None:
    """Whichever way a camera was held (EXIF orientation 1 to 8), the page comes out upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = GREY.transpose(undo[tag]) if tag in undo else GREY
    exif = Image.Exif()
    exif[274] = tag
    options = {"exif": exif, "quality": 95} if kind == "JPEG" else {"exif": exif}
    found = load(tmp_path, as_bytes(stored, kind, **options), kind, settings)
    assert found.image.shape == PIXELS.shape
    assert np.abs(found.image.astype(int) - PIXELS).mean() < 2


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(PIXELS.astype(np.uint16) * 257)


def _on_glass() -> Image.Image:
    """Black letters on nothing: only the alpha channel says where they are."""
    black = Image.new("RGBA", GREY.size, (0, 0, 0, 0))
    black.putalpha(Image.fromarray(255 - PIXELS))
    return black


def _clear_palette() -> Image.Image:
    image = GREY.convert("P")
    image.info["transparency"] = int(np.asarray(image)[0, 0])
    return image


@pytest.mark.parametrize(
    "image",
    [
        _sixteen_bits(),
        _on_glass(),
        _clear_palette(),
        GREY.convert("P"),
        GREY.convert("RGB"),
        GREY.convert("LA"),
        GREY.convert("RGB").quantize(16),
    ],
    ids=["16 bit", "alpha", "clear palette", "palette", "colour", "grey and alpha", "16 colours"],
)
def test_every_kind_of_png(tmp_path: Path, settings: Settings, image: Image.Image) -> None:
    """However a PNG codes its pixels, black letters on white paper come out so."""
    options = {k: v for k, v in image.info.items() if k == "transparency"}
    found = load(tmp_path, as_bytes(image, "PNG", **options), "PNG", settings)
    assert np.abs(found.image.astype(int) - PIXELS).mean() < 4
    assert found.image.dtype == np.uint8


def test_a_jpeg_of_a_printers_colours(tmp_path: Path, settings: Settings) -> None:
    """A CMYK JPEG is not taken for its negative."""
    data = as_bytes(GREY.convert("RGB").convert("CMYK"), "JPEG", quality=95)
    found = load(tmp_path, data, "JPEG", settings)
    assert np.abs(found.image.astype(int) - PIXELS).mean() < 4


@pytest.mark.parametrize(
    ("written", "taken"), [((200, 200), 200), ((1, 1), 300), ((20_000, 20_000), 300), (None, 300)]
)
def test_the_resolution(
    tmp_path: Path, settings: Settings, written: tuple[int, int] | None, taken: int
) -> None:
    """A resolution that cannot be right is not believed."""
    options = {"dpi": written} if written else {}
    assert load(tmp_path, as_bytes(GREY, "PNG", **options), "PNG", settings).dpi == taken


def test_too_many_pages(tmp_path: Path, settings: Settings) -> None:
    """A file of more pages than allowed says how many it has, and how many are allowed."""
    few = replace(settings, limits=replace(settings.limits, pages=2))
    path = tmp_path / "scan"
    path.write_bytes(as_bytes(PURE, "TIFF", save_all=True, append_images=[PURE, PURE]))
    with pytest.raises(InputError, match=r"has 3 pages, more than the 2 that limits\.pages"):
        sources.count_pages(path, "image/tiff", few)


def test_too_many_pixels(tmp_path: Path, settings: Settings) -> None:
    """A picture larger than allowed is refused before it is unpacked, in every frame."""
    little = replace(settings, limits=replace(settings.limits, megapixels=1))
    large = Image.new("1", (1200, 1000))
    data = as_bytes(PURE, "TIFF", save_all=True, append_images=[large])
    assert load(tmp_path, data, "TIFF", little).image.shape == PIXELS.shape
    with pytest.raises(InputError, match="megapixels"):
        load(tmp_path, data, "TIFF", little, 2)
    with pytest.raises(InputError, match="megapixels"):
        load(tmp_path, as_bytes(large, "PNG"), "PNG", little)


SCANS = {
    "PNG": as_bytes(GREY, "PNG"),
    "JPEG": as_bytes(GREY, "JPEG"),
    "BMP": as_bytes(GREY, "BMP"),
    "WEBP": as_bytes(GREY, "WEBP"),
    "TIFF": as_bytes(GREY, "TIFF", compression="tiff_lzw"),
    "fax": as_bytes(PURE, "TIFF", compression="group4"),
}


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.8, 0.93])
def test_what_is_cut_short_is_refused(
    tmp_path: Path, settings: Settings, kind: str, share: float
) -> None:
    """A scan that lacks its end is never filed as a page with a white lower half."""
    data = SCANS[kind]
    with pytest.raises(InputError, match=r"damaged|cut short"):
        load(tmp_path, data[: int(len(data) * share)], kind.replace("fax", "TIFF"), settings)


@pytest.mark.parametrize("kind", SCANS)
@example(at=0.02, value=255, length=4)
@example(at=0.5, value=0, length=200)
@given(at=st.floats(0, 1), value=st.integers(0, 255), length=st.integers(1, 40))
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damaged_bytes_end_in_a_page_or_a_sentence(
    tmp_path: Path, settings: Settings, kind: str, at: float, value: int, length: int
) -> None:
    """Wherever a file is damaged, reading it gives a page or an InputError, nothing else."""
    data = bytearray(SCANS[kind])
    start = min(int(len(data) * at), len(data) - 1)
    data[start : start + length] = bytes([value]) * min(length, len(data) - start)
    said, image = "", None
    try:
        image = load(tmp_path, bytes(data), kind.replace("fax", "TIFF"), settings).image
    except InputError as error:
        said = str(error)
    assert said or (image is not None and image.ndim == 2 and image.dtype == np.uint8)
    assert not said.endswith(".")  # it is a sentence's end, which its caller completes


def test_a_picture_is_not_taken_for_another_kind(tmp_path: Path, settings: Settings) -> None:
    """Only the decoder that the first bytes name is tried."""
    with pytest.raises(InputError, match="cannot be recognised"):
        load(tmp_path, SCANS["PNG"], "JPEG", settings)


def test_our_own_limit_holds_after_another_library_changed_it(
    tmp_path: Path, settings: Settings
) -> None:
    """Pillow's warning of a bomb is an error here, whoever set its limit last."""
    before = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = None
        little = replace(settings, limits=replace(settings.limits, megapixels=1))
        out = io.BytesIO()
        Image.new("1", (1500, 1000)).save(out, "PNG")
        with pytest.raises(InputError, match="megapixels"):
            load(tmp_path, out.getvalue(), "PNG", little)
        assert Image.MAX_IMAGE_PIXELS == 1_000_000
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _deep_tiff(values: np.ndarray, photometric: int) -> bytes:
    image = Image.fromarray(values)
    data = as_bytes(image, "TIFF", tiffinfo={262: photometric})
    assert Image.open(io.BytesIO(data)).tag_v2[262] == photometric  # type: ignore[attr-defined]
    return data


@pytest.mark.parametrize(
    "data",
    [
        _deep_tiff((65535 - PIXELS.astype(np.uint16) * 257).astype(np.uint16), 0),
        _deep_tiff(PIXELS.astype(np.uint16) * 257, 1),
        _deep_tiff((PIXELS / 255).astype(np.float32), 1),
        _deep_tiff((PIXELS / 255 * 1.04).astype(np.float32), 1),
        _deep_tiff(PIXELS.astype(np.float32), 1),
        _deep_tiff((1 - PIXELS / 255).astype(np.float32), 0),
    ],
    ids=["16 bit, 0 white", "16 bit", "0 to 1", "a little over 1", "0 to 255", "0 to 1, 0 white"],
)
def test_every_kind_of_deep_tiff(tmp_path: Path, settings: Settings, data: bytes) -> None:
    """More than 8 bits a pixel, fractions, 0 for white: black letters on white paper come out."""
    found = load(tmp_path, data, "TIFF", settings)
    assert np.abs(found.image.astype(int) - PIXELS).mean() < 2


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\x09"])
def test_a_broken_exif_is_a_sentence_or_a_page(
    tmp_path: Path, settings: Settings, exif: bytes
) -> None:
    """What a camera wrote beside the picture can be broken without the program breaking."""
    said = ""
    try:
        load(tmp_path, as_bytes(GREY, "JPEG", exif=exif), "JPEG", settings)
    except InputError as error:
        said = str(error)
    assert said in ("", "is damaged or cut short; scan or copy it again")


@pytest.mark.parametrize("raised", [struct.error("x"), zlib.error("x")])
def test_what_unpacking_raises_is_a_sentence(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    """Errors that come from below Pillow are a damaged file, too."""

    def fail(_: Image.Image) -> None:
        raise raised

    monkeypatch.setattr(Image.Image, "getexif", fail)
    with pytest.raises(InputError, match="is damaged or cut short"):
        load(tmp_path, as_bytes(GREY, "PNG"), "PNG", settings)


def _frames(*frames: tuple[Image.Image, int]) -> bytes:
    """Return a TIFF of frames, each with its kind (1: a smaller copy of another)."""
    pages = []
    for image, kind in frames:
        page = image.copy()
        page.encoderinfo = {"tiffinfo": {254: kind}}  # type: ignore[attr-defined]
        pages.append(page)
    data = as_bytes(
        pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo={254: frames[0][1]}
    )
    with Image.open(io.BytesIO(data)) as made:
        for at, (_, kind) in enumerate(frames):
            made.seek(at)
            assert made.tag_v2.get(254, 0) == kind  # type: ignore[attr-defined]
    return data


def test_previews_in_a_tiff_are_no_pages(tmp_path: Path, settings: Settings) -> None:
    """Thumbnails beside the pages, before or after them, are neither counted nor loaded."""
    small, turned = GREY.resize((32, 20)), GREY.rotate(90, expand=True)
    data = _frames((small, 1), (GREY, 0), (small, 1), (turned, 2), (small, 1))
    path = tmp_path / "scan"
    path.write_bytes(data)
    assert sources.count_pages(path, "image/tiff", settings) == 2
    assert np.array_equal(load(tmp_path, data, "TIFF", settings, 1).image, PIXELS)
    assert np.array_equal(load(tmp_path, data, "TIFF", settings, 2).image, np.asarray(turned))
    with pytest.raises(InputError):
        load(tmp_path, data, "TIFF", settings, 3)


def test_a_tiff_of_nothing_but_previews_has_them_as_pages(
    tmp_path: Path, settings: Settings
) -> None:
    """No file is left without a page because of a wrong mark."""
    data = _frames((GREY, 1), (GREY.rotate(90, expand=True), 1))
    path = tmp_path / "scan"
    path.write_bytes(data)
    assert sources.count_pages(path, "image/tiff", settings) == 2
    assert np.array_equal(load(tmp_path, data, "TIFF", settings, 1).image, PIXELS)
    assert load(tmp_path, data, "TIFF", settings, 2).image.shape == (320, 200)


@pytest.mark.parametrize("picture", [GREY, PURE], ids=["grey", "1-bit"])
@pytest.mark.parametrize("tag", [1, 6])
def test_a_fax_is_stretched_to_square_pixels(
    tmp_path: Path, settings: Settings, picture: Image.Image, tag: int
) -> None:
    """A standard fax has 204 dots an inch across and 98 down; its letters are not left squat."""
    data = as_bytes(picture, "TIFF", dpi=(204, 98), tiffinfo={274: tag})
    found = load(tmp_path, data, "TIFF", settings)
    square = picture.resize((320, round(200 * 204 / 98)), Image.Resampling.NEAREST)
    expected = np.rot90(np.asarray(square.convert("L")), 0 if tag == 1 else -1)
    assert found.image.shape == expected.shape
    assert np.array_equal(found.image, expected)
    assert (found.dpi, found.bitonal) == (204, picture is PURE)


@pytest.mark.parametrize("dpi", [(300, 1), (200, 190), (20_000, 300)])
def test_a_resolution_that_is_not_believed_stretches_nothing(
    tmp_path: Path, settings: Settings, dpi: tuple[int, int]
) -> None:
    """Nearly square pixels, and resolutions that cannot be right, leave a picture as it is."""
    found = load(tmp_path, as_bytes(GREY, "TIFF", dpi=dpi), "TIFF", settings)
    assert np.array_equal(found.image, PIXELS)


def test_a_fax_too_large_once_stretched_is_refused(tmp_path: Path, settings: Settings) -> None:
    """limits.megapixels holds for what comes of the stretching."""
    little = replace(settings, limits=replace(settings.limits, megapixels=1))
    data = as_bytes(Image.new("1", (1000, 800)), "TIFF", dpi=(204, 98))
    with pytest.raises(InputError, match="megapixels"):
        load(tmp_path, data, "TIFF", little)
