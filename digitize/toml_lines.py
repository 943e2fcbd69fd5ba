"""Where things stand in a TOML file, for naming mistakes: tomllib tells no lines of what it read.

A scan of lines and brackets, on files that tomllib has found well formed. A multi-line string that
looks like TOML may lead it astray; a line would then be named that is not the right one.
"""

from __future__ import annotations

import re
from collections import Counter

Path = tuple[str | int, ...]

_ARRAY = re.compile(r"\s*\[\[\s*([\w.-]+)\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*([\w.-]+)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"\s*([\w-]+)\s*=\s*(.*)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_COMMENT = re.compile(r"#.*")


def lines_of(text: str) -> dict[Path, int]:
    """Return the lines (from 1) on which tables, keys and the items of lists of tables begin."""
    found: dict[Path, int] = {}
    counts: Counter[str] = Counter()
    table: Path = ()
    within: Path | None = None  # the list whose brackets are open
    depth = item = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", _QUOTED.sub('""', raw))
        if within is None:
            if match := _ARRAY.match(line):
                table = (match[1], counts[match[1]])
                counts[match[1]] += 1
                found.setdefault(table[:1], number)
                found[table] = number
                continue
            if match := _TABLE.match(line):
                table = tuple(match[1].split("."))
                found[table] = number
                continue
            if (match := _KEY.match(line)) is None:
                continue
            within, item, depth = (*table, match[1]), 0, 0
            found[within] = number
            line = match[2]
        for mark in line:
            if mark == "{" and depth == 1:
                found[*within, item] = number
                item += 1
            depth += (mark in "[{") - (mark in "]}")
        if depth <= 0:
            within = None
    return found


def line_of(lines: dict[Path, int], place: Path) -> int:
    """Return the line of a place, or of the nearest that it lies in; 1 for the file as a whole."""
    for end in range(len(place), 0, -1):
        if place[:end] in lines:
            return lines[place[:end]]
    return 1
