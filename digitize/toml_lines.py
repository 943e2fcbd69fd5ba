"""Where things stand in a TOML file, for naming mistakes: tomllib tells no lines of what it read.

A scan of brackets and keys, on files that tomllib has found well formed, with what stands in quotes
and comments taken out before.
"""

from __future__ import annotations

import re
from collections import Counter

Path = tuple[str | int, ...]

_ARRAY = re.compile(r"\s*\[\[([^\[\]]+)\]\]")
_TABLE = re.compile(r"\s*\[([^\[\]]+)\]\s*$")
_KEY = re.compile(r"\s*([\w.\s-]+?|\"\")\s*=")
# The four kinds of strings, the long ones first, and comments.
_HIDDEN = re.compile(
    r"\"\"\"(?:\\.|[^\\])*?\"\"\"+|'''.*?'''+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*'|#[^\n]*", re.DOTALL
)


def lines_of(text: str) -> dict[Path, int]:
    """Return the lines (from 1) on which tables, keys and the items of lists of tables begin."""
    found: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    table: Path = ()
    open_list: Path | None = None  # whose brackets are open
    depth = item = 0
    for number, line in enumerate(_HIDDEN.sub(_blank, text).split("\n"), 1):
        rest = line
        if open_list is None:
            if match := _ARRAY.match(line):
                name = _parts(match[1])
                table = (*name, counts[name])
                counts[name] += 1
                found.setdefault(name, number)
                found[table] = number
                continue
            if match := _TABLE.match(line):
                table = _parts(match[1])
                found[table] = number
                continue
            if (match := _KEY.match(line)) is None:
                continue
            open_list, item, depth = (*table, *_parts(match[1])), 0, 0
            found[open_list] = number
            rest = line[match.end() :]
        for mark in rest:
            if mark == "{" and depth == 1:
                found[*open_list, item] = number
                item += 1
            depth += (mark in "[{") - (mark in "]}")
        if depth <= 0:
            open_list = None
    return found


def line_of(lines: dict[Path, int], place: Path) -> int:
    """Return the line of a place, or of the nearest that it lies in; 1 for the file as a whole."""
    for end in range(len(place), 0, -1):
        if place[:end] in lines:
            return lines[place[:end]]
    return 1


def _blank(hidden: re.Match[str]) -> str:
    """Return what stands for a string or a comment: nothing in it, and its line ends."""
    ends = "\n" * hidden[0].count("\n")
    return ends if hidden[0].startswith("#") else f'""{ends}'


def _parts(name: str) -> Path:
    return tuple(part.strip() for part in name.split("."))
