"""Records on the command line: found, shown, corrected and written out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import SCANS, Call, record
from tests.faults.house import ROOT, House
from tests.faults.paper import write_scan


@pytest.mark.parametrize(
    "query",
    [
        "(((", ")", '"', '"elm street', "O'Brien", "reg:1", "-x", "--", "---", "*", "?", "~", ":",
        "a:b:c", "AND", "NOT", "OR OR", "date:..", "date:2019-99-99..", "[TO", "\\", "%", "é",
        "'; DROP TABLE documents; --", "<script>", "fee:>", "^2", "{}", "$(x)", "x" * 3000,
        "please find the card of the lady who was buried in 1974, thank you", "\u202e", "\x1b[31m",
    ],
)  # fmt: skip
def test_whatever_a_person_types_gets_an_answer(filed: House, call: Call, query: str) -> None:
    """No query is an error: what is no query language is taken as words."""
    ran = call(filed, "search", query)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out


def test_one_wrong_letter_still_finds(filed: House, call: Call) -> None:
    """A name with a letter wrong finds the record, and says that it is only near."""
    found = call(filed, "search", "Hollys", "--json").json
    assert "burial-record" in [hit["form"] for hit in found["hits"]]
    assert found["near"] or found["suggestion"]


@pytest.mark.parametrize(
    ("filters", "forms"),
    [
        (["--form", "dog-licence"], {"dog-licence"}),
        (["--form", "dog-licence", "--form", "burial-record"], {"dog-licence", "burial-record"}),
        (["--department", "licensing"], {"dog-licence"}),
        (["--year", "1974"], {"burial-record"}),
        (["--status", "failed"], set()),
        (["--form", "no-such-form"], set()),
        (["--limit", "1"], None),
    ],
)
def test_filters(filed: House, call: Call, filters: list[str], forms: set[str] | None) -> None:
    """Filters narrow a search by form, department, status and year; the limit holds."""
    found = call(filed, "search", "--json", *filters).json
    if forms is None:
        assert len(found["hits"]) == 1
        assert found["total"] == len(SCANS)
    else:
        assert {hit["form"] for hit in found["hits"]} == forms


def test_a_hit_says_record_page_and_snippet(filed: House, call: Call) -> None:
    """A hit shows the record's number, its page and the words around the hit, marked."""
    card = record(filed, "burial-record")
    ran = call(filed, "search", "interment")
    head, snippet = ran.out.splitlines()[:2]
    assert head.split()[0] == str(card)
    assert "p. 1" in head
    assert "[INTERMENT]" in snippet
    [hit] = call(filed, "search", "interment", "--json").json["hits"]
    assert hit["record"] == card
    assert all(len(box) == 4 for box in hit["boxes"])


def test_show_text_and_words(filed: House, call: Call) -> None:
    """The text of a record's pages, and each word with its box and how sure its reader was."""
    card = record(filed, "burial-record")
    assert "RECORD OF INTERMENT" in call(filed, "show", card, "--text").out
    [page] = call(filed, "show", card, "--words", "--json").json
    word = next(w for w in page["words"] if w["text"] == "INTERMENT")
    left, top, right, bottom = word["box"]
    assert 0 <= left < right
    assert 0 <= top < bottom
    assert 0 < word["confidence"] <= 1
    assert "INTERMENT" in call(filed, "show", card, "--words").out


def test_show_fields_and_history(filed: House, call: Call) -> None:
    """The fields with value and status, and all that was ever done to the record, oldest first."""
    card = record(filed, "burial-record")
    fields = call(filed, "show", card, "--fields", "--json").json
    assert "Hollis" in fields["name"]["value"] if "name" in fields else fields
    history = call(filed, "show", card, "--history", "--json").json
    assert [row["action"] for row in history] == ["accepted", "page read", "filed"]
    assert all(row["actor"].startswith("cli:") for row in history)
    shown = call(filed, "show", card, "--history").out
    assert shown.index("accepted") < shown.index("filed")


def test_correct(own: House, call: Call) -> None:
    """A correction is normalised, shown, found, in the history, and at the next version."""
    licence = record(own, "dog-licence")
    before = call(own, "show", licence, "--json").json
    ran = call(
        own, "correct", licence, "date_issued", "March 3, 2017", "--version", before["version"]
    )
    assert (ran.code, ran.err) == (0, "")
    assert "date_issued is now '2017-03-03'" in ran.out
    after = call(own, "show", licence, "--json").json
    assert after["version"] == before["version"] + 1
    assert after["fields"]["date_issued"]["status"] == "corrected"
    change = call(own, "show", licence, "--history", "--json").json[-1]
    assert (change["action"], change["change"]["to"]) == ("corrected", "2017-03-03")
    assert call(own, "search", "date_issued:2017-03-03", "--json").json["total"] == 1
    stale = call(own, "correct", licence, "fee", "9", "--version", before["version"])
    assert stale.code == 3
    assert "changed by someone else" in stale.err


def test_a_correction_that_breaks_a_rule_is_kept_and_said(own: House, call: Call) -> None:
    """The paper may break a rule of its form: the value is kept, and the rule is named."""
    licence = record(own, "dog-licence")
    ran = call(own, "correct", licence, "date_issued", "no day at all")
    assert ran.code == 0
    assert "Note: " in ran.out


def test_export_jsonl(own: House, call: Call, tmp_path: Path) -> None:
    """One object a record, with what the documentation says, and no half-written file."""
    out = tmp_path / "out.jsonl"
    assert call(own, "export", "--format", "jsonl", "--out", out).code == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert {r["source"] for r in records} == set(SCANS)
    for found in records:
        assert {"id", "source", "sha256", "department", "form", "status", "fields", "pages"} <= set(
            found
        )
        assert len(found["sha256"]) == 64
        for field in found["fields"].values():
            assert {"value", "raw", "confidence", "status", "reasons", "page", "box"} <= set(field)
        for page in found["pages"]:
            assert {"number", "text", "turn", "skew_degrees", "blank", "words"} <= set(page)
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_export_csv(own: House, call: Call, tmp_path: Path) -> None:
    """A row a record, its fields in columns, and its text."""
    licence = record(own, "dog-licence")
    out = tmp_path / "out.csv"
    assert call(own, "export", "--format", "csv", "--out", out, "--query", "biscuit").code == 0
    with open(out, newline="", encoding="utf-8") as stream:
        [row] = list(csv.DictReader(stream))
    assert row["id"] == str(licence)
    assert row["dog_name"] == "Biscuit"
    assert "ALDER FALLS" in row["text"]


def test_no_cell_is_a_formula(empty: House, tmp_path: Path) -> None:
    """A file's name that a spreadsheet would run is exported as text."""
    scan = write_scan(tmp_path / "=HYPERLINK(1).png", "a")
    assert empty.run("import", scan, "--workers", 1).code == 0
    assert empty.run("export", "--format", "csv", "--out", "out.csv").code == 0
    assert "'=HYPERLINK(1).png" in (empty.folder / "out.csv").read_text()


def test_export_over_an_older_one(own: House, call: Call, tmp_path: Path) -> None:
    """An export replaces an older one whole; a folder in its place is a sentence."""
    out = tmp_path / "out.csv"
    out.write_text("old")
    assert call(own, "export", "--format", "csv", "--out", out).code == 0
    assert "old" not in out.read_text()
    assert call(own, "export", "--format", "csv", "--out", tmp_path).code == 3


def test_an_export_that_cannot_be_written(own: House, tmp_path: Path) -> None:
    """A place that refuses the file ends with a sentence, not with a traceback."""
    ran = own.run("export", "--format", "csv", "--out", "/proc/out.csv")
    assert ran.code in (1, 3)
    assert ran.err.startswith("digitize: ")
    assert ran.err.count("\n") == 1


def test_users_add(own: House, call: Call) -> None:
    """A person is added with a role and departments; a password is made, or read from a pipe."""
    words = ["users", "add", "ann", "--role", "clerk", "--department", "building"]
    ran = call(own, *words)
    assert ran.code == 0
    assert "Password: " in ran.out
    assert call(own, *words).code == 3 or call(own, *words).code == 2
    given = own.run("users", "add", "bob", "--role", "viewer", "--password-stdin",
                    typed="four plain words here\n")  # fmt: skip
    assert given.code == 0
    assert "four plain" not in given.out
    people = {p["name"]: p for p in call(own, "users", "list", "--json").json}
    assert people["ann"]["role"] == "clerk"
    assert people["bob"]["role"] == "viewer"


def test_status(own: House, call: Call) -> None:
    """Counts, the backlog, and whether the index is up to date."""
    status = call(own, "status", "--json").json
    assert status["counts"]["originals"] == status["counts"]["documents"] == len(SCANS)
    assert status["backlog"]["files waiting to be read"] == 0
    assert status["index"] == []
    assert "up to date" in call(own, "status").out


def test_reindex_check_and_repair(own: House, call: Call) -> None:
    """Upkeep of an archive in which nothing is wrong says so; a stray file is set aside."""
    assert call(own, "reindex").out == f"{len(SCANS)} record(s) are in the new index.\n"
    assert call(own, "check", "--full").out == "All is well.\n"
    assert call(own, "repair", "--yes").out == "All is well.\n"
    stray = own.archive / "originals" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_text("stray")
    assert call(own, "check").code == 6
    assert call(own, "repair", "--yes").code == 0
    assert [p.read_text() for p in (own.archive / "quarantine").iterdir()] == ["stray"]
    assert call(own, "check", "--full").code == 0


def test_forms(filed: House, call: Call, tmp_path: Path) -> None:
    """Templates are listed and shown; a broken one has every mistake in it named."""
    names = {form["name"] for form in call(filed, "forms", "list", "--json").json}
    assert {p.stem for p in (ROOT / "forms").glob("*.toml")} == names
    shown = call(filed, "forms", "show", "dog-licence").out
    assert "dog_name" in shown
    broken = tmp_path / "broken.toml"
    broken.write_text('title = 5\n[[fields]]\nname = "x"\nkind = "colour"\n')
    ran = call(filed, "forms", "check", broken)
    assert ran.code == 2
    assert "title" in ran.err
    assert "field 'x'" in ran.err


def test_config_by_option_variable_and_folder(filed: House, own: House) -> None:
    """--config wins over DIGITIZE_CONFIG, which wins over config.toml in the current folder."""
    hidden = "import os; os.environ['DIGITIZE_CONFIG'] = '/no/such/file'\n"
    assert filed.run("status", before=hidden).code == 2
    assert filed.run("--config", own.config, "status", before=hidden).code == 0
    nothing = "import os; del os.environ['DIGITIZE_CONFIG']\n"
    here = filed.run("status", before=nothing)  # it runs in the folder of its config.toml
    assert here.code == 0
    assert str(filed.archive) in here.out


def test_an_archive_is_not_imported_into_itself(own: House) -> None:
    """An import of the archive's own folder takes nothing that it has written itself."""
    before = own.sources()
    ran = own.run("import", own.archive, "--json")
    assert own.sources() == before
    assert ran.json["files"] == ran.json["failed"]
    assert ran.json["records"] == 0
