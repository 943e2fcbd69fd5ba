"""Written answers to values that can be sorted, compared and searched: pure functions on text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import phonenumbers
from dateutil import parser as date_parser
from price_parser import Price
from rapidfuzz import fuzz, process

TEXT_KINDS = ("text", "number", "identifier", "money", "date", "stamp", "phone")
MARK_KINDS = ("choice", "tick", "signature")
KINDS = (*TEXT_KINDS, "table", *MARK_KINDS)
# Kinds whose answers are written, and those that can be told wherever on a page they stand.
WRITTEN_KINDS = TEXT_KINDS
RECOGNISABLE = ("date", "stamp", "money", "phone")

# What a reader takes for digits where only digits can stand.
_LOOKALIKES = str.maketrans(
    {"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "\u00a7": "5", "B": "8"}
)
_RULES = re.compile(r"[|_\[\]{}~=]+|(?<!\S)[\u2014\u2013]+(?!\S)")
# A minus or a bracket right before an amount, and a point that an amount begins with.
_SIGN = re.compile(r"(?P<minus>[-(](?=[$\d.]))?\$?\s?(?P<point>\.)?\d")
# A word that is a figure but for its look-alikes; and how a figure of several words goes on.
_FIGURE = re.compile(r"[$#]?-?(?=.*\d)[\dOolI|S\u00a7B.,]+")
_NEAREST_LEAST = 80
_TIED = 3  # two values whose likeness differs by less are as near
_YEARS_AHEAD = 10
_EARLIEST = 1500  # a year before it is a misread one
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})[A-Z]*"
_DAY = r"(?P<day>\d{1,2})(?!\d)(?:ST|ND|RD|TH)?"
_YEAR = r"(?P<year>(?:19|20)\d\d|['\u2018\u2019]\s?\d\d|\d\d)"
_APART = r"[\s.,:;'\u2019\-\u2013\u2014_/]*"
# Dates as people and stamps write them: figures, year first, day before month, month before day,
# and a clock's, with the hour before the year.
_DATES = tuple(
    re.compile(rf"(?<![\w.]){date}(?=[AP]M?\s?\d|\W|_|$)", re.IGNORECASE)
    for date in (
        r"(?P<figures>(?:19|20)\d\d\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,2})",
        r"(?P<figures>\d{1,2}\s?(?P<mark>[./-])\s?\d{1,2}\s?(?P=mark)\s?(?:(?:19|20)\d\d|\d\d))",
        rf"{_YEAR}{_APART}{_MONTH}{_APART}{_DAY}",
        rf"{_DAY}{_APART}(?:DAY OF )?{_MONTH}{_APART}(?P<year>(?:19|20)\d\d|['\u2018\u2019]?\d\d)",
        rf"{_MONTH}{_APART}{_DAY}\s+\d{{1,2}}[\s:.]\d\d\s?[AP]?M?{_APART}(?P<year>(?:19|20)\d\d|['\u2018\u2019]?\d\d)",
        rf"{_MONTH}{_APART}{_DAY}{_APART}{_YEAR}(?!\s?[:.]\s?\d)",
    )
)
_SUMS = re.compile(
    r"(?<![\d.,])-?(?:\d{1,3}(?:,\s?\d{3})+|\d+)\s?[.,]\s?\d\d(?!\s?[\d%])"
    r"|[$\u00a3\u20ac]\s?(?:\d{1,3}(?:,\s?\d{3})+|\d+)(?![.,]?\d)"
)


class _PaperYears(date_parser.parserinfo):
    """Takes a year of two digits for the past: '61 is 1961, since paper is older than its scan."""

    def convertyear(self, year: int, century_specified: bool = False) -> int:
        if year >= 100 or century_specified:
            return year
        this_year = date.today().year
        full = this_year // 100 * 100 + year
        return full - 100 if full > this_year + _YEARS_AHEAD else full


_PAPER_YEARS = _PaperYears()


@dataclass(frozen=True, slots=True)
class Reading:
    """How answers are to be taken in this city."""

    day_first: bool
    region: str


@dataclass(frozen=True, slots=True)
class Value:
    """A normalised answer; ``fault`` says why it is none of its kind, or is None."""

    text: str
    fault: str | None = None


def tidy(raw: str) -> str:
    """Drop what rules and box edges leave in a reading, and fold white space."""
    folded = " ".join(_RULES.sub(" ", raw).split())
    stripped = folded.strip(" ,:;'`\"\u2018\u2019\u201c\u201d\u2013\u2014*\u2022-").lstrip(".")
    return stripped if len(folded) > 1 else stripped.strip(".")


def normalise(kind: str, raw: str, reading: Reading, typed: bool = False) -> Value:
    """Turn an answer as written into its value: dates ISO 8601, money and numbers decimals.

    What a person ``typed`` is meant as it stands; in what a machine read, marks that rules and
    box edges leave are dropped first.
    """
    if kind == "table":  # a row a line
        return Value("\n".join(" ".join(row.split()) for row in raw.splitlines() if row.strip()))
    folded = " ".join(raw.split())
    text = folded if typed or kind not in TEXT_KINDS else tidy(raw)
    if kind in ("money", "number"):
        text = _with_sign(folded, text)
    if not text:
        return Value("")
    match kind:
        case "date":
            return _date(text, reading.day_first)
        case "stamp":
            return _stamp(text, reading.day_first)
        case "identifier":
            return Value("".join(text.split()).strip("" if typed else ".:"))
        case "money":
            return _money(text)
        case "number":
            return _number(text, typed)
        case "phone":
            return _phone(text, reading.region)
        case "tick":
            return _tick(text)
    return Value(text)


def _with_sign(folded: str, text: str) -> str:
    """Give an amount its minus and its leading point back: ``-5``, ``(5)`` and ``.5``."""
    bare = folded.lstrip(" ,:;'`\"*|_[]~=")
    found = _SIGN.match(bare)
    if found is None:
        return text
    minus = "-" if found["minus"] == "-" or (found["minus"] and ")" in bare) else ""
    digits = bare[found.end() - 1 :].rstrip(" .)") if found["minus"] or found["point"] else text
    return f"{minus}0.{digits}" if found["point"] else f"{minus}{digits}"


def _date(text: str, day_first: bool) -> Value:
    digits = text.translate(_LOOKALIKES) if sum(c.isdigit() for c in text) >= 4 else text
    for attempt in (text, digits if "/" in text or "-" in text else text):
        found = _parsed_date(re.sub("['\u2019]", "", attempt), day_first)
        if found:
            return Value(found.isoformat())
    return Value(text, "is no date")


def _parsed_date(text: str, day_first: bool) -> date | None:
    """Parse a full date; the parser fills gaps from a default, so different ones must agree."""
    iso = re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text) is not None
    found = []
    for default in (datetime(2000, 1, 1), datetime(2004, 2, 2), datetime(2001, 3, 17)):
        try:
            parsed = date_parser.parse(
                text, _PAPER_YEARS, dayfirst=day_first and not iso, default=default
            )
            found.append(parsed.date())
        except (ValueError, OverflowError, TypeError, AttributeError):
            return None
    return found[0] if len(set(found)) == 1 and found[0].year >= _EARLIEST else None


def _stamp(text: str, day_first: bool) -> Value:
    """Read the date of a stamp, between whatever else it prints: the hour, an office's name."""
    for found in dates_in(text):
        value = _stamped(found, day_first)
        if value is not None:
            return Value(value.isoformat())
    return _date(text, day_first)


def months_mended(text: str) -> str:
    """Return a stamp's text with three letters made the one month that they may be, but for one."""

    def mended(letters: re.Match[str]) -> str:
        read = letters[0].upper()
        like = [m for m in MONTHS if sum(a != b for a, b in zip(m, read, strict=True)) == 1]
        return like[0] if read not in MONTHS and len(like) == 1 else letters[0]

    return re.sub(r"(?<![A-Za-z])[A-Za-z0]{3}(?![A-Za-z])", mended, text)


def _stamped(match: re.Match[str], day_first: bool) -> date | None:
    parts = match.groupdict()
    if figures := parts.get("figures"):
        return _parsed_date("".join(figures.split()), day_first)
    written = parts["year"].strip("'\u2018\u2019 ")
    year = int(written) if len(written) == 4 else _PAPER_YEARS.convertyear(int(written))
    try:
        return date(year, MONTHS.index(parts["month"].upper()) + 1, int(parts["day"]))
    except ValueError:
        return None


def dates_in(text: str) -> list[re.Match[str]]:
    """Return what looks like a date in a text, in the order of the text."""
    found: list[re.Match[str]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if all(match.end() <= f.start() or f.end() <= match.start() for f in found):
                found.append(match)
    return sorted(found, key=lambda m: m.start())


def recognised(kind: str, pattern: str | None, text: str, region: str) -> list[tuple[int, int]]:
    """Return where (start, end) in a text something stands that has the look of a kind.

    For a kind without a look of its own it is what ``pattern`` matches; none without one.
    """
    if pattern is not None:
        return [m.span() for m in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text)]
    match kind:
        case "date" | "stamp":
            return [m.span() for m in dates_in(text)]
        case "money":
            return [m.span() for m in _SUMS.finditer(text)]
        case "phone":
            numbers = phonenumbers.PhoneNumberMatcher(text, region, _POSSIBLE)
            return [(m.start, m.end) for m in numbers]
    return []


def keeps(value: str, operator: str, other: str, kind: str) -> bool:
    """Say whether two values of a kind stand to each other as a rule wants."""
    if kind in ("number", "money"):
        try:
            left, right = Decimal(value), Decimal(other)
        except InvalidOperation:
            return True
    else:
        left, right = value, other  # type: ignore[assignment]
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
    return left == right


def _money(text: str) -> Value:
    minus = text.startswith("-")
    signed = re.sub(r"^S(?=[\dOolI|])", "$", text.replace("\u00a7", "$"))
    cleaned = re.sub(r"(?<=\d)\s+(?=\d{2}\b)", ".", " ".join(_figures(signed)))
    amount = Price.fromstring(cleaned).amount
    if amount is None:
        return Value(text, "is no sum of money")
    return Value(f"{-abs(amount) if minus else amount:.2f}")


def _number(text: str, typed: bool) -> Value:
    words = _figures(text)
    if typed and len(words) > 1 and not re.fullmatch(r"-?\d{1,3}( \d{3})+", text):
        return Value(text, "is no number")
    many = next((i for i, w in enumerate(words) if not re.fullmatch(r"[#\-\d.,]+", w)), len(words))
    joined = "".join(words[:many] or words[:1]).replace(",", "")
    match = re.match(r"#?(-?\d+(?:\.\d+)?)(?![\d.]|[eE]\d)", joined)
    if match is None:
        return Value(text, "is no number")
    exact = f"{Decimal(match.group(1)):f}"
    return Value(exact.rstrip("0").rstrip(".") if "." in exact else exact)


def _figures(text: str) -> list[str]:
    """Return a text's words, look-alikes made digits in those that are figures otherwise."""
    if not any(c.isdigit() for c in text) and text.translate(_LOOKALIKES).isdecimal():
        return [text.translate(_LOOKALIKES)]
    return [w.translate(_LOOKALIKES) if _FIGURE.fullmatch(w) else w for w in text.split()]


def _phone(text: str, region: str) -> Value:
    digits = text.translate(_LOOKALIKES) if sum(c.isdigit() for c in text) >= 6 else text
    for attempt in dict.fromkeys((text, digits)):
        match = next(iter(phonenumbers.PhoneNumberMatcher(attempt, region, _POSSIBLE)), None)
        if match:
            return Value(_written(match.number, region))
    return Value(text, "is no telephone number")


# Numbers that could be, in length: a city's old and local ones are often in no numbering plan.
_POSSIBLE = phonenumbers.Leniency.POSSIBLE


def _written(number: phonenumbers.PhoneNumber, region: str) -> str:
    home = number.country_code == phonenumbers.country_code_for_region(region)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if home else style.INTERNATIONAL)


def _tick(text: str) -> Value:
    word = text.casefold()
    if word in ("yes", "y", "true", "x", "1", "ticked"):
        return Value("yes")
    if word in ("no", "n", "false", "0", "not ticked"):
        return Value("no")
    return Value(text, "is neither yes nor no")


def nearest(text: str, allowed: tuple[str, ...]) -> str | None:
    """Return the allowed value that a reading most likely is, or None when none is near.

    None also where two are as near: a figure that was misread must not become another one.
    """
    found = process.extract(text, allowed, scorer=fuzz.ratio, processor=str.casefold, limit=2)
    if not found or found[0][1] < _NEAREST_LEAST:
        return None
    tied = len(found) > 1 and found[0][1] < 100 and found[0][1] - found[1][1] < _TIED
    return None if tied else str(found[0][0])


def broken_rule(
    kind: str, value: str, pattern: str | None, low: str | None, high: str | None
) -> str | None:
    """Say which rule a value breaks, as the end of a sentence; None when it keeps them all."""
    if pattern is not None and re.fullmatch(pattern, value) is None:
        return f"does not have the form {pattern}"
    if kind in ("number", "money"):
        try:
            amount = Decimal(value)
        except InvalidOperation:
            return None
        if low is not None and amount < Decimal(low):
            return f"is less than {low}"
        if high is not None and amount > Decimal(high):
            return f"is more than {high}"
    elif kind in ("date", "stamp"):
        if low is not None and value < low:
            return f"is before {low}"
        if high is not None and value > high:
            return f"is after {high}"
    return None
