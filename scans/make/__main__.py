"""Makes sets of sample scans: python -m scans.make --out DIR --seed N [--copies K]."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .catalog import CATALOG, Entry
from .contents import write_contents
from .files import pack
from .pages import make_pages
from .templates import write_templates


def truth_folder(folder: Path) -> Path:
    """Return where the truth about a folder of scans lies: beside it, not imported with it."""
    return folder.with_name(f"{folder.name}-truth")


def make_file(entry: Entry, folder: Path, seed: int, copy: int) -> int:
    """Make one file and its truth in a folder; return the number of its pages."""
    pages, records = make_pages(entry, seed, copy)
    (folder / entry.file).write_bytes(pack(entry.container, pages))
    truth = {
        "file": entry.file,
        "records": [{"form": made.form, "pages": list(made.pages)} for made in records],
        "pages": [page.truth for page in pages],
    }
    text = json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
    (truth_folder(folder) / f"{entry.file}.json").write_text(text, encoding="utf-8")
    return len(pages)


def make_set(folder: Path, seed: int, copy: int, only: str = "") -> tuple[int, int]:
    """Make one set in a folder; return the numbers of files and of pages."""
    for place in (folder, truth_folder(folder)):
        place.mkdir(parents=True, exist_ok=True)
    rows = [
        (entry, make_file(entry, folder, seed, copy)) for entry in CATALOG if only in entry.file
    ]
    if not only:
        write_contents(truth_folder(folder), rows, seed)
    return len(rows), sum(pages for _, pages in rows)


def main() -> None:
    """Read the command line and make the sets that it asks for."""
    parser = argparse.ArgumentParser(prog="python -m scans.make", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the scans and their truth")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    parser.add_argument("--copies", type=int, default=1, help="sets to make, each different")
    parser.add_argument("--only", default="", help="make only files whose names contain this")
    parser.add_argument("--templates", type=Path, help="folder in which to write form templates")
    wanted = parser.parse_args()
    if wanted.out is None and wanted.templates is None:
        parser.error("give --out, --templates or both")
    if wanted.templates is not None:
        write_templates(wanted.templates)
    if wanted.out is None:
        return
    for copy in range(wanted.copies):
        folder = wanted.out if wanted.copies == 1 else wanted.out / f"set-{copy + 1:04d}"
        files, pages = make_set(folder, wanted.seed, copy, wanted.only)
        print(f"{folder}: {files} files, {pages} pages")


if __name__ == "__main__":
    main()
