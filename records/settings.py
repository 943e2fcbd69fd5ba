"""Settings: read from config.toml, checked all at once, each mistake with its path and the cure."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from records.errors import SettingsError
from records.model import Department


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _choice(default: str, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where things are kept; relative paths start at the folder of config.toml."""

    folder: Path = Path("scans")
    free_mb: int = _number(500, 0, 10**7)


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How paper is taken in."""

    workers: int = _number(0, 0, 256)
    department: str = "clerk"
    split: tuple[str, ...] = field(
        default=("separator", "form"), metadata={"choices": ("separator", "form", "blank")}
    )
    separator_barcode: str = field(default="PATCHT|SEPARATOR", metadata={"pattern": True})
    split_every: int = _number(0, 0, 10**6)
    settle_s: float = _number(2.0, 0.0, 600.0)
    tries: int = _number(3, 1, 100)


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one file may ask of the machine."""

    file_mb: int = _number(500, 1, 10**5)
    pages: int = _number(2000, 1, 10**6)
    megapixels: int = _number(120, 1, 2000)
    page_s: int = _number(180, 5, 3600)
    memory_mb: int = _number(4000, 1200, 10**6)


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """How a page image is cleaned before it is read."""

    turn: bool = True
    deskew: bool = True
    crop: bool = True
    background: bool = True
    speckle: bool = True
    pdf_dpi: int = _number(300, 72, 600)


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How words are read."""

    mode: str = _choice("both", "tesseract", "both", "best")
    languages: tuple[str, ...] = field(default=("eng",), metadata={"least": 1})
    born_digital: str = _choice("keep", "keep", "read")
    hidden_text: str = _choice("read", "keep", "read")
    timeout_s: int = _number(120, 5, 3600)


@dataclass(frozen=True, slots=True)
class FormSettings:
    """Where the form templates are, and when a value passes unseen."""

    folder: Path = Path("forms")
    sure: float = _number(0.9, 0.0, 1.0)
    page_sure: float = _number(0.8, 0.0, 1.0)
    day_first: bool = False
    region: str = "US"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How people check what was read."""

    sample: float = _number(0.02, 0.0, 1.0)
    hold_minutes: int = _number(15, 1, 480)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How records are found."""

    engine: str = _choice("whoosh", "whoosh")
    page_size: int = _number(20, 1, 200)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The site."""

    host: str = "127.0.0.1"
    port: int = _number(8000, 1, 65535)
    processes: int = _number(0, 0, 64)
    threads: int = _number(8, 1, 256)
    session_hours: int = _number(10, 1, 720)
    upload_mb: int = _number(200, 1, 10**5)
    secure_cookies: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of an installation."""

    path: Path
    archive: ArchiveSettings
    intake: ImportSettings
    limits: LimitSettings
    clean: CleanSettings
    read: ReadSettings
    forms: FormSettings
    check: CheckSettings
    search: SearchSettings
    web: WebSettings
    departments: tuple[Department, ...]


SECTIONS: dict[str, type] = {
    "archive": ArchiveSettings,
    "intake": ImportSettings,
    "limits": LimitSettings,
    "clean": CleanSettings,
    "read": ReadSettings,
    "forms": FormSettings,
    "check": CheckSettings,
    "search": SearchSettings,
    "web": WebSettings,
}


def find_config(given: Path | None) -> Path:
    """Return the settings file: the one given, DIGITIZE_CONFIG, or config.toml in this folder."""
    return Path(given or os.environ.get("DIGITIZE_CONFIG") or "config.toml")


def load(path: Path) -> Settings:
    """Read and check a settings file.

    Raises SettingsError with every mistake in it, a line each.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file '{path}'; name one with --config or DIGITIZE_CONFIG."
        ) from None
    except IsADirectoryError:
        raise SettingsError(f"The settings file '{path}' is a folder; name the file.") from None
    except PermissionError:
        raise SettingsError(
            f"The settings file '{path}' may not be read; give its reader the right to."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file '{path}' is not UTF-8 text; save it so.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file '{path}' is not valid TOML: {error}.") from None
    return check(raw, path)


def check(raw: Mapping[str, Any], path: Path) -> Settings:
    """Turn the tables of a settings file into Settings; raises SettingsError naming all faults."""
    faults: list[str] = []
    known = [*SECTIONS, "department"]
    for name in raw:
        if name not in known:
            faults.append(f"[{name}] is no section{_did_you_mean(name, known)}")
    base = path.resolve().parent
    sections = {
        name: _section(name, cls, raw.get(name, {}), base, faults) for name, cls in SECTIONS.items()
    }
    departments = _departments(raw.get("department", []), faults)
    intake = sections["intake"]
    names = [d.name for d in departments]
    if departments and isinstance(intake, ImportSettings) and intake.department not in names:
        faults.append(
            f"intake.department is '{intake.department}', which is no [[department]]; "
            f"use one of: {', '.join(names)}"
        )
    if faults:
        raise SettingsError(
            f"The settings in '{path}' have {len(faults)} mistake(s):\n"
            + "\n".join(f"  {fault}." for fault in faults)
        )
    return Settings(path=path.resolve(), departments=departments, **sections)


def _section(name: str, cls: type, raw: object, base: Path, faults: list[str]) -> Any:
    if not isinstance(raw, dict):
        faults.append(f"[{name}] must be a table")
        return None
    hints = get_type_hints(cls)
    specs = {spec.name: spec for spec in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in specs:
            faults.append(f"{name}.{key} is no setting{_did_you_mean(key, list(specs))}")
            continue
        fault = _fault(value, hints[key], specs[key].metadata)
        if fault:
            faults.append(f"{name}.{key} is {value!r}, but {fault}")
        else:
            values[key] = _converted(value, hints[key], base)
    made = cls(**values)
    moved = {
        spec.name: base / getattr(made, spec.name)
        for spec in specs.values()
        if hints[spec.name] is Path
    }
    return dataclasses.replace(made, **moved)


def _fault(value: object, hint: object, rule: Mapping[str, Any]) -> str | None:
    """Say what would be right, or None when the value is."""
    if hint is bool:
        return None if isinstance(value, bool) else "must be true or false"
    if hint in (int, float):
        kinds = (int,) if hint is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return "must be a whole number" if hint is int else "must be a number"
        if not rule["low"] <= value <= rule["high"]:
            return f"must lie between {rule['low']} and {rule['high']}"
        return None
    if hint == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            return 'must be a list of texts, such as ["eng"]'
        if len(value) < rule.get("least", 0):
            return 'must name at least one, such as ["eng"]'
        wrong = [v for v in value if "choices" in rule and v not in rule["choices"]]
        return f"each must be one of: {', '.join(rule['choices'])}" if wrong else None
    if rule.get("pattern"):
        fault = "must be a regular expression in quotes, or empty"
        return None if isinstance(value, str) and _is_pattern(value) else fault
    if not isinstance(value, str) or not value:
        return "must be a text in quotes"
    if "choices" in rule and value not in rule["choices"]:
        return f"must be one of: {', '.join(rule['choices'])}"
    return None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _converted(value: Any, hint: object, base: Path) -> Any:
    if hint is Path:
        return base / value
    if hint == tuple[str, ...]:
        return tuple(value)
    return float(value) if hint is float else value


def _departments(raw: object, faults: list[str]) -> tuple[Department, ...]:
    if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
        faults.append("[[department]] must be a list of tables")
        return ()
    if not raw:
        faults.append("there is no [[department]]; a record must belong to one")
    made: list[Department] = []
    for number, row in enumerate(raw, 1):
        name, title, shared = row.get("name"), row.get("title"), row.get("shared", False)
        unknown = set(row) - {"name", "title", "shared"}
        if not isinstance(name, str) or not name.replace("-", "").isalnum() or name != name.lower():
            faults.append(f"department {number}: name must be lower-case letters, digits, hyphens")
        elif not isinstance(title, str) or not title:
            faults.append(f"department '{name}': title must be a text, such as \"City Clerk\"")
        elif not isinstance(shared, bool):
            faults.append(f"department '{name}': shared must be true or false")
        elif unknown:
            faults.append(f"department '{name}': {sorted(unknown)[0]} is no setting")
        elif name in [d.name for d in made]:
            faults.append(f"department '{name}' stands there twice")
        else:
            made.append(Department(name, title, shared))
    return tuple(made)


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"
