"""Every command is there, with its options, and says what it does in words that people know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from digitize.cli import digitize
from tests.cli.conftest import Call, record
from tests.faults import engines
from tests.faults.house import House, Ran
from tests.faults.paper import drawer

COMMANDS = {
    "import": {"--batch", "--form", "--department", "--workers", "--json"},
    "watch": {"--workers"},
    "reread": {"--query", "--form", "--unknown", "--record", "--all", "--dry-run", "--json"},
    "search": {"--limit", "--form", "--department", "--status", "--year", "--json"},
    "show": {"--text", "--words", "--fields", "--history", "--json"},
    "correct": set(),
    "export": {"--query", "--format", "--out"},
    "forms list": {"--json"},
    "forms show": {"--json"},
    "forms check": {"--json"},
    "reindex": set(),
    "check": {"--full", "--json"},
    "repair": {"--yes"},
    "status": {"--json"},
    "users add": {"--role"},
    "serve": set(),
}
_JARGON = ("sqlite", "regex", "hash", "uuid", "unicode", "subprocess", "traceback", "null")


def walk(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command and group with its full name."""
    yield name, command
    if isinstance(command, click.Group):
        for key, child in command.commands.items():
            yield from walk(child, f"{name} {key}".strip())


ALL = dict(walk(digitize))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_there_with_its_options(name: str) -> None:
    """The commands and options that the documentation promises exist."""
    options = {o for p in ALL[name].params for o in [*p.opts, *p.secondary_opts]}
    assert COMMANDS[name] <= options


@pytest.mark.parametrize("name", ALL)
def test_help_is_readable(empty: House, call: Call, name: str) -> None:
    """Help fits 80 columns, explains every option, and uses no word of a programmer's."""
    ran = call(empty, *name.split(), "--help")
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert not [word for word in _JARGON if word in ran.out.lower()]
    silent = [p.opts for p in ALL[name].params if isinstance(p, click.Option) and not p.help]
    assert not silent
    assert ALL[name].help


def test_help_does_not_need_settings(empty: House, call: Call) -> None:
    """Whoever looks for help gets it, even where there is no settings file yet."""
    empty.config.unlink()
    assert call(empty, "import", "--help").code == 0
    assert call(empty, "--version").out.startswith("digitize")


@pytest.mark.parametrize(
    "words",
    [
        "search hollis", "search", "show ID", "show ID --text", "show ID --words",
        "show ID --fields", "show ID --history", "check", "check --full", "status", "forms list",
        "forms show burial-record", "users list",
    ],
)  # fmt: skip
def test_json_is_json(filed: House, call: Call, words: str) -> None:
    """With --json, commands that print data print one JSON value and nothing else."""
    card = record(filed, "burial-record")
    ran = call(filed, *words.replace("ID", str(card)).split(), "--json")
    assert (ran.code, ran.err) == (0, "")
    assert isinstance(json.loads(ran.out), dict | list)


def test_forms_check_says_json_too(filed: House, call: Call) -> None:
    """``forms check`` prints the template as JSON when asked."""
    with filed.opened() as installation:
        file = installation.settings.forms.folder / "burial-record.toml"
    assert call(filed, "forms", "check", file, "--json").json["name"] == "burial-record"
    assert "is a good template" in call(filed, "forms", "check", file).out


def test_the_summary_counts_everything(imported: tuple[House, Ran]) -> None:
    """An import ends with files, pages, records, duplicates, blanks, doubts, failures and pace."""
    summary = imported[1].json
    assert summary["files"] == summary["records"] == 3
    assert summary["batch"] == "a drawer"
    assert summary["pages"] >= 3
    assert (summary["duplicates"], summary["failed"], summary["failed_pages"]) == (0, 0, 0)
    assert summary["needs_review"] in range(4)
    assert summary["blanks"] in range(3)
    assert summary["pages_per_minute"] > 0


def test_the_summary_is_shown_to_people(own: House) -> None:
    """The same in words, a line each; the second sighting of a file is a duplicate."""
    with own.opened() as installation:
        [path] = [
            installation.archive.original_path(o.sha256)
            for o in installation.store.originals()
            if o.name == "scan0012.bmp"
        ]
        copy = own.folder / "again.bmp"
        copy.write_bytes(path.read_bytes())
    ran = own.run("import", copy)
    assert ran.code == 0
    shown = dict(line.rsplit(None, 1) for line in ran.out.splitlines() if line.startswith("  "))
    assert {key.strip(): value for key, value in shown.items()} == {
        "files": "1", "pages": "0", "records": "0", "duplicates": "1", "blanks": "0",
        "needs review": "0", "failed": "0", "pages per minute": "0",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    ["search", "show 1", "show 1 --text", "show 1 --words", "show 1 --history", "status", "check",
     "forms list", "forms show burial-record"],
)  # fmt: skip
def test_piped_output_is_plain(filed: House, call: Call, words: str) -> None:
    """In a pipe there are no colours, bars or other control characters."""
    ran = call(filed, *words.split())
    assert ran.code == 0
    assert ran.out
    assert all(c == "\n" or c.isprintable() for c in ran.out)


def test_an_import_in_a_pipe_is_plain(own: House, tmp_path: Path) -> None:
    """An import in a pipe prints a line a file, and no bar."""
    own.engine(engines.FAST)
    ran = own.run("import", drawer(tmp_path / "in", pages=1), "--workers", 1)
    assert ran.err == ""
    lines = ran.out.splitlines()[:3]
    assert sorted(line.split(":")[0] for line in lines) == ["a.tif", "b.tif", "c.tif"]
    assert all(c == "\n" or c.isprintable() for c in ran.out)
