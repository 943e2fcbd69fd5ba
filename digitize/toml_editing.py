"""A TOML file changed in one place, its comments and layout kept: pure functions on text.

Each returns None where the place is not written in the plain way, for a person to change. What
comes out is to be parsed anew: like ``toml_lines``, this looks at lines and brackets alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from digitize.toml_lines import Path, lines_of

_TOKEN = re.compile(
    r"""
    (?P<text> \"\"\"(?:\\.|[^\\])*?\"\"\" | '''.*?''' | "(?:[^"\\\n]|\\.)*" | '[^'\n]*' )
    | (?P<comment> \#[^\r\n]* )
    | (?P<open> [\[{] ) | (?P<close> [\]}] ) | (?P<comma> , )
    | (?P<end> \r?\n ) | (?P<blank> [ \t]+ )
    | (?P<bare> [^\s\[\]{},\#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(r"\s*[\w-]+\s*=[ \t]*")


def quoted(text: str) -> str:
    """Return a text as TOML's basic string."""
    return json.dumps(text, ensure_ascii=False)


def with_value(text: str, table: Path, key: str, written: str) -> str | None:
    """Give a key of a table another value, or the table the key, after its ``name``."""
    if span := _value(text, (*table, key)):
        return text[: span[0]] + written + text[span[1] :]
    named = lines_of(text).get((*table, "name"))
    if named is None:
        return None
    lines = text.splitlines(keepends=True)
    indent = re.match(r"\s*", lines[named - 1])
    end = "\r\n" if lines[named - 1].endswith("\r\n") else "\n"
    if not lines[named - 1].endswith("\n"):
        lines[named - 1] += end
    lines.insert(named, f"{indent[0] if indent else ''}{key} = {written}{end}")
    return "".join(lines)


def with_items(text: str, table: Path, key: str, items: Sequence[str]) -> str | None:
    """Add texts to a key's list, on lines of their own where it has them; one text becomes one."""
    span = _value(text, (*table, key))
    if span is None:
        return None
    written = text[span[0] : span[1]]
    new = ", ".join(map(quoted, items))
    if not written.startswith("["):
        return f"{text[: span[0]]}[{written}, {new}]{text[span[1] :]}"
    listed = [m for m in _tokens(text, span[0]) if m.start() < span[1]]
    last = next((m for m in reversed(listed) if m["text"]), None)
    if last is None:
        return None
    comma = any(m["comma"] for m in listed if m.start() > last.start())
    ends = [m for m in listed if m["end"] and m.start() > last.start()]
    if not ends:
        return f"{text[: last.end()]}, {new}{text[last.end() :]}"
    indent = re.match(r"\s*", text[text.rfind("\n", 0, last.start()) + 1 :])
    margin = indent[0] if indent else ""
    rows = "".join(f"{margin}{quoted(item)},{ends[0][0]}" for item in items)
    head = text[: last.end()] + ("" if comma else ",")
    return head + text[last.end() : ends[0].end()] + rows + text[ends[0].end() :]


def with_numbers(text: str, table: Path, key: str, numbers: Mapping[int, str]) -> str | None:
    """Exchange some numbers (from 0) of a key's list."""
    span = _value(text, (*table, key))
    if span is None:
        return None
    bare = [m for m in _tokens(text, span[0]) if m["bare"] and m.start() < span[1]]
    if not all(number < len(bare) for number in numbers):
        return None
    for number, written in sorted(numbers.items(), reverse=True):
        text = text[: bare[number].start()] + written + text[bare[number].end() :]
    return text


def _value(text: str, place: Path) -> tuple[int, int] | None:
    """Return where (start, end) the value of a key is written."""
    line = lines_of(text).get(place)
    if line is None:
        return None
    before = sum(map(len, text.splitlines(keepends=True)[: line - 1]))
    key = _KEY.match(text, before)
    if key is None:
        return None
    depth = 0
    for token in _tokens(text, key.end()):
        depth += bool(token["open"]) - bool(token["close"])
        if depth == 0:
            return key.end(), token.end()
    return None


def _tokens(text: str, start: int) -> Iterator[re.Match[str]]:
    """Give the tokens from a place on, up to what is none."""
    while match := _TOKEN.match(text, start):
        yield match
        start = match.end()
