"""What a file is, is said by its first bytes and never by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitize.signatures import IMAGE_TYPES, PDF, media_type
from records.errors import InputError
from tests.digitize.bad_files import no_scans
from tests.digitize.making import as_bytes, card, typed_pdf

KINDS = {kind: as_bytes(card(), name) for kind, name in IMAGE_TYPES.items()} | {
    PDF: typed_pdf([(72, 700, "text")])
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["scan", "scan.exe", "scan.docx", "scan.pdf", "SCAN.JPG"])
def test_a_wrong_ending_does_not_matter(tmp_path: Path, kind: str, name: str) -> None:
    """A scan is taken for what it is, whatever it is called."""
    path = tmp_path / name
    path.write_bytes(KINDS[kind])
    assert media_type(path) == kind


@pytest.mark.parametrize("start", [b"MM\x00*" + bytes(8), b"II*\x00" + bytes(8)])
def test_both_byte_orders_of_tiff(tmp_path: Path, start: bytes) -> None:
    """TIFF files of either byte order are known."""
    path = tmp_path / "scan"
    path.write_bytes(start)
    assert media_type(path) == "image/tiff"


def test_bytes_before_a_pdfs_header(tmp_path: Path) -> None:
    """Mail programs leave bytes before the header of a PDF; readers allow them, and so do we."""
    path = tmp_path / "mailed.pdf"
    path.write_bytes(b"\r\n--boundary\r\n" + KINDS[PDF])
    assert media_type(path) == PDF


@pytest.mark.parametrize("name", no_scans())
def test_anything_else_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    """Office, SVG, PostScript, text: the sentence names the file and what to save it as."""
    path = tmp_path / name
    path.write_bytes(no_scans()[name])
    with pytest.raises(InputError) as caught:
        media_type(path)
    said = str(caught.value)
    assert said.startswith(f"'{name}' is ")
    assert said.endswith(("save it as PDF, TIFF, JPEG, PNG, BMP or WebP.", "copy it again."))


def test_a_riff_file_that_is_no_webp_is_refused(tmp_path: Path) -> None:
    """A sound in the same container as WebP is no picture."""
    path = tmp_path / "dictation.wav"
    path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    with pytest.raises(InputError, match="is not a scan"):
        media_type(path)


@given(st.binary(max_size=40))
def test_any_bytes_get_an_answer(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever a file begins with, the answer is a known type or a sentence."""
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    said, found = "", None
    try:
        found = media_type(path)
    except InputError as error:
        said = str(error)
    assert found in KINDS or said.endswith(".")
