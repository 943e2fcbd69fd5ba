"""Form templates: TOML files that say how to know a form and where its answers stand."""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from digitize.values import KINDS
from records.errors import FormError
from records.settings import Settings

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Words that searching takes for something else than a form's field.
_RESERVED = frozenset({"form", "department", "status", "year", "batch", "source", "title", "id"})

Zone = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A printed text by which a form is known; ``box`` is where it stands, if that is known."""

    text: str
    page: int
    box: Zone | None


@dataclass(frozen=True, slots=True)
class Option:
    """One tick box of a choice."""

    value: str
    zone: Zone


@dataclass(frozen=True, slots=True)
class FieldTemplate:
    """One field: what it is, where it stands (``zone``, ``beside`` or ``under``) and its rules."""

    name: str
    label: str
    kind: str
    page: int
    zone: Zone | None
    beside: str | None
    under: str | None
    options: tuple[Option, ...]
    required: bool
    pattern: str | None
    minimum: str | None
    maximum: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """One form; ``role`` is form, or separator for a sheet that only parts records.

    ``size`` is the paper's (width, height) in inches, where it is known.
    """

    name: str
    title: str
    department: str | None
    role: str
    pages: int
    size: tuple[float, float] | None
    date: str | None
    record_title: str | None
    minimum: float
    anchors: tuple[Anchor, ...]
    fields: tuple[FieldTemplate, ...]

    def fields_on(self, page: int) -> tuple[FieldTemplate, ...]:
        """Return the fields that stand on one page of the form, in their order."""
        return tuple(f for f in self.fields if f.page == page)

    def field(self, name: str) -> FieldTemplate | None:
        """Return the field of this name."""
        return next((f for f in self.fields if f.name == name), None)


def load_forms(settings: Settings) -> dict[str, FormTemplate]:
    """Read all templates of the forms folder; raises FormError naming every mistake in them."""
    folder = settings.forms.folder
    if not folder.is_dir():
        raise FormError(f"The folder of form templates '{folder}' is missing; set forms.folder.")
    departments = frozenset(d.name for d in settings.departments)
    forms: dict[str, FormTemplate] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            form = load_form(path, departments)
        except FormError as error:
            faults.append(str(error))
            continue
        if form.name in forms:
            faults.append(f"'{path.name}': there are two forms named '{form.name}'; rename one.")
        forms[form.name] = form
    if faults:
        raise FormError("\n".join(faults))
    return forms


def load_form(path: Path, departments: frozenset[str]) -> FormTemplate:
    """Read and check one template; raises FormError naming every mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"The form template '{path}' cannot be read ({error}).") from None
    except tomllib.TOMLDecodeError as error:
        raise FormError(f"The form template '{path.name}' is not valid TOML: {error}.") from None
    check = _Check()
    form = _form(raw, departments, check)
    if check.faults:
        raise FormError(
            f"The form template '{path.name}' has {len(check.faults)} mistake(s):\n"
            + "\n".join(f"  {fault}." for fault in check.faults)
        )
    return form


class _Check:
    """Takes values out of a table, noting each mistake instead of stopping at the first."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def text(self, table: Mapping[str, Any], key: str, where: str, default: str | None = "") -> Any:
        value = table.get(key, default)
        if value == "" or not isinstance(value, str | None):
            self.faults.append(f"{where}: {key} must be a text in quotes")
            return ""
        return value

    def whole(self, table: Mapping[str, Any], key: str, where: str, default: int) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.faults.append(f"{where}: {key} must be a whole number from 1")
            return default
        return value

    def zone(self, value: object, where: str) -> Zone | None:
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or len(value) != 4
            or not all(isinstance(v, int | float) and 0 <= v <= 1 for v in value)
            or not (value[0] < value[2] and value[1] < value[3])
        ):
            self.faults.append(
                f"{where} must be [left, top, right, bottom] as fractions of the page, 0 to 1"
            )
            return None
        return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))

    def only(self, table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for key in table:
            if key not in known:
                self.faults.append(f"{where}: '{key}' means nothing; known are {sorted(known)}")

    def tables(self, value: object, where: str) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.faults.append(f"{where} must be a list of tables")
            return []
        return value


_FORM_KEYS = frozenset(
    {
        "name",
        "title",
        "department",
        "role",
        "pages",
        "size",
        "date",
        "record_title",
        "identify",
        "fields",
    }
)
_FIELD_KEYS = frozenset(
    {"name", "label", "kind", "page", "zone", "beside", "under", "options", "required", "pattern",
     "minimum", "maximum", "values"}
)  # fmt: skip


def _form(raw: Mapping[str, Any], departments: frozenset[str], check: _Check) -> FormTemplate:
    check.only(raw, _FORM_KEYS, "the form")
    name = check.text(raw, "name", "the form")
    if name and not _NAME.fullmatch(name):
        check.faults.append("the form: name must be lower-case letters, digits and hyphens")
    department = check.text(raw, "department", "the form", None)
    if department and department not in departments:
        check.faults.append(
            f"the form: department '{department}' is not in the settings; "
            f"use one of {sorted(departments)}"
        )
    role = raw.get("role", "form")
    if role not in ("form", "separator"):
        check.faults.append("the form: role must be form or separator")
    pages = check.whole(raw, "pages", "the form", 1)
    fields = tuple(
        _field(row, number, pages, check)
        for number, row in enumerate(check.tables(raw.get("fields", []), "fields"), 1)
    )
    names = [field.name for field in fields]
    for twice in {n for n in names if names.count(n) > 1}:
        check.faults.append(f"field '{twice}' stands there twice")
    dated = check.text(raw, "date", "the form", None)
    if dated and not any(f.name == dated and f.kind == "date" for f in fields):
        check.faults.append(f"the form: date names '{dated}', which is no field of kind date")
    record_title = check.text(raw, "record_title", "the form", None)
    _check_title(record_title or "", names, check)
    minimum, anchors = _identify(raw.get("identify"), pages, check)
    return FormTemplate(
        name=name,
        title=check.text(raw, "title", "the form", name or None),
        department=department,
        role=role,
        pages=pages,
        size=_size(raw.get("size"), check),
        date=dated,
        record_title=record_title,
        minimum=minimum,
        anchors=anchors,
        fields=fields,
    )


def _check_title(title: str, names: list[str], check: _Check) -> None:
    try:
        used = [key for _, key, _, _ in string.Formatter().parse(title) if key is not None]
    except ValueError as error:
        check.faults.append(f"the form: record_title is not well formed ({error})")
        return
    for key in used:
        if key not in names:
            check.faults.append(f"the form: record_title names '{key}', which is no field")


def _size(raw: object, check: _Check) -> tuple[float, float] | None:
    if raw is None:
        return None
    if (
        not isinstance(raw, list)
        or len(raw) != 2
        or not all(isinstance(v, int | float) and 0 < v < 100 for v in raw)
    ):
        check.faults.append("the form: size must be [width, height] of the paper in inches")
        return None
    return (float(raw[0]), float(raw[1]))


def _identify(raw: object, pages: int, check: _Check) -> tuple[float, tuple[Anchor, ...]]:
    if not isinstance(raw, dict):
        check.faults.append("there is no [identify] with the anchors that the form is known by")
        return 1.0, ()
    check.only(raw, frozenset({"minimum", "anchors"}), "identify")
    minimum = raw.get("minimum", 0.6)
    if not isinstance(minimum, int | float) or not 0 < minimum <= 1:
        check.faults.append("identify: minimum must be a number above 0, at most 1")
        minimum = 1.0
    anchors = []
    for number, row in enumerate(check.tables(raw.get("anchors", []), "identify.anchors"), 1):
        where = f"anchor {number}"
        check.only(row, frozenset({"text", "page", "box"}), where)
        text = check.text(row, "text", where)
        page = check.whole(row, "page", where, 1)
        if page > pages:
            check.faults.append(f"{where}: page {page} is beyond the form's {pages} page(s)")
        anchors.append(Anchor(text, page, check.zone(row.get("box"), f"{where}: box")))
    for page in range(1, pages + 1):
        if not any(a.page == page for a in anchors):
            check.faults.append(f"page {page} has no anchor, so it could never be known")
    return float(minimum), tuple(anchors)


def _field(row: Mapping[str, Any], number: int, pages: int, check: _Check) -> FieldTemplate:
    name = check.text(row, "name", f"field {number}")
    where = f"field '{name or number}'"
    check.only(row, _FIELD_KEYS, where)
    if name and (not _FIELD_NAME.fullmatch(name) or name in _RESERVED):
        check.faults.append(
            f"{where}: a name is lower-case letters, digits and _, and none of {sorted(_RESERVED)}"
        )
    kind = row.get("kind", "text")
    if kind not in KINDS:
        check.faults.append(f"{where}: kind must be one of {', '.join(KINDS)}")
    page = check.whole(row, "page", where, 1)
    if page > pages:
        check.faults.append(f"{where}: page {page} is beyond the form's {pages} page(s)")
    options = tuple(
        Option(
            check.text(option, "value", f"{where}, option {i}"),
            check.zone(option.get("zone"), f"{where}, option {i}: zone") or (0, 0, 1, 1),
        )
        for i, option in enumerate(check.tables(row.get("options", []), f"{where}: options"), 1)
    )
    for i, option in enumerate(row.get("options", []), 1):
        if isinstance(option, dict):
            check.only(option, frozenset({"value", "zone"}), f"{where}, option {i}")
    zone = check.zone(row.get("zone"), f"{where}: zone")
    beside, under = (check.text(row, key, where, None) for key in ("beside", "under"))
    _check_place(kind, zone, beside or under, options, where, check)
    required = row.get("required", False)
    if not isinstance(required, bool):
        check.faults.append(f"{where}: required must be true or false")
    values = row.get("values", [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        check.faults.append(f"{where}: values must be a list of texts")
        values = []
    return FieldTemplate(
        name=name,
        label=check.text(row, "label", where, name or None),
        kind=kind,
        page=page,
        zone=zone,
        beside=beside,
        under=under,
        options=options,
        required=bool(required),
        pattern=_pattern(check.text(row, "pattern", where, None), where, check),
        minimum=_bound(row.get("minimum"), kind, f"{where}: minimum", check),
        maximum=_bound(row.get("maximum"), kind, f"{where}: maximum", check),
        values=tuple(values),
    )


def _check_place(
    kind: str, zone: Zone | None, label: str | None, options: tuple[Option, ...], where: str,
    check: _Check,
) -> None:  # fmt: skip
    if kind == "choice":
        if len(options) < 2:
            check.faults.append(f"{where}: a choice needs two or more options")
    elif options:
        check.faults.append(f"{where}: only a choice has options")
    elif kind in ("tick", "signature"):
        if zone is None:
            check.faults.append(f"{where}: a {kind} needs a zone")
    elif zone is None and label is None:
        check.faults.append(f"{where}: say where it stands, by zone, beside or under")


def _pattern(pattern: str | None, where: str, check: _Check) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        check.faults.append(f"{where}: pattern is no regular expression ({error})")
        return None
    return pattern


def _bound(value: object, kind: str, where: str, check: _Check) -> str | None:
    if value is None:
        return None
    if (
        kind in ("number", "money")
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ):
        return str(value)
    if kind == "date" and isinstance(value, date | str):
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            pass
    check.faults.append(f"{where} must be a number for number and money, 2019-12-31 for a date")
    return None
