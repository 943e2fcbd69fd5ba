"""Writes the form templates (TOML) from the places that the layouts measured."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from .layout import Field, Form, Sheet
from .letters import separator
from .marks import Box
from .pages import FORMS


def write_templates(folder: FilePath) -> None:
    """Write one template file for each form and one for the separator sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for form in (*FORMS.values(), separator()):
        (folder / f"{form.name}.toml").write_text(template_text(form), encoding="utf-8")


def template_text(form: Form) -> str:
    """Return the template of a form as TOML."""
    rows = [f"name = {_quoted(form.name)}", f"title = {_quoted(form.title)}"]
    if form.role:
        rows.append(f"role = {_quoted(form.role)}")
    else:
        rows.append(f"department = {_quoted(form.department)}")
    rows.append(f"pages = {len(form.pages)}")
    sheet = form.pages[0]
    rows.append(f"size = [{sheet.width / 72:g}, {sheet.height / 72:g}]  # inches")
    if form.date:
        rows.append(f"date = {_quoted(form.date)}")
    if form.record_title:
        rows.append(f"record_title = {_quoted(form.record_title)}")
    rows += ["", "[identify]", "minimum = 0.6", "anchors = ["]
    for number, sheet in enumerate(form.pages, 1):
        for anchor in sheet.anchors:
            box = _shares(anchor.box, sheet)
            rows.append(f"  {{ page = {number}, text = {_quoted(anchor.text)}, box = {box} }},")
    rows.append("]")
    for number, sheet in enumerate(form.pages, 1):
        for asked in sheet.fields:
            rows += ["", *_field_rows(asked, number, sheet)]
    return "\n".join(rows) + "\n"


def _field_rows(asked: Field, page: int, sheet: Sheet) -> list[str]:
    """Return the lines of one field."""
    rows = [
        "[[fields]]",
        f"name = {_quoted(asked.name)}",
        f"label = {_quoted(asked.label)}",
        f"kind = {_quoted(asked.kind)}",
        f"page = {page}",
    ]
    if asked.options:
        rows.append("options = [")
        for option in asked.options:
            zone = _shares(option.zone, sheet)
            rows.append(f"  {{ value = {_quoted(option.value)}, zone = {zone} }},")
        rows.append("]")
    elif asked.locate == "zone":
        rows.append(f"zone = {_shares(asked.zone, sheet)}")
    else:
        rows.append(f"{asked.locate} = {_quoted(asked.printed)}")
    if asked.required:
        rows.append("required = true")
    rows += [f"{name} = {_value(value)}" for name, value in asked.rules]
    return rows


def _shares(box: Box, sheet: Sheet) -> str:
    """Return a box as shares of the page: left, top, right, bottom."""
    sizes = (sheet.width, sheet.height, sheet.width, sheet.height)
    shares = (min(1.0, max(0.0, part / size)) for part, size in zip(box, sizes, strict=True))
    return "[" + ", ".join(f"{share:.3f}" for share in shares) + "]"


def _quoted(text: str) -> str:
    """Return a TOML string; a literal one where backslashes would need doubling."""
    if "\\" in text:
        return f"'{text}'"
    return '"' + text.replace('"', '\\"') + '"'


def _value(value: Any) -> str:
    """Return a rule's value as TOML."""
    return _quoted(value) if isinstance(value, str) else str(value)
