"""Draws marks as pixels, as a perfect scanner would see the clean page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from .faces import font
from .marks import Mark, Path, Text

Picture = np.ndarray


def draw_page(marks: Iterable[Mark], width: float, height: float, dpi: int) -> Picture:
    """Draw marks on white paper of a size in points; return RGB bytes (rows, columns, 3)."""
    size = (round(width * dpi / 72), round(height * dpi / 72))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    scale = dpi / 72
    for mark in marks:
        if isinstance(mark, Path):
            _draw_path(draw, mark, scale)
        elif mark.lean:
            _draw_leaning_text(image, mark, scale)
        else:
            _draw_text(draw, mark, scale)
    return np.asarray(image).copy()


def _draw_path(draw: ImageDraw.ImageDraw, path: Path, scale: float) -> None:
    """Draw a line or polygon."""
    points = [(x * scale, y * scale) for x, y in path.points]
    if path.fill is not None:
        draw.polygon(points, fill=path.fill)
    if path.width:
        closing = [points[0]] if path.closed else []
        width = max(1, round(path.width * scale))
        draw.line(points + closing, fill=path.ink, width=width, joint="curve")


def _draw_text(draw: ImageDraw.ImageDraw, text: Text, scale: float) -> None:
    """Draw a run of level text."""
    face = font(text.face, round(text.size * scale, 2))
    at = (text.x * scale, text.y * scale)
    stroke = text.weight * scale
    draw.text(at, text.text, fill=text.ink, font=face, anchor="ls", stroke_width=stroke)


def _draw_leaning_text(image: Image.Image, text: Text, scale: float) -> None:
    """Draw a run of text turned about the start of its baseline."""
    face = font(text.face, round(text.size * scale, 2))
    reach = int(face.getlength(text.text) + text.size * scale * 2)
    patch = Image.new("L", (2 * reach, 2 * reach), 0)
    ImageDraw.Draw(patch).text(
        (reach, reach),
        text.text,
        fill=255,
        font=face,
        anchor="ls",
        stroke_width=text.weight * scale,
    )
    patch = patch.rotate(text.lean, Image.Resampling.BICUBIC)
    corner = (round(text.x * scale) - reach, round(text.y * scale) - reach)
    image.paste(text.ink, corner, patch)
