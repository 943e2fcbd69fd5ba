"""Markdown as the tests of the papers need it: sections, tables, code blocks, links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_CELL_END = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    """Return the text of a paper, by its path from the project's folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Return each heading of any level with the text up to the next heading."""
    found: dict[str, str] = {}
    title, lines = "", list[str]()
    for line in _CODE.sub(_without_headings, text).splitlines():
        if match := re.match(r"#+ (.+)", line):
            found[title] = "\n".join(lines)
            title, lines = match.group(1).strip(), []
        else:
            lines.append(line)
    found[title] = "\n".join(lines)
    return found


def _without_headings(block: re.Match[str]) -> str:
    """Return a code block whose comments are not taken for headings."""
    return re.sub(r"^#", " #", block.group(), flags=re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in a text, without their heads."""
    found: list[list[str]] = []
    head = True
    for line in text.splitlines():
        if not line.startswith("|"):
            head = True
            continue
        cells = [c.strip().replace("\\|", "|") for c in _CELL_END.split(line)[1:-1]]
        if set("".join(cells)) <= set("-: "):
            head = False
        elif not head:
            found.append(cells)
    return found


def codes(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language, without the indent that a list gives them."""
    return [
        re.sub(f"^{match.group(1)}", "", match.group(3), flags=re.MULTILINE)
        for match in _CODE.finditer(text)
        if match.group(2) == language
    ]


def links(text: str) -> list[str]:
    """Return the targets of all links and pictures outside code."""
    plain = re.sub(r"`[^`\n]*`", "", _CODE.sub("", text))
    return re.findall(r"\]\(([^)\s]+)\)", plain)


def anchors(text: str) -> set[str]:
    """Return the fragments that lead to the headings of a paper, as code hosts make them."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in sections(text)
        if title
    }
