"""docs/commands.md against the command line itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from digitize.cli import digitize
from records.errors import ExitCode
from tests.docs.markdown import ROOT, blocks, codes, read, rows, sections

TEXT = read("docs/commands.md")
SECTIONS = sections(TEXT)


def tree(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its full name."""
    if isinstance(command, click.Group):
        for child, below in command.commands.items():
            yield from tree(below, f"{name} {child}".strip())
    else:
        yield name, command


COMMANDS = dict(tree(digitize))


def documented(section: str) -> set[str]:
    """Return the options and arguments that the first cells of a section's option table name."""
    found = set()
    for cells in rows(SECTIONS[section]):
        for word in codes(cells[0])[:1]:
            if word.startswith("--") or word.rstrip(".").isupper():
                found.add(word.split()[0])
    return found


def real(command: click.Command) -> set[str]:
    """Return the options and arguments of a command as its help writes them."""
    found = set()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            found.update(o for o in parameter.opts if o != "--help")
        elif isinstance(parameter, click.Argument):
            name = parameter.make_metavar(click.Context(command)).strip("[]")
            found.add(name.replace("]", "").replace("[", ""))
    return found


def test_every_command_has_a_section() -> None:
    """Each command of the command line has a section of its own, and a line in the overview."""
    overview = set(codes("".join(cells[0] for cells in rows(SECTIONS["Commands"]))))
    assert set(COMMANDS) == overview
    assert set(COMMANDS) <= set(SECTIONS)


def test_no_section_is_about_a_command_that_does_not_exist() -> None:
    """Every section is a command, or one of the three that are about all of them."""
    assert set(SECTIONS) - set(COMMANDS) == {"", "Commands", "digitize", "Exit codes"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_options_are_those_of_the_command(name: str) -> None:
    """A command's table names each of its options and arguments, and no other."""
    assert documented(name) == real(COMMANDS[name])


def test_options_before_the_command() -> None:
    """The options that stand before a command are there, and no other."""
    assert documented("digitize") == real(digitize)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_choices_are_those_of_the_option(name: str) -> None:
    """Where an option takes one of a few words, its table says which."""
    written = {cell.split()[0]: cell for cells in rows(SECTIONS[name]) for cell in codes(cells[0])}
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option) and isinstance(option.type, click.Choice):
            assert written[option.opts[0]].split()[1].split("|") == list(option.type.choices)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_an_example(name: str) -> None:
    """Each command is shown in use, in words that the command line takes."""
    examples = [line for block in blocks(SECTIONS[name], "sh") for line in block.splitlines()]
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert words[:2] == ["./run", "digitize"]
        assert words[2 : 2 + len(name.split())] == name.split()
        parse(COMMANDS[name], words[2 + len(name.split()) :])


def test_examples_before_the_command() -> None:
    """The example of the options before a command is one that the command line takes."""
    (example,) = blocks(SECTIONS["digitize"], "sh")
    parse(digitize, shlex.split(example)[2:])


@pytest.mark.parametrize("paper", ["README.md", "docs/forms.md", "docs/trust.md"])
def test_examples_in_other_papers_parse(paper: str) -> None:
    """What other papers tell people to type is taken by ./run and by the command line."""
    lines = [line for block in blocks(read(paper), "sh") for line in block.splitlines()]
    lines += [code for code in codes(read(paper)) if code.startswith("./run digitize ")]
    for line in lines:
        if line.lstrip().startswith("./run digitize "):
            words = shlex.split(line, comments=True)[2:]
            words = words[2:] if words[0] == "--config" else words
            name = next(n for n in COMMANDS if words[: len(n.split())] == n.split())
            parse(COMMANDS[name], words[len(name.split()) :])


def parse(command: click.Command, words: list[str]) -> None:
    """Parse arguments without running anything; raises what a wrong one raises."""
    command.make_context("digitize", list(words), resilient_parsing=False)


def test_run_knows_the_commands_of_the_readme() -> None:
    """Every './run WORD' in the papers is a command of the script."""
    script = ROOT / "run"
    if not script.exists():
        pytest.skip("there is no ./run here")
    known = script.read_text(encoding="utf-8")
    for paper in ("README.md", "CONTRIBUTING.md", "docs/commands.md"):
        for line in [*codes(read(paper)), *"\n".join(blocks(read(paper), "sh")).splitlines()]:
            words = line.split()
            if words[:1] == ["./run"] and len(words) > 1:
                assert f"{words[1]})" in known, line


def test_exit_codes_are_those_of_the_code() -> None:
    """The table of exit codes has each code of records.errors with its name, in order."""
    table = [(int(cells[0]), cells[1]) for cells in rows(SECTIONS["Exit codes"])]
    assert table == [(int(c), c.name.lower().replace("_", " ")) for c in ExitCode]
