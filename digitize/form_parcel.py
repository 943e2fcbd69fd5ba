"""A form's templates and lists as one file, to be carried to another city: a ZIP of plain names."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitize.form_file import answer_lines, parse_form
from digitize.forms import FormTemplate
from digitize.toml_lines import lines_of
from records.errors import FormError

_NAME = re.compile(r"[\w][\w .()@-]*\.(toml|csv)")
_MOST_BYTES, _MOST_FILES = 20_000_000, 200
_LOOKUP = re.compile(r"""^\s*lookup\s*=\s*["']([^"':]+)""", re.MULTILINE)


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
            lists |= {form.path.parent / name for name in _LOOKUP.findall(form.text)}
        for path in sorted(lists):
            file.writestr(path.name, path.read_bytes())
    return packed.getvalue()


def _without_answers(form: FormTemplate) -> str:
    places = lines_of(form.text)
    dropped = {
        places["reference", "lines", number] for number in answer_lines(form.text, form.fields)
    }
    lines = form.text.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in dropped)


def unpack(
    packed: bytes, folder: Path, departments: frozenset[str], replace: bool
) -> Sequence[str]:
    """Put a parcel's files into the folder of templates; return their names.

    Raises FormError, and puts nothing there, when a file is no good template, would overwrite one
    (unless ``replace``), or is not what a parcel holds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as file:
            infos = file.infolist()
            total = sum(info.file_size for info in infos)
            if len(infos) > _MOST_FILES or total > _MOST_BYTES:
                raise FormError("The file holds more than a form's templates; ask for it anew.")
            content = {info.filename: file.read(info) for info in infos}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FormError(
            f"The file is no parcel of forms, or is damaged ({error}); "
            "make it with 'digitize forms export'."
        ) from None
    if wrong := [name for name in content if not _NAME.fullmatch(name)]:
        raise FormError(f"The parcel holds '{wrong[0]}', which is neither a template nor a list.")
    present = [name for name in content if (folder / name).exists()]
    if present and not replace:
        raise FormError(
            f"'{present[0]}' is in '{folder}' already; look at both, then use --replace."
        )
    _check(content, folder, departments)
    for name in sorted(content, key=lambda n: n.endswith(".toml")):  # lists first
        temporary = folder / f".{name}.new"
        temporary.write_bytes(content[name])
        temporary.replace(folder / name)
    return sorted(content)


def _check(content: dict[str, bytes], folder: Path, departments: frozenset[str]) -> None:
    """Check the templates of a parcel beside its own lists."""
    with tempfile.TemporaryDirectory() as aside:
        for name, data in content.items():
            (Path(aside) / name).write_bytes(data)
        for name in sorted(content):
            if name.endswith(".toml"):
                try:
                    text = content[name].decode("utf-8")
                except UnicodeDecodeError as error:
                    raise FormError(f"'{name}' in the parcel is no text ({error}).") from None
                parse_form(text, Path(aside) / name, departments)
