"""A form's templates and lists as one file, to be carried to another city: a ZIP of plain names."""

from __future__ import annotations

import io
import lzma
import os
import re
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitize.form_file import answer_lines, load_form, parse_form
from digitize.forms import FormTemplate
from digitize.intake import shown
from digitize.toml_lines import lines_of
from records.errors import FormError

_NAME = re.compile(r"[^-./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*")
MOST_BYTES, _MOST_FILES = 8_000_000, 200
_DAMAGED = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError,
    OSError, ValueError,
)  # fmt: skip


def parcel(forms: Iterable[FormTemplate]) -> bytes:
    """Pack a form's printings and the lists that they look values up in.

    What somebody had written on the scan that a template was drafted from is left out.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        lists: set[Path] = set()
        for form in forms:
            assert form.path is not None
            file.writestr(form.path.name, _without_answers(form))
            lists |= {form.path.parent / name for name in lists_of(form.text)}
        for path in sorted(lists):
            file.writestr(path.name, path.read_bytes())
    return packed.getvalue()


def lists_of(text: str) -> frozenset[str]:
    """Return the names of the lists that a good template looks values up in."""
    fields = tomllib.loads(text).get("fields", [])
    return frozenset(f["lookup"].partition(":")[0] for f in fields if "lookup" in f)


def _without_answers(form: FormTemplate) -> str:
    """Return a template's text without the lines of its reference that are answers.

    Raises FormError where the reference is not written one line each.
    """
    answers = answer_lines(form.text, form.fields)
    if not answers:
        return form.text
    places = lines_of(form.text)
    dropped = {places.get(("reference", "lines", number), 0) for number in answers}
    lines = form.text.split("\n")
    text = "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped)
    assert form.path is not None
    try:
        left = parse_form(text, form.path, frozenset({form.department or ""}))
    except FormError:
        left = None
    if left is None or left.reference != form.reference or answer_lines(text, form.fields):
        raise FormError(
            f"The template '{form.path.name}' holds answers in its reference; write its lines one "
            "below the other, as 'forms new' does, then export it."
        )
    return text


def unpack(
    packed: bytes, folder: Path, departments: frozenset[str], replace: bool
) -> Sequence[str]:
    """Put a parcel's files into the folder of templates; return their names.

    Raises FormError, and puts nothing there, when a file is no good template, would overwrite one
    (unless ``replace``), or is not what a parcel holds.
    """
    content = _content(packed)
    wrong = [name for name in content if not _NAME.fullmatch(name)]
    if wrong:
        name = shown(Path(wrong[0]))
        raise FormError(
            f"The parcel holds '{name}', which is neither a template nor a list of one."
        )
    present = [name for name in content if (folder / name).exists()]
    if present and not replace:
        raise FormError(
            f"'{present[0]}' is in '{folder}' already; look at both, then use --replace."
        )
    _check(content, folder, departments)
    aside = {name: folder / f".{name}.new" for name in content}
    try:
        for name, path in aside.items():
            with path.open("wb") as file:
                file.write(content[name])
                file.flush()
                os.fsync(file.fileno())
        for name in sorted(content, key=lambda n: n.endswith(".toml")):  # lists first
            aside[name].replace(folder / name)
    finally:
        for path in aside.values():
            path.unlink(missing_ok=True)
    return sorted(content)


def _content(packed: bytes) -> dict[str, bytes]:
    """Return a parcel's files by their names, no more bytes of them than are allowed."""
    found: dict[str, bytes] = {}
    room = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as file:
            infos = file.infolist()
            for info in infos[: _MOST_FILES + 1]:
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile("packed in another way")
                with file.open(info) as opened:
                    found[info.filename] = opened.read(room + 1)
                room -= len(found[info.filename])
                if room < 0:
                    break
    except _DAMAGED as error:
        raise FormError(
            f"The file is no parcel of forms, or is damaged ({error}); "
            "make it with 'digitize forms export'."
        ) from None
    if room < 0 or len(infos) > _MOST_FILES:
        raise FormError("The file holds more than a form's templates; ask for it anew.")
    if not any(name.endswith(".toml") for name in found):
        raise FormError("There is no template in this file; make it with 'digitize forms export'.")
    return found


def _check(content: dict[str, bytes], folder: Path, departments: frozenset[str]) -> None:
    """Check the templates of a parcel beside its own lists, and against those that are there."""
    keys = {
        form.key: path.name
        for path in sorted(folder.glob("*.toml"))
        if path.name not in content and (form := _good(path, departments))
    }
    with tempfile.TemporaryDirectory() as aside:
        for name, data in content.items():
            (Path(aside) / name).write_bytes(data)
        lists: set[str] = set()
        for name in sorted(n for n in content if n.endswith(".toml")):
            try:
                content[name].decode("utf-8")
            except UnicodeDecodeError as error:
                raise FormError(f"'{name}' in the parcel is no text ({error}).") from None
            form = load_form(Path(aside) / name, departments)
            lists |= lists_of(form.text)
            if form.key in keys:
                raise FormError(
                    f"The form '{form.key}' of '{name}' is in '{keys[form.key]}' already; "
                    "rename one, or remove the old one."
                )
            keys[form.key] = name
    if strange := [n for n in content if not n.endswith(".toml") and n not in lists]:
        raise FormError(
            f"The parcel holds '{strange[0]}', which is neither a template nor a list of one."
        )


def _good(path: Path, departments: frozenset[str]) -> FormTemplate | None:
    try:
        return load_form(path, departments)
    except FormError:
        return None
