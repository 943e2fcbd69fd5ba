"""The JSON shown in docs/commands.md against what the commands print."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from digitize.cli import main
from digitize.installation import open_installation
from digitize.rereading import Difference
from records import filing, noting, settings
from records.archive import hash_file
from records.filing import Accepted, Draft, Intake, Sighting
from records.geometry import Box, untouched
from records.model import DocumentStatus, Field, FieldStatus, Line, PageKind, PageResult, Word
from tests.docs.markdown import ROOT, blocks, codes, read, rows, sections

SECTIONS = sections(read("docs/commands.md"))


def shape(value: object) -> object:
    """Return a value's keys at every depth; of a list, the shape of its first entry."""
    if isinstance(value, Mapping):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], Mapping | list):
        return [shape(value[0])]
    return None


def shown(section: str) -> Any:
    """Return the JSON that a section of the paper shows."""
    (block,) = blocks(SECTIONS[section], "json")
    return json.loads(block)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the settings file of an archive with one record, made without reading anything."""
    folder = tmp_path_factory.mktemp("docs")
    config = folder / "config.toml"
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    config.write_text(text.replace('folder = "forms"', f'folder = "{ROOT / "forms"}"'))
    installation = open_installation(settings.load(config))
    source = folder / "SCAN_0001.pdf"
    source.write_bytes(b"%PDF-1.7 made for a test")
    sha256 = hash_file(source)
    intake = Intake("test", "Drawer 12", None, None, "")
    file = Accepted(sha256, source.stat().st_size, source.name, "application/pdf")
    filing.accept(installation.store, file, intake, "clerk", 3, lambda _run: False)
    word = Word("fence", Box(1, 2, 30, 12), 0.9)
    field = Field(
        "permit_number", "Permit no.", "text", "2019-0572", "2019-0572", 0.9, 1,
        Box(1, 2, 30, 12), FieldStatus.OK, (), "tesseract", "zone",
    )  # fmt: skip
    page = PageResult(
        number=1, key="k", kind=PageKind.SCAN, image="0" * 64, size=(100, 100), dpi=200,
        geometry=untouched(100, 100), steps=(), blank=False, lines=(Line((word,)),),
        confidence=0.9, form="building-permit", form_page=1, template="", pairs=(),
        separator=False, fields=(field,),
        reader="tesseract", languages="eng", exit_code=0, seconds=0.1,
    )  # fmt: skip
    filing.save_page(installation.store, "test", sha256, page, "k")
    draft = Draft(
        (1,), "building-permit", "building", "162 Sawpit Lane", "2019-06-03",
        DocumentStatus.FILED, (), (field,),
    )  # fmt: skip
    (number,) = filing.file_records(installation.store, "test", sha256, [draft])
    viewer = installation.store.system_viewer("test")
    document = installation.store.document(number, viewer)
    noting.add_tag(installation.store, viewer, document, "urgent")
    noting.add_note(installation.store, viewer, document, "Owner called about the fee.")
    installation.finder.sync()
    installation.store.close()
    return config


def printed(archive: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command with --json and return what it prints."""
    main(["--config", str(archive), *words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_show_and_export(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record has the keys, at every depth, that the paper shows for show and export."""
    expected = shape(shown("show"))
    assert shape(printed(archive, capsys, "show", "1")) == expected
    out = archive.with_name("records.jsonl")
    assert main(["--config", str(archive), "export", "--format", "jsonl", "--out", str(out)]) == 0
    assert shape(json.loads(out.read_text(encoding="utf-8"))) == expected


def test_search(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A search prints the keys that the paper shows; the facets' values are the archive's own."""
    expected, found = shown("search"), printed(archive, capsys, "search", "fence")
    assert expected["facets"].keys() == found["facets"].keys()
    del expected["facets"], found["facets"]
    assert shape(found) == shape(expected)


def test_import(
    archive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import prints the keys that the paper shows, of a refused file too."""
    monkeypatch.setattr("digitize.cli.session.Session.check_programs", lambda _session: None)
    missing = str(archive.with_name("nothing.pdf"))
    found = printed(archive, capsys, "import", missing, "--workers", "1")
    assert shape(found) == shape(shown("import"))
    assert found["results"][0]["was"] == "refused"


def test_reread(
    archive: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reading prints the keys that the paper shows, of a record that has changed too."""
    monkeypatch.setattr("digitize.cli.session.Session.check_programs", lambda _session: None)
    expected = shown("reread")
    found = printed(archive, capsys, "reread", "--form", "separator")
    assert set(found) == set(expected)
    [changed] = expected["records"]
    assert set(changed) == {field.name for field in dataclasses.fields(Difference)}


def test_what_a_file_was() -> None:
    """The table of what an imported file was has every sighting, and 'refused'."""
    words = [codes(cells[0])[0] for cells in rows(SECTIONS["import"]) if len(cells) == 2]
    assert set(words) >= {str(s) for s in Sighting} | {"refused"}


def test_parts_of_a_record(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The parts of a record have the keys that the paper names."""
    said = SECTIONS["show"].rpartition("With `--fields`")[2]
    assert shape(printed(archive, capsys, "show", "1", "--fields")) == shape(
        shown("show")["fields"]
    )
    for part in ("--text", "--words"):
        (page,) = printed(archive, capsys, "show", "1", part)
        assert set(page) == {"page", part[2:]}
    entry = printed(archive, capsys, "show", "1", "--history")[0]
    assert set(entry) <= set(codes(said))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("status", ("status",)),
        ("check", ("check",)),
        ("forms list", ("forms", "list")),
        ("forms list", ("forms", "show", "dog-licence")),
        ("users list", ("users", "list")),
    ],
)
def test_keys_of_the_others(
    archive: Path, capsys: pytest.CaptureFixture[str], section: str, words: tuple[str, ...]
) -> None:
    """The other commands print the keys that their --json row names, and no other."""
    if section == "users list":
        command = "users add maria --role clerk --department building"
        main(["--config", str(archive), *command.split()])
        capsys.readouterr()
    (row,) = [cells[1] for cells in rows(SECTIONS[section]) if "`--json`" in cells[0]]
    found = printed(archive, capsys, *words)
    first = found[0] if isinstance(found, list) else found
    keys = set(first)
    if "fields" in first:
        keys |= set(first["fields"][0])
    assert keys == set(codes(row))


def test_statuses_are_those_of_the_model() -> None:
    """The statuses of records and fields are the model's own."""
    text = re.sub(r"\s+", " ", SECTIONS["show"])
    for status in (*DocumentStatus, *FieldStatus):
        assert f"`{status}`" in text
