"""A form template's TOML file: read, and every mistake in it named with its line."""

from __future__ import annotations

import csv
import hashlib
import math
import re
import string
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from digitize import values
from digitize.forms import Anchor, Comparison, FieldTemplate, FormTemplate, Option, Zone
from digitize.toml_lines import Path as Place
from digitize.toml_lines import line_of, lines_of
from records.errors import FormError
from records.settings import Settings

NAME = re.compile(r"[a-z][a-z0-9-]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")
_COMPARISON = re.compile(r"(<=|>=|<|>|=)\s*([a-z][a-z0-9_]*)")
# The most pages and lines; the least letters of a text to be found by.
_MOST, _LEAST_LETTERS = 200, 1
# A printed line in a zone that is so like (0 to 100) the field's label is no answer.
_LABEL = 85
# Words that searching takes for something else than a form's field.
RESERVED = frozenset(
    {"form", "department", "status", "year", "batch", "source", "title", "id", "label"}
)
ROLES = ("form", "separator")
FILLED = ("printed", "typed", "hand")
FORM_KEYS = frozenset(
    {"name", "printing", "title", "department", "series", "role", "pages", "size", "date",
     "record_title", "sample", "identify", "reference", "fields"}
)  # fmt: skip
IDENTIFY_KEYS = frozenset({"minimum", "anchors", "barcode"})
FIELD_KEYS = frozenset(
    {"name", "label", "kind", "page", "zone", "beside", "under", "below", "anywhere", "until",
     "lines", "options", "columns", "filled", "required", "pattern", "take", "minimum", "maximum",
     "values", "lookup", "compare", "sure", "max_error", "twice"}
)  # fmt: skip


def load_forms(settings: Settings) -> dict[str, FormTemplate]:
    """Read the forms folder's templates, by their keys; raises FormError with every mistake."""
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
        if form.key in forms:
            faults.append(
                f"'{path.name}': there are two forms named '{form.key}'; rename one, or give each "
                "a printing."
            )
        forms[form.key] = form
    if faults:
        raise FormError("\n".join(faults))
    return forms


def load_form(path: Path, departments: frozenset[str]) -> FormTemplate:
    """Read and check one template; raises FormError naming every mistake in it, with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(f"The form template '{path}' cannot be read ({error}).") from None
    return parse_form(text, path, departments)


def parse_form(text: str, path: Path, departments: frozenset[str]) -> FormTemplate:
    """Check a template's text; ``path`` is named in errors, and lists are looked up beside it."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a TOMLDecodeError is a ValueError
        raise FormError(f"The form template '{path.name}' is not valid TOML: {error}.") from None
    check = _Check(text, path)
    form = _form(raw, departments, check)
    if check.faults:
        told = "\n".join(f"  {fault}." for _, fault in sorted(check.faults, key=lambda f: f[0]))
        raise FormError(
            f"The form template '{path.name}' has {len(check.faults)} mistake(s):\n{told}"
        )
    return form


class _Check:
    """Takes values out of a table, noting each mistake instead of stopping at the first."""

    def __init__(self, text: str, path: Path) -> None:
        self.faults: list[tuple[int, str]] = []
        self.places: list[Place] = []  # of the faults
        self.path, self.written = path, text
        self._lines = lines_of(text)

    def fault(self, place: Place, said: str) -> None:
        line = line_of(self._lines, place)
        self.places.append(place)
        self.faults.append((line, f"line {line}: {said}"))

    def text(
        self, table: Mapping[str, Any], key: str, at: Place, where: str, default: str | None = ""
    ) -> Any:
        value = table.get(key, default)
        if value == "" or not isinstance(value, str | None):
            self.fault((*at, key), f"{where}: {key} must be a text in quotes")
            return ""
        return value

    def texts(self, table: Mapping[str, Any], key: str, at: Place, where: str) -> tuple[str, ...]:
        """Take one text or a list of them."""
        value = table.get(key, [])
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            self.fault((*at, key), f"{where}: {key} must be a text, or a list of texts")
            return ()
        return tuple(value)

    def whole(
        self,
        table: Mapping[str, Any],
        key: str,
        at: Place,
        where: str,
        default: int,
        least: int = 1,
    ) -> int:  # fmt: skip
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            self.fault((*at, key), f"{where}: {key} must be a whole number from {least} to {_MOST}")
            return default
        return value

    def share(
        self, table: Mapping[str, Any], key: str, at: Place, where: str, none: bool = False
    ) -> float | None:
        """Take a number of 0 to 1; 0 itself only where it may be ``none``."""
        value = table.get(key)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= 1 or (value == 0 and not none):
            range_ = "from 0 to 1" if none else "above 0, at most 1"
            self.fault((*at, key), f"{where}: {key} must be a number {range_}")
            return None
        return float(value)

    def flag(self, table: Mapping[str, Any], key: str, at: Place, where: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.fault((*at, key), f"{where}: {key} must be true or false")
        return bool(value)

    def zone(self, value: object, at: Place, where: str) -> Zone | None:
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or len(value) != 4
            or not all(type(v) in (int, float) and 0 <= v <= 1 for v in value)
            or not (value[0] < value[2] and value[1] < value[3])
        ):
            self.fault(
                at,
                f"{where} must be [left, top, right, bottom] as fractions of the page, 0 to 1, "
                "left before right and top before bottom",
            )
            return None
        return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))

    def only(
        self, table: Mapping[str, Any], known: frozenset[str], at: Place, where: str
    ) -> None:  # fmt: skip
        for key in table:
            if key not in known:
                self.fault((*at, key), f"{where}: '{key}' means nothing; known are {sorted(known)}")

    def tables(self, value: object, at: Place, where: str) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.fault(at, f"{where} must be a list of tables")
            return []
        return value


def _form(raw: Mapping[str, Any], departments: frozenset[str], check: _Check) -> FormTemplate:
    where = "the form"
    check.only(raw, FORM_KEYS, (), where)
    name = check.text(raw, "name", (), where)
    if name and not NAME.fullmatch(name):
        check.fault(("name",), f"{where}: name must be lower-case letters, digits and hyphens")
    department = check.text(raw, "department", (), where, None)
    if department and department not in departments:
        check.fault(
            ("department",),
            f"{where}: department '{department}' is not in the settings; "
            f"use one of {sorted(departments)}",
        )
    role = raw.get("role", "form")
    if role not in ROLES:
        check.fault(("role",), f"{where}: role must be form or separator")
    pages = check.whole(raw, "pages", (), where, 1)
    fields = _fields(raw.get("fields", []), pages, check)
    dated = check.text(raw, "date", (), where, None)
    if dated and not any(f.name == dated and f.kind in ("date", "stamp") for f in fields):
        check.fault(
            ("date",), f"{where}: date names '{dated}', which is no field of kind date or stamp"
        )
    record_title = check.text(raw, "record_title", (), where, None)
    _check_title(record_title or "", [f.name for f in fields], check)
    minimum, barcode, anchors = _identify(raw.get("identify"), pages, check)
    lists = repr([field.values for field in fields])
    return FormTemplate(
        name=name,
        printing=check.text(raw, "printing", (), where, None) or "",
        title=check.text(raw, "title", (), where, name or None),
        department=department,
        series=check.text(raw, "series", (), where, None),
        role=role,
        pages=pages,
        size=_size(raw.get("size"), check),
        date=dated,
        record_title=record_title,
        sample=check.share(raw, "sample", (), where, none=True),
        minimum=minimum,
        anchors=anchors,
        barcode=barcode,
        reference=without_answers(_reference(raw.get("reference", {}), pages, check), fields),
        fields=fields,
        digest=hashlib.sha256((check.written + lists).encode()).hexdigest()[:16],
        text=check.written,
        path=check.path,
    )


def _check_title(title: str, names: list[str], check: _Check) -> None:
    at = ("record_title",)
    try:
        parsed = [part for part in string.Formatter().parse(title) if part[1] is not None]
        used = [str(part[1]) for part in parsed]
        if any(form or turn for _, _, form, turn in parsed):
            raise ValueError("a field stands in braces, and nothing else")
    except ValueError as error:
        check.fault(at, f"the form: record_title is not well formed ({error})")
        return
    for key in used:
        if key not in names:
            check.fault(at, f"the form: record_title names '{key}', which is no field")


def _size(raw: object, check: _Check) -> tuple[float, float] | None:
    if raw is None:
        return None
    if (
        not isinstance(raw, list)
        or len(raw) != 2
        or not all(type(v) in (int, float) and 0 < v < 100 for v in raw)
    ):
        check.fault(("size",), "the form: size must be [width, height] of the paper in inches")
        return None
    return (float(raw[0]), float(raw[1]))


def _identify(
    raw: object, pages: int, check: _Check
) -> tuple[float, str | None, tuple[Anchor, ...]]:
    at: Place = ("identify",)
    if not isinstance(raw, dict):
        check.fault(at, "there is no [identify] with the anchors that the form is known by")
        return 1.0, None, ()
    check.only(raw, IDENTIFY_KEYS, at, "identify")
    minimum = check.share(raw, "minimum", at, "identify")
    anchors = _anchors(raw.get("anchors", []), (*at, "anchors"), "anchor", pages, check)
    barcode = _pattern(check.text(raw, "barcode", at, "identify", None), at, "barcode", check)
    for page in range(1, pages + 1):
        if not any(a.page == page for a in anchors):
            check.fault((*at, "anchors"), f"page {page} has no anchor, so it could never be known")
    return 0.6 if minimum is None else minimum, barcode, anchors


def _reference(raw: object, pages: int, check: _Check) -> tuple[Anchor, ...]:
    at: Place = ("reference",)
    if not isinstance(raw, dict):
        check.fault(at, "reference must be a table with the lines that are printed on the form")
        return ()
    check.only(raw, frozenset({"lines"}), at, "reference")
    lines = _anchors(raw.get("lines", []), (*at, "lines"), "reference line", pages, check)
    for number, line in enumerate(lines):
        if line.box is None and "box" not in raw["lines"][number]:
            check.fault((*at, "lines", number), f"reference line {number + 1}: box is missing")
    return lines


def without_answers(lines: Sequence[Anchor], fields: Sequence[FieldTemplate]) -> tuple[Anchor, ...]:
    """Drop the lines that stand in a field's zone and are not its label: somebody's answers."""
    return tuple(line for line in lines if not any(_is_answer(line, field) for field in fields))


def answer_lines(text: str, fields: Sequence[FieldTemplate]) -> tuple[int, ...]:
    """Return which lines (from 0) of a good template's reference are somebody's answers."""
    raw = tomllib.loads(text).get("reference", {}).get("lines", [])
    lines = [Anchor(row["text"], row.get("page", 1), tuple(row["box"])) for row in raw]
    return tuple(
        i for i, line in enumerate(lines) if any(_is_answer(line, field) for field in fields)
    )


def _is_answer(line: Anchor, field: FieldTemplate) -> bool:
    written = field.kind in (*values.TEXT_KINDS, "signature") and field.kind != "stamp"
    if field.zone is None or line.box is None or line.page not in field.pages or not written:
        return False
    x, y = (line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2
    left, top, right, bottom = field.zone
    inside = left <= x <= right and top <= y <= bottom
    text, label = line.text.casefold(), field.label.casefold()
    is_label = len(text) <= len(label) + 3 and fuzz.partial_ratio(text, label) >= _LABEL
    return inside and not is_label


def _anchors(
    raw: object, at: Place, what: str, pages: int, check: _Check
) -> tuple[Anchor, ...]:  # fmt: skip
    found = []
    for number, row in enumerate(check.tables(raw, at, ".".join(map(str, at)))):
        place, where = (*at, number), f"{what} {number + 1}"
        check.only(row, frozenset({"text", "page", "box"}), place, where)
        text = check.text(row, "text", place, where)
        if text and sum(c.isalnum() for c in text) < _LEAST_LETTERS:
            check.fault(place, f"{where}: text needs a letter or a figure to be found by")
        page = check.whole(row, "page", place, where, 1)
        if page > pages:
            check.fault(place, f"{where}: page {page} is beyond the form's {pages} page(s)")
        found.append(Anchor(text, page, check.zone(row.get("box"), place, f"{where}: box")))
    return tuple(found)


def _fields(raw: object, pages: int, check: _Check) -> tuple[FieldTemplate, ...]:
    at: Place = ("fields",)
    rows = check.tables(raw, at, "fields")
    fields = tuple(_field(row, (*at, i), i + 1, pages, check) for i, row in enumerate(rows))
    kinds: dict[str, str] = {}
    for number, field in enumerate(fields):
        place = (*at, number)
        if field.name in kinds:
            check.fault((*place, "name"), f"field '{field.name}' stands there twice")
        if field.below and field.below not in kinds:
            check.fault(
                (*place, "below"),
                f"field '{field.name}': below names '{field.below}', which is no field before it",
            )
        kinds[field.name] = field.kind
    for number, field in enumerate(fields):
        for rule in field.compare:
            other = next((f for f in fields if f.name == rule.other), None)
            if other is None or other is field or other.kind != field.kind:
                check.fault(
                    (*at, number, "compare"),
                    f"field '{field.name}': compare names '{rule.other}', which is no field of "
                    f"kind {field.kind} beside it",
                )
            elif not set(other.pages) & set(field.pages):
                check.fault(
                    (*at, number, "compare"),
                    f"field '{field.name}': compare names '{rule.other}', which stands on another "
                    "page of the form",
                )
    return fields


def _field(
    row: Mapping[str, Any], at: Place, number: int, pages: int, check: _Check
) -> FieldTemplate:
    name = check.text(row, "name", at, f"field {number}")
    where = f"field '{name or number}'"
    check.only(row, FIELD_KEYS, at, where)
    if name and (not _FIELD_NAME.fullmatch(name) or name in RESERVED):
        check.fault(
            (*at, "name"),
            f"{where}: a name is lower-case letters, digits and _, and none of {sorted(RESERVED)}",
        )
    kind = row.get("kind", "text")
    if kind not in values.KINDS:
        check.fault((*at, "kind"), f"{where}: kind must be one of {', '.join(values.KINDS)}")
    filled = row.get("filled", "typed")
    if filled not in FILLED:
        check.fault((*at, "filled"), f"{where}: filled must be one of {', '.join(FILLED)}")
    field = FieldTemplate(
        name=name,
        label=check.text(row, "label", at, where, name or None),
        kind=kind,
        pages=_field_pages(row.get("page", 1), pages, at, where, check),
        zone=check.zone(row.get("zone"), (*at, "zone"), f"{where}: zone"),
        beside=check.texts(row, "beside", at, where),
        under=check.texts(row, "under", at, where),
        below=check.text(row, "below", at, where, None),
        anywhere=check.flag(row, "anywhere", at, where),
        until=check.texts(row, "until", at, where),
        lines=check.whole(row, "lines", at, where, 0, least=0),
        options=_options(row, at, where, check),
        columns=check.texts(row, "columns", at, where),
        filled=filled,
        required=check.flag(row, "required", at, where),
        pattern=_pattern(
            check.text(row, "pattern", at, where, None), at, f"{where}: pattern", check
        ),
        take=_patterns(row, at, where, check),
        minimum=_bound(row.get("minimum"), kind, (*at, "minimum"), f"{where}: minimum", check),
        maximum=_bound(row.get("maximum"), kind, (*at, "maximum"), f"{where}: maximum", check),
        values=_values(row, at, where, check),
        compare=_compare(row, at, where, check),
        sure=check.share(row, "sure", at, where),
        max_error=check.share(row, "max_error", at, where),
        twice=check.flag(row, "twice", at, where),
    )
    if not {"zone", "anywhere"} & {str(p[-1]) for p in check.places if p[:2] == at}:
        _check_place(field, at, where, check)
    return field


def _field_pages(
    raw: object, pages: int, at: Place, where: str, check: _Check
) -> tuple[int, ...]:  # fmt: skip
    told = raw if isinstance(raw, list) else [raw]
    whole: list[int] = [n for n in told if isinstance(n, int) and not isinstance(n, bool)]
    listed = [n for n in whole if n >= 1]
    if not listed or listed != told:
        check.fault(
            (*at, "page"), f"{where}: page must be a whole number from 1, or a list of some"
        )
        return (1,)
    for number in listed:
        if number > pages:
            check.fault(
                (*at, "page"), f"{where}: page {number} is beyond the form's {pages} page(s)"
            )
    return tuple(listed)


def _options(
    row: Mapping[str, Any], at: Place, where: str, check: _Check
) -> tuple[Option, ...]:  # fmt: skip
    found = []
    place = (*at, "options")
    for i, option in enumerate(check.tables(row.get("options", []), place, f"{where}: options")):
        what = f"{where}, option {i + 1}"
        check.only(option, frozenset({"value", "zone"}), (*place, i), what)
        value = check.text(option, "value", (*place, i), what)
        zone = check.zone(option.get("zone"), (*place, i), f"{what}: zone")
        if "zone" not in option:
            check.fault((*place, i), f"{what}: zone is missing")
        found.append(Option(value, zone or (0, 0, 1, 1)))
    return tuple(found)


def _values(row: Mapping[str, Any], at: Place, where: str, check: _Check) -> tuple[str, ...]:
    """Return the values that there are: those listed and those of the CSV that ``lookup`` names."""
    values = row.get("values", [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        check.fault((*at, "values"), f"{where}: values must be a list of texts")
        values = []
    lookup = check.text(row, "lookup", at, where, None)
    return tuple(values) + (_looked_up(lookup, at, where, check) if lookup else ())


def _looked_up(lookup: str, at: Place, where: str, check: _Check) -> tuple[str, ...]:
    """Read a column of a CSV beside the template: ``streets.csv``, or ``streets.csv:name``."""
    name, _, column = lookup.partition(":")
    path = check.path.parent / name
    place = (*at, "lookup")
    if Path(name).name != name:
        check.fault(place, f"{where}: lookup must name a file that lies beside the template")
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        check.fault(place, f"{where}: the list '{name}' cannot be read ({error})")
        return ()
    head = rows[0] if rows else []
    if column and column not in head:
        check.fault(place, f"{where}: the list '{name}' has no column '{column}'; it has {head}")
        return ()
    index = head.index(column) if column else 0
    listed = (row[index].strip() for row in rows[1:] if len(row) > index)
    return tuple(dict.fromkeys(value for value in listed if value))


def _compare(
    row: Mapping[str, Any], at: Place, where: str, check: _Check
) -> tuple[Comparison, ...]:  # fmt: skip
    found = []
    for rule in check.texts(row, "compare", at, where):
        match = _COMPARISON.fullmatch(rule.strip())
        if match is None:
            check.fault((*at, "compare"), f"{where}: compare must be like '>= date_issued'")
            continue
        found.append(Comparison(match[1], match[2]))
    return tuple(found)


def _check_place(field: FieldTemplate, at: Place, where: str, check: _Check) -> None:
    if field.kind == "choice":
        if len(field.options) < 2:
            check.fault(at, f"{where}: a choice needs two or more options")
        return
    if field.options:
        check.fault((*at, "options"), f"{where}: only a choice has options")
    if bool(field.columns) != (field.kind == "table"):
        check.fault((*at, "columns"), f"{where}: a table has columns, and nothing else has")
    if field.anywhere and field.kind not in values.RECOGNISABLE and not field.pattern:
        check.fault(
            (*at, "anywhere"),
            f"{where}: anywhere is for {', '.join(values.RECOGNISABLE)}, or what has a pattern",
        )
    if field.kind not in values.WRITTEN_KINDS:
        if field.zone is None:
            check.fault(at, f"{where}: a {field.kind} needs a zone")
    elif not (field.zone or field.labels or field.below or field.anywhere):
        check.fault(at, f"{where}: say where it stands, by zone, beside, under, below or anywhere")


def _pattern(
    pattern: str | None, at: Place, where: str, check: _Check, within: bool = True
) -> str | None:
    """Check a regular expression, and with ``within`` also as it is looked for in a line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python may take otherwise some day
            re.compile(pattern or "")
            if within:
                re.compile(rf"(?<!\w)(?:{pattern or ''})(?!\w)")
    except (re.error, OverflowError, RecursionError) as error:
        check.fault((*at, where.split()[-1]), f"{where} is no regular expression ({error})")
        return None
    return pattern


def _patterns(row: Mapping[str, Any], at: Place, where: str, check: _Check) -> tuple[str, ...]:
    texts = check.texts(row, "take", at, where)
    found = (_pattern(text, at, f"{where}: take", check, within=False) for text in texts)
    return tuple(pattern for pattern in found if pattern)


def _bound(value: object, kind: str, at: Place, where: str, check: _Check) -> str | None:
    if value is None:
        return None
    if (
        kind in ("number", "money")
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    ):
        return str(value)
    if kind in ("date", "stamp") and isinstance(value, date | str):
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            pass
    check.fault(at, f"{where} must be a number for number and money, 2019-12-31 for a date")
    return None
