"""Where things stand in a TOML file: a mistake is named with the line that it is on."""

from __future__ import annotations

import tomllib

import pytest

from digitize.toml_lines import Path, line_of, lines_of

TEXT = """\
name = "a"  # a comment with [brackets] and {braces}
title = "An [odd] {title}"

[identify]
minimum = 0.5
anchors = [  # more than one
  { text = "a ] in quotes", box = [0, 0, 1, 1] },
  # { text = "not one of them" },

  { text = 'single { quotes', box = [
    0, 0, 1, 1] },
  { text = "an \\" escaped ] one" }, { text = "two on a line" },
]
barcode = 'AF-[0-9]+'

[[fields]]
name = "one"

[[fields]]
name = "two"
options = [{ value = "x" }, { value = "y" }]
page = [1,
  2]
kind = "choice"
"""

PLACES: list[tuple[Path, int]] = [
    (("name",), 1),
    (("title",), 2),
    (("identify",), 4),
    (("identify", "minimum"), 5),
    (("identify", "anchors"), 6),
    (("identify", "anchors", 0), 7),
    (("identify", "anchors", 1), 10),
    (("identify", "anchors", 2), 12),
    (("identify", "anchors", 3), 12),
    (("identify", "barcode"), 14),
    (("fields",), 16),
    (("fields", 0), 16),
    (("fields", 0, "name"), 17),
    (("fields", 1), 19),
    (("fields", 1, "name"), 20),
    (("fields", 1, "options"), 21),
    (("fields", 1, "options", 1), 21),
    (("fields", 1, "page"), 22),
    (("fields", 1, "kind"), 24),
]


@pytest.mark.parametrize(("place", "line"), PLACES)
def test_where_things_stand(place: Path, line: int) -> None:
    """Tables, keys and items of lists are found, whatever quotes and comments hold."""
    assert lines_of(TEXT)[place] == line


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("identify", "anchors", 1, "text"), 10),
        (("identify", "anchors", 9), 6),
        (("identify", "none"), 4),
        (("fields", 1, "options", 1, "zone"), 21),
        (("fields", 7, "name"), 16),
        (("none", "at", "all"), 1),
        ((), 1),
    ],
)
def test_the_nearest_line_stands_in(place: Path, line: int) -> None:
    """What is not there is named by what it would lie in, else by the file's first line."""
    assert line_of(lines_of(TEXT), place) == line


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        ("a = 1\n\n[b.c]\nd = 2\n", ("b", "c", "d"), 4),
        ("a = 1\n\n[ b . c ]\nd = 2\n", ("b", "c", "d"), 4),
        ("a = 1\n\n[[b.c]]\nd = 1\n[[b.c]]\nd = 2\n", ("b", "c", 1, "d"), 6),
        ("a = 1\n\nb.c = 2\n", ("b", "c"), 3),
    ],
    ids=["table", "blanks", "list of tables", "dotted key"],
)
def test_other_ways_to_write_a_place(text: str, place: Path, line: int) -> None:
    """A key is found however TOML lets it be written."""
    tomllib.loads(text)
    assert line_of(lines_of(text), place) == line


@pytest.mark.parametrize(
    "odd",
    [
        "'''it's a [b'''",
        '"""a "quoted" [b"""',
        '"""\n[c]\nlast = 1\n"""',
        "'''\n[[fields]]\n'''",
        '"a\u2028b"',
        '"a\x85b"',
        '"\\\\"  # it\'s "[',
    ],
)
def test_a_text_does_not_lead_astray(odd: str) -> None:
    """What a text holds moves no line of what follows it."""
    text = f"[t]\nfirst = {odd}\nlast = 3\n"
    assert list(tomllib.loads(text)) == ["t"]
    assert lines_of(text)["t", "last"] == text.count("\n")


def test_line_ends_of_windows_count_once() -> None:
    """A file with carriage returns has the same lines."""
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines_of(TEXT)
