"""The bad files: one function makes them all, in a folder, among two good scans.

Each is what an office really finds in a drawer of files: cut short, of another kind, locked,
huge, or named oddly. Nothing here is kept in the repository.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pikepdf
from PIL import Image

from tests.digitize.making import (
    TEXTS,
    as_bytes,
    bare_page,
    card,
    changed_pdf,
    first_picture,
    scanned_pdf,
    typed_pdf,
)

PAGES_LIMIT = 50


def good_scans() -> dict[str, bytes]:
    """Return the two scans that must be filed whatever lies beside them."""
    return {
        "00 good.png": as_bytes(card(), "PNG", dpi=(200, 200)),
        "zz good.pdf": scanned_pdf(as_bytes(card(TEXTS[::-1]), "JPEG", dpi=(200, 200))),
    }


def no_scans() -> dict[str, bytes]:
    """Return files that are refused by their first bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return {
        "empty.pdf": b"",
        "one byte.tif": b"I",
        "text.pdf": b"Dear Sir or Madam,\nplease find enclosed\n/etc/passwd\n",
        "letter.docx": packed.getvalue(),
        "scan.zip.pdf": packed.getvalue(),
        "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1e9"/></svg>',
        "drawing.xml.png": b'<?xml version="1.0"?><!DOCTYPE svg SYSTEM "/etc/passwd"><svg/>',
        "page.ps": b"%!PS-Adobe-3.0\n(x) show showpage\n",
        "picture.gif": as_bytes(card(), "GIF"),
        "big.tif": b"II+\x00\x08\x00\x00\x00" + bytes(60),
        "noise.jpg": bytes(range(256)) * 8,
    }


def damaged() -> dict[str, bytes]:
    """Return files that begin as scans do, and are kept, but cannot be read."""
    grey, pure = card(), card().convert("1")
    jpeg, png = as_bytes(grey, "JPEG"), as_bytes(grey, "PNG")
    lzw = as_bytes(grey, "TIFF", compression="tiff_lzw")
    fax = as_bytes(pure, "TIFF", compression="group4")
    webp, bmp = as_bytes(grey, "WEBP", lossless=True), as_bytes(grey, "BMP")
    pdf = scanned_pdf(jpeg)
    return {
        "head only.jpg": jpeg[:20],
        "half.jpg": jpeg[: len(jpeg) // 2],
        "most.jpg": jpeg[: len(jpeg) * 9 // 10],
        "head only.png": png[:30],
        "half.png": png[: len(png) // 2],
        "half.tif": lzw[: len(lzw) // 2],
        "head only.tif": lzw[:8],
        "half fax.tif": fax[: len(fax) // 2],
        "half.webp": webp[: len(webp) // 2],
        "half.bmp": bmp[: len(bmp) // 2],
        "head only.pdf": b"%PDF-1.7\n",
        "stream.pdf": changed_pdf(pdf, _cut_picture),
        "locked.pdf": changed_pdf(
            pdf, lambda _: None, encryption=pikepdf.Encryption(user="secret", owner="secret")
        ),
        "no pages.pdf": _no_pages(),
        "wall.pdf": bare_page(b"0 0 m 9 9 l S", [0, 0, 14_400, 14_400]),
        "nothing.pdf": bare_page(b"0 0 m 9 9 l S", [0, 0, 0, 0]),
        "huge.jpg": _claiming(jpeg, 65_500, 65_500),
        "bomb.png": _png_bomb(60_000, 60_000),
        "million wide.png": _png_bomb(1_000_000, 8),
        "frames.tif": _frames(3_000),
        "offsets.tif": _beyond(as_bytes(pure, "TIFF", compression="group4")),
        "circle.tif": _circle(as_bytes(pure, "TIFF", compression="group4")),
    }


def odd_but_fine() -> dict[bytes, bytes]:
    """Return files, by the bytes of their names, that are strange and still to be filed."""

    def other(text: str) -> bytes:
        return as_bytes(card((text, *TEXTS[:2]), (620, 300)), "PNG", dpi=(200, 200))

    pdf = typed_pdf([(72, 700, "A page whose table of contents was lost")])
    return {
        b"one pixel.png": as_bytes(Image.new("L", (1, 1), 255), "PNG"),
        b"thin.png": as_bytes(Image.new("L", (3000, 1), 255), "PNG"),
        b"black.png": as_bytes(Image.new("L", (400, 300), 0), "PNG"),
        b"wrong ending.docx": other("Wrong ending"),
        b"a..%2f..%2fetc%2fpasswd.png": other("Dots"),
        b"C\\..\\..\\windows.png": other("Backslashes"),
        b"line\nbreak.png": other("Line break"),
        "市政厅 扫描 ".encode() + b"1.png": other("Chinese"),
        b"bell\x07 and \x1b[31mred.png": other("Control"),
        b"n" * 246 + b".png": other("Long name"),
        b"caf\xe9.png": other("Latin name"),
        b"-rf --help.png": other("Dashes"),
        b"'; DROP TABLE documents;--.png": other("Quotes"),
        b"xref.pdf": pdf.replace(b"startxref", b"startxxxx").replace(b"xref\n0", b"xxxx\n0"),
    }


def lay_out(folder: Path) -> None:
    """Write all files into a folder."""
    for name, data in (good_scans() | no_scans() | damaged()).items():
        (folder / name).write_bytes(data)
    for raw, data in odd_but_fine().items():
        Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)).write_bytes(data)
    (folder / "link.pdf").symlink_to(folder / "zz good.pdf")
    (folder / "lost link.pdf").symlink_to(folder / "nowhere")
    (folder / "device.pdf").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.pdf")
    (folder / "folder.pdf").mkdir()
    (folder / "folder.pdf" / "nothing here.txt").write_bytes(b"just a note")


def _cut_picture(pdf: pikepdf.Pdf) -> None:
    picture = first_picture(pdf)
    raw = picture.read_raw_bytes()
    picture.write(raw[: len(raw) // 3], filter=pikepdf.Name.DCTDecode)


def _no_pages() -> bytes:
    with pikepdf.new() as pdf:
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def _claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header says another size."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _png_bomb(width: int, height: int) -> bytes:
    """Return a small file of a huge 1-bit picture, sound in all its checksums."""
    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", body),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _frames(count: int) -> bytes:
    """Return a TIFF of many frames of one pixel."""
    frames = [Image.new("1", (8, 8)) for _ in range(2)]
    two = as_bytes(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert two[:4] == b"II*\x00"
    entries = [
        (256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (278, 4, 1, 8), (279, 4, 1, 8),
    ]  # fmt: skip
    out = bytearray(b"II*\x00" + struct.pack("<I", 16) + bytes(8))
    for number in range(count):
        out += struct.pack("<H", len(entries))
        for entry in entries:
            out += struct.pack("<HHII", *entry)
        out += struct.pack("<I", len(out) + 4 if number < count - 1 else 0)
    return bytes(out)


def _beyond(tiff: bytes) -> bytes:
    """Return a TIFF whose strip lies beyond the end of the file."""
    return _retagged(tiff, 273, 10_000_000)


def _circle(tiff: bytes) -> bytes:
    """Return a TIFF whose first frame is followed by itself, for ever, and has no strips."""
    at = struct.unpack_from("<I", tiff, 4)[0]
    count = struct.unpack_from("<H", tiff, at)[0]
    end = at + 2 + count * 12
    looped = tiff[:end] + struct.pack("<I", at) + tiff[end + 4 :]
    return _retagged(looped, 273, 20_000_000)


def _retagged(tiff: bytes, tag: int, value: int) -> bytes:
    out = bytearray(tiff)
    at = struct.unpack_from("<I", out, 4)[0]
    for number in range(struct.unpack_from("<H", out, at)[0]):
        entry = at + 2 + number * 12
        if struct.unpack_from("<H", out, entry)[0] == tag:
            struct.pack_into("<HII", out, entry + 2, 4, 1, value)
    return bytes(out)
