"""Every exit code is reached for real, each with one sentence on standard error."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Call, record
from tests.faults import engines
from tests.faults.house import House
from tests.faults.paper import write_scan


def test_0_done(filed: House, call: Call) -> None:
    """0: all went well, and nothing is said on standard error."""
    ran = call(filed, "status")
    assert (ran.code, ran.err) == (0, "")


def test_1_other(empty: House, tmp_path: Path, call: Call) -> None:
    """1: something else is wrong, such as a full disk."""
    empty.set({"archive.free_mb": 10_000_000})
    ran = empty.run("import", write_scan(tmp_path / "a.png", "a"))
    assert ran.code == 1
    assert ran.err.startswith("digitize: The disk of ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"], ["import"], ["import", "x", "--workers", "0"],
        ["import", "x", "--form", "no-form"], ["import", "x", "--department", "no-department"],
        ["show", "one"], ["show", "9" * 30], ["export", "--format", "xls", "--out", "x"],
        ["users", "add", "x", "--role", "king"],
    ],
    ids=lambda words: " ".join(words)[:30],
)  # fmt: skip
def test_2_usage(filed: House, call: Call, words: list[str]) -> None:
    """2: the words of the command are wrong; what would be right is said."""
    ran = call(filed, *words)
    assert ran.code == 2
    assert ran.out == ""
    assert "Error: " in ran.err or ran.err.startswith("digitize: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[intake]\nworkers = 'two'", "intake.workers"),
        ("[read]\nlanguage = ['eng']", "did you mean languages?"),
        ("not toml", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_2_settings(empty: House, call: Call, text: str | bytes, said: str) -> None:
    """2: a mistake in the settings file is named, with the cure."""
    empty.config.write_bytes(text.encode() if isinstance(text, str) else text)
    ran = call(empty, "status")
    assert ran.code == 2
    assert said in ran.err


def test_2_no_settings(empty: House, call: Call, tmp_path: Path) -> None:
    """2: a settings file that is not there, or is a folder, is named."""
    for config in (tmp_path / "none.toml", tmp_path):
        ran = call(empty, "--config", config, "status")
        assert ran.code == 2
        assert str(config) in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["show", "99999"], ["show", "0"], ["correct", "99999", "fee", "1"],
        ["correct", "ID", "no_field", "1"], ["correct", "ID", "name", "x", "--version", "77"],
        ["forms", "show", "no-form"], ["watch", "/no/such/folder"],
        ["export", "--format", "csv", "--out", "/no/such/folder/x.csv"],
    ],
    ids=lambda words: " ".join(words)[:30],
)  # fmt: skip
def test_3_input(filed: House, call: Call, words: list[str]) -> None:
    """3: what is named is not there or cannot be used; one sentence says what."""
    card = str(record(filed, "burial-record"))
    ran = call(filed, *(card if w == "ID" else w for w in words))
    assert ran.code == 3, ran.err
    assert ran.err.startswith("digitize: ")
    assert ran.err.count("\n") == 1


def test_3_input_of_an_import(empty: House, tmp_path: Path) -> None:
    """3: a file that is missing or no scan is refused by name; the others are done."""
    good = write_scan(tmp_path / "good.png", "good")
    (tmp_path / "bad.txt").write_text("no scan")
    ran = empty.run("import", tmp_path / "missing.pdf", tmp_path / "bad.txt", good)
    assert ran.code == 3
    assert ran.err.count("\n") == 2
    assert "missing.pdf" in ran.err
    assert "'bad.txt' is not a scan" in ran.err
    assert empty.sources() == ["good.png"]


def test_4_program_missing(empty: House, tmp_path: Path, call: Call) -> None:
    """4: a program or one of its languages is not installed; the package is named."""
    empty.set({"read.languages": ["eng", "tlh"]})
    ran = call(empty, "import", tmp_path)
    assert ran.code == 4
    assert "tesseract-ocr-tlh" in ran.err


def test_5_busy(empty: House) -> None:
    """5: something else holds what is needed, such as the site's port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        empty.set({"web.port": port})
        ran = empty.run("serve")
    assert ran.code == 5
    assert f"Port {port}" in ran.err
    assert "Traceback" not in ran.err
    assert not empty.processes()


def test_6_check_found_problems(own: House) -> None:
    """6: a check that finds a missing original says which, and changes nothing."""
    [(sha256,)] = own.rows("SELECT sha256 FROM originals WHERE name = 'scan0012.bmp'")
    (own.archive / "originals" / sha256[:2] / sha256).unlink()
    for _ in range(2):
        ran = own.run("check", "--json")
        assert ran.code == 6
        [problem] = ran.json["problems"]
        assert "'scan0012.bmp' is missing" in problem


def test_7_pages_failed(empty: House, tmp_path: Path) -> None:
    """7: the batch is done, and some pages of it could not be read."""
    empty.engine(engines.only_page(2, engines.FAILS))
    ran = empty.run("import", write_scan(tmp_path / "two.tif", "two", 2), "--json")
    assert ran.code == 7
    assert (ran.json["failed_pages"], ran.json["pages"]) == (1, 2)
    assert ran.err == "" or "page 2" in ran.err


def test_7_a_whole_file_failed(empty: House, tmp_path: Path) -> None:
    """7: a file that is kept but cannot be opened counts as failed pages, and says why."""
    whole = write_scan(tmp_path / "cut.png", "cut")
    whole.write_bytes(whole.read_bytes()[:900])
    ran = empty.run("import", whole)
    assert ran.code == 7
    assert ran.err.startswith("'cut.png'")


def test_words_that_are_no_text(own: House, call: Call) -> None:
    """Bytes on the command line that are no text end with a sentence, never with a traceback."""
    bad = os.fsdecode(b"\xff\xfe")
    out = own.folder / "x"
    for words in (
        ["users", "add", bad, "--role", "clerk"], ["correct", 1, "fee", bad], ["search", bad],
        ["export", "--query", bad, "--format", "csv", "--out", out], ["import", bad],
        ["forms", "show", bad], ["forms", "check", bad],
    ):  # fmt: skip
        assert call(own, *words).code in (0, 2, 3)
    ran = own.run("search", bad)
    assert (ran.code, ran.err) == (0, "")


def test_a_terminal_that_knows_few_letters(own: House) -> None:
    """Where the terminal cannot show a letter, another stands for it; the command goes on."""
    ran = own.run("show", 1, before="import sys; sys.stdout.reconfigure(encoding='ascii')")
    assert (ran.code, ran.err) == (0, "")


def test_a_reader_that_goes_away(own: House) -> None:
    """``digitize search | head -1`` ends without a word."""
    process = own.start("show", 1, "--words")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.wait()
    assert process.stderr.read() == ""
    process.stderr.close()
