"""All papers: links, dependencies, tables of the database, what may not stand in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlite_utils import Database

from digitize import __version__
from records.schema import migrations
from records.settings import Settings, load
from search.pages import RECORD_FIELDS
from search.query import parse
from tests.docs.markdown import PAPERS, ROOT, anchors, codes, links, read, rows, sections


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.name)
def test_links_resolve(paper: Path) -> None:
    """Every link to a file of the project leads to one, and every fragment to a heading in it."""
    for target in links(paper.read_text(encoding="utf-8")):
        if re.match(r"\w+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (paper.parent / name).resolve() if name else paper
        assert file.exists(), target
        if fragment:
            assert fragment in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.name)
def test_lines_are_short(paper: Path) -> None:
    """Lines have at most 100 characters, but for tables, which cannot be broken."""
    lines = paper.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith("|")] == []


def requirements(name: str) -> set[str]:
    """Return the packages that a requirements file names."""
    found = set()
    for line in read(f"requirements/{name}").splitlines():
        if match := re.match(r"[a-z][\w.-]*", line, re.IGNORECASE):
            found.add(match.group().lower())
    return found


@pytest.mark.parametrize(("sets", "title"), [("run models", "To run"), ("test", "To check")])
def test_every_dependency_has_its_reasons(sets: str, title: str) -> None:
    """Each required package has a row with why, alive and instead of what; and no other has."""
    table = rows(sections(read("docs/dependencies.md"))[title])
    required = set[str]().union(*(requirements(f"{name}.in") for name in sets.split()))
    assert {package for cells in table for package in codes(cells[0])} == required
    assert all(cell for cells in table for cell in cells)


def test_system_packages() -> None:
    """Each font and program that ./run installs on Debian is explained."""
    text = sections(read("docs/dependencies.md"))["From the system"]
    script = ROOT / "run"
    if not script.exists():
        pytest.skip("there is no ./run here")
    shell = script.read_text(encoding="utf-8")
    installed = set(re.findall(r"fonts-[\w-]+", shell))
    body = shell.partition("debian_packages() {")[2].partition("\n}\n")[0]
    for line in re.findall(r"echo ([\w .+-]+?)(?: ;;|;|$)", body, re.MULTILINE):
        installed |= {word for word in line.split() if len(word) > 3}
    assert installed <= set(codes(text))


def test_whoosh_is_pinned_as_said() -> None:
    """The version of the search engine that the paper weighs is the one that is installed."""
    pinned = re.search(r"^whoosh3==(\S+)$", read("requirements/run.in"), re.MULTILINE)
    assert pinned
    assert f"whoosh3 {pinned.group(1)}" in read("docs/dependencies.md")


def test_tables_of_the_database() -> None:
    """The design names every table of the schema, and no other."""
    database = Database(memory=True)
    migrations.apply(database)
    real = {name for name in database.table_names() if not name.startswith(("_", "sqlite_"))}
    database.close()
    table = rows(sections(read("docs/design.md"))["The tables"])
    assert {codes(cells[0])[0] for cells in table} == real


def test_decisions_are_numbered_and_dated() -> None:
    """Every decision has a number of its own, and the section says of which day they are."""
    text = sections(read("docs/design.md"))["Decisions"]
    assert re.search(r"\d{4}-\d\d-\d\d", text)
    numbers = [int(n) for n in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_fields_of_every_record() -> None:
    """The paper on searching names all fields that every record has."""
    table = rows(sections(read("docs/searching.md"))["Fields"])
    assert {code for cells in table for code in codes(cells[0])} == RECORD_FIELDS


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(ROOT / "config.toml")


def test_queries_are_understood_as_said(settings: Settings) -> None:
    """Every example query parses to what its row says: a phrase, a prefix, a range, ..."""
    fields = RECORD_FIELDS | {"permit_number", "owner_name", "fee", "application_date"}
    table = rows(sections(read("docs/searching.md"))["Searching"])
    kinds = {
        code: type(parse(code, fields, settings.forms.day_first).root).__name__
        for cells in table
        for code in codes(cells[0])
    }
    assert kinds["maple smith"] == "And"
    assert kinds["fence OR hedge"] == "Or"
    assert kinds["fee:50..100"] == kinds["date:2019-03..2019-05"] == "Range"
    assert kinds['"114 maple street"'] == kinds["perm*"] == kinds["smyth~"] == "Term"


@pytest.mark.parametrize("name", ["record.png", "search.png"])
def test_pictures_are_small(name: str) -> None:
    """The README's pictures are PNG files below 300 KB."""
    picture = (ROOT / "docs" / "images" / name).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 300_000


def test_licence_is_the_one_that_is_said() -> None:
    """LICENSE, pyproject.toml and the README speak of the same licence."""
    assert "Apache License" in read("LICENSE")
    assert 'license = "Apache-2.0"' in read("pyproject.toml")
    assert "Apache License 2.0" in read("README.md")


def test_version_is_in_the_changelog() -> None:
    """The changelog has a section for the version of the code."""
    assert f"## [{__version__}]" in read("CHANGELOG.md")
