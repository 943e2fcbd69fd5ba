"""Writes the table of contents that lies beside a set of sample scans."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .catalog import Entry

INTRODUCTION = """# The truth about the sample scans

**Everything here is invented.** The Town of Alder Falls, its people, streets, dogs, graves,
licences and telephone numbers (all 555-01xx) do not exist. The forms are drawn for this project
and belong to no real town. The pages were drawn, filled in, worn and "scanned" by a program.

Make this set again, byte for byte (with the same fonts and libraries):

    python -m scans.make --out scans/samples --seed {seed}

Make a hundred more sets, each filled in and worn differently, with their truth:

    python -m scans.make --out more --seed 7 --copies 100

Write the form templates again from the places that the layouts measured:

    python -m scans.make --templates forms

Needed: the Python packages numpy, opencv-python, Pillow, img2pdf, pikepdf and reportlab,
and the Debian packages fonts-liberation, fonts-courier-prime, fonts-gnutypewriter,
fonts-dkg-handwriting, fonts-breip and fonts-bwht.

## The files

| File | Pages | What it is | Why it is there |
| --- | --- | --- | --- |
"""

TRUTH = """
## The truth

`<file name>.json` beside this file says what is on each page of a file:

- `records`: the records in the file, the form of each (`null`: none of the templates) and its
  pages from 1. Separator sheets and blank pages belong to no record.
- `text`: all text on the page in reading order, printed and filled in; stamps come last.
- `fields`: what is written, as written. Ticks are `yes` or `no`, a choice is the ticked value,
  a signature is `signed`; what was left empty is an empty text.
- `values`: the same, normalised: dates as 2019-03-14, money as 1250.00, telephone numbers as
  (555) 555-0142.
- `turn`: by how many degrees (0, 90, 180, 270) the content is turned counter-clockwise on the
  stored picture, once its EXIF orientation has been honoured.
- `skew_degrees`: how far it leans counter-clockwise beyond that. Rotating the picture clockwise
  by `turn` + `skew_degrees` makes the page upright.
- `paper_corners`: where the upper left, upper right, lower right and lower left corner of the
  upright paper lie on the picture, in pixels (again after EXIF).
- `wear`, `filled` (typed, printed, hand), `dpi`, `blank`, `separator`, `born_digital`.
"""


def write_contents(folder: Path, rows: Iterable[tuple[Entry, int]], seed: int) -> None:
    """Write README.md for a set of files, given with their numbers of pages."""
    table = "".join(
        f"| `{entry.file}` | {pages} | {entry.what} | {entry.why} |\n" for entry, pages in rows
    )
    text = INTRODUCTION.format(seed=seed) + table + TRUTH
    (folder / "README.md").write_text(text, encoding="utf-8")
