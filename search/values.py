"""Dates and numbers, as they are typed into a query and as they stand in a record's fields."""

from __future__ import annotations

import calendar
import datetime
import math
import re

_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?", re.ASCII)
_MONEY = "$\N{POUND SIGN}\N{EURO SIGN}\N{YEN SIGN} \t"


def date_span(text: str, day_first: bool = False) -> tuple[str, str] | None:
    """Return the first and last day (ISO) that a typed date means, or None when it is no date.

    ``2019`` is a year, ``2019-05`` a month, ``2019-05-12`` and ``5/12/2019`` a day, the month
    standing first unless ``day_first``.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = (int(part) if part else None for part in match.groups())
    elif match := _YEAR_LAST.fullmatch(text):
        month, day, year = (int(part) for part in match.groups())
        if day_first:
            month, day = day, month
    else:
        return None
    if not year or (month is not None and not 1 <= month <= 12):
        return None
    last = calendar.monthrange(year, month or 12)[1]
    if day is not None and not 1 <= day <= last:
        return None
    return (
        datetime.date(year, month or 1, day or 1).isoformat(),
        datetime.date(year, month or 12, day or last).isoformat(),
    )


def iso_date(text: str) -> str | None:
    """Return a stored value that is an ISO day, or None."""
    try:
        return datetime.date.fromisoformat(text).isoformat() if len(text) == 10 else None
    except ValueError:
        return None


def number(text: str) -> float | None:
    """Return the number that a text is, with or without a currency sign and thousands commas."""
    bare = text.strip(_MONEY)
    if not _NUMBER.fullmatch(bare) or not any(character.isdigit() for character in bare):
        return None
    value = float(bare.replace(",", ""))
    return value if math.isfinite(value) else None
