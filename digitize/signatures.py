"""What a file is, decided by its first bytes and never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from records.archive import open_plain, read_some
from records.errors import InputError

HEAD_BYTES = 1024
PDF = "application/pdf"
TIFF = "image/tiff"
IMAGE_TYPES = {
    TIFF: "TIFF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/bmp": "BMP",
    "image/webp": "WEBP",
}
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"BM", "image/bmp"),
)
_KNOWN_OTHERS: Mapping[bytes, str] = {
    b"PK\x03\x04": "an Office or ZIP file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"%!PS": "a PostScript file",
    b"GIF8": "a GIF picture",
    b"II+\x00": "a BigTIFF picture",
    b"MM\x00+": "a BigTIFF picture",
    b"<svg": "an SVG drawing",
}


def media_type(path: Path) -> str:
    """Return the media type of a file that we take in, or raise InputError saying why not."""
    with open_plain(path) as stream:
        head = read_some(stream, HEAD_BYTES, path.name)
    if not head:
        raise InputError(f"'{path.name}' is empty; scan or copy it again.")
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if b"%PDF-" in head:  # readers allow bytes before the header
        return PDF
    other = next((name for start, name in _KNOWN_OTHERS.items() if head.startswith(start)), None)
    said = f" ({other})" if other else ""
    raise InputError(
        f"'{path.name}' is not a scan that can be read{said}; "
        "save it as PDF, TIFF, JPEG, PNG, BMP or WebP."
    )
