"""Folders of an index: which one is live, and whether its files are the ones that were written.

An index folder holds ``current``, a file that names the live generation, and a folder for each
generation. A generation's ``manifest.json`` is written after every commit and lists each file of
the index with its size and SHA-256. Files that it does not list are no part of the index: they
are what a process that was killed left behind. So a commit happens when its manifest is renamed
into place, and at no other moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from records.errors import DigitizeError

CURRENT = "current"
MANIFEST = "manifest.json"
_NAME = re.compile(r"g\d{6,}", re.ASCII)
_CHUNK = 1 << 20


class BrokenIndexError(DigitizeError):
    """The search index is not as it was written; it can be rebuilt from the store."""


@dataclass(frozen=True, slots=True)
class FileMark:
    """What a file was when it was written."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that one commit made durable.

    ``schema`` is the version of how records are laid out in the index, ``engine`` the name and
    version of the engine, ``commit`` the engine's own number of this commit.
    """

    schema: int
    engine: str
    store_id: str
    revision: int
    commit: int
    files: Mapping[str, FileMark]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make a commit durable: its files first, then the manifest that names them."""
    body = json.dumps(asdict(manifest), sort_keys=True)
    seal = hashlib.sha256(body.encode()).hexdigest()
    _sync_folder(folder)
    replace_durably(folder / MANIFEST, f"{seal}\n{body}\n")


def read_manifest(folder: Path) -> Manifest:
    """Read a generation's manifest; raise BrokenIndexError when it is missing or altered."""
    try:
        seal, _, rest = (folder / MANIFEST).read_bytes().partition(b"\n")
    except OSError:
        raise BrokenIndexError("The search index has no readable manifest.") from None
    body = rest.removesuffix(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != seal:
        raise BrokenIndexError("The manifest of the search index was altered.")
    try:
        fields = json.loads(body)
        fields["files"] = {name: FileMark(**mark) for name, mark in fields["files"].items()}
        return Manifest(**fields)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BrokenIndexError("The search index was made by another version.") from None


def mark_file(path: Path) -> FileMark:
    """Make a finished file durable and return what it is."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileMark(os.fstat(file.fileno()).st_size, digest)


def wrong_files(folder: Path, marks: Mapping[str, FileMark], names: Iterable[str]) -> list[str]:
    """Return a sentence for each named file that is missing or not what was written."""
    faults = []
    for name in names:
        path = folder / name
        try:
            if path.is_symlink() or path.stat().st_size != marks[name].size:
                faults.append(f"The file '{name}' of the search index has the wrong size.")
                continue
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != marks[name].sha256:
                    faults.append(f"The file '{name}' of the search index was altered.")
        except OSError:
            faults.append(f"The file '{name}' of the search index is missing or unreadable.")
    return faults


def full_check(folder: Path) -> list[str]:
    """Read every file of a generation; return a sentence for each that is not as it was written."""
    try:
        marks = read_manifest(folder).files
    except BrokenIndexError as error:
        return [str(error)]
    return wrong_files(folder, marks, sorted(marks))


def live(index_folder: Path) -> Path | None:
    """Return the folder of the live generation, or None when no generation is named.

    Raises BrokenIndexError when ``current`` does not name a generation.
    """
    try:
        name = (index_folder / CURRENT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        raise BrokenIndexError("What names the live search index cannot be read.") from None
    text = name.decode("ascii", "replace").strip()
    if not _NAME.fullmatch(text) or not (index_folder / text).is_dir():
        raise BrokenIndexError("What names the live search index was altered, or it is gone.")
    return index_folder / text


def next_folder(index_folder: Path) -> Path:
    """Return the folder that the next generation will have."""
    taken = [int(path.name[1:]) for path in index_folder.iterdir() if _NAME.fullmatch(path.name)]
    return index_folder / f"g{max(taken, default=0) + 1:06d}"


def make_live(index_folder: Path, generation: Path) -> None:
    """Name a whole generation as the live one, and delete all others.

    A process that still has another one open can go on with it: its files last until closed.
    """
    _sync_folder(index_folder)
    replace_durably(index_folder / CURRENT, generation.name + "\n")
    sweep(index_folder, generation)


def sweep(index_folder: Path, keep: Path | None) -> None:
    """Delete all generations but one."""
    for path in index_folder.iterdir():
        if _NAME.fullmatch(path.name) and path != keep:
            shutil.rmtree(path, ignore_errors=True)


def replace_durably(path: Path, text: str) -> None:
    """Write a small file so that after a power cut either the old or the new text is there."""
    draft = path.with_name(path.name + ".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
