"""Typefaces: finds the font files which Debian packages and measures text set in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
MEASURE_SIZE = 200


@dataclass(frozen=True)
class Face:
    """A font file and the Debian package which brings it."""

    file: str
    package: str


FACES = {
    "sans": Face("LiberationSans-Regular.ttf", "fonts-liberation"),
    "sans-bold": Face("LiberationSans-Bold.ttf", "fonts-liberation"),
    "sans-italic": Face("LiberationSans-Italic.ttf", "fonts-liberation"),
    "serif": Face("LiberationSerif-Regular.ttf", "fonts-liberation"),
    "serif-bold": Face("LiberationSerif-Bold.ttf", "fonts-liberation"),
    "serif-italic": Face("LiberationSerif-Italic.ttf", "fonts-liberation"),
    "mono": Face("LiberationMono-Regular.ttf", "fonts-liberation"),
    "typewriter": Face("Courier Prime.otf", "fonts-courier-prime"),
    "old-typewriter": Face("GNUTypewriter.ttf", "fonts-gnutypewriter"),
    "hand-round": Face("dkg.ttf", "fonts-dkg-handwriting"),
    "hand-thin": Face("Breip.ttf", "fonts-breip"),
    "capitals-wide": Face("BecauseWeConnect-Regular.otf", "fonts-bwht"),
    "capitals-round": Face("BecauseWeOrganize-Regular.otf", "fonts-bwht"),
    "capitals-small": Face("BecauseWeMentor-Regular.otf", "fonts-bwht"),
}


@cache
def face_path(name: str) -> Path:
    """Return the font file of a face, or stop with the package that is missing."""
    face = FACES[name]
    for folder in FONT_FOLDERS:
        for path in sorted(folder.rglob(face.file)):
            return path
    raise SystemExit(f"Font {face.file} is missing: install the Debian package {face.package}.")


@lru_cache(maxsize=256)
def font(name: str, pixels: float) -> ImageFont.FreeTypeFont:
    """Return a face at a size in pixels."""
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(face_path(name)), pixels, layout_engine=basic)


def text_width(text: str, face: str, size: float) -> float:
    """Return how wide a line of text is, in the unit of its size."""
    return font(face, MEASURE_SIZE).getlength(text) * size / MEASURE_SIZE


def wrap(text: str, face: str, size: float, width: float) -> list[str]:
    """Break a text into lines no wider than the width, in the unit of the size."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, face, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
