"""Export to files in a folder on the command line: PDF, hOCR and ALTO."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import SCANS, Call, record
from tests.faults import engines
from tests.faults.house import House
from tests.faults.paper import write_scan

ENDS = {"pdf": ".pdf", "hocr": ".hocr", "alto": ".xml"}


@pytest.mark.parametrize("kind", list(ENDS))
def test_each_record_gets_its_files(filed: House, call: Call, tmp_path: Path, kind: str) -> None:
    """A folder is made, each record is in it under its number and title, none half written."""
    out = tmp_path / "new" / "folder"
    ran = call(filed, "export", "--format", kind, "--out", out)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{len(SCANS)} record(s) written to {out}.\n"
    names = sorted(p.name for p in out.iterdir())
    pages = filed.rows("SELECT document_id, number FROM pages ORDER BY document_id, number")
    wanted = [n for (n,) in filed.rows("SELECT id FROM documents ORDER BY id")]
    if kind == "alto":
        assert [(int(n[:6]), int(n[-8:-4])) for n in names] == [tuple(p) for p in pages]
    else:
        assert [int(n[:6]) for n in names] == wanted
    assert all(n.endswith(ENDS[kind]) for n in names)
    if kind != "pdf":
        for path in out.iterdir():
            ElementTree.parse(path)


def test_one_record(filed: House, call: Call, tmp_path: Path) -> None:
    """--record writes that record alone, in any format; one that is not there is a sentence."""
    card = record(filed, "burial-record")
    assert call(filed, "export", "--record", card, "--format", "pdf", "--out", tmp_path).code == 0
    (made,) = tmp_path.iterdir()
    assert made.name.startswith(f"{card:06}-")
    text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True, check=True)
    assert "INTERMENT" in text.stdout
    table = tmp_path / "one.csv"
    assert call(filed, "export", "--record", card, "--format", "csv", "--out", table).code == 0
    assert len(table.read_text().splitlines()[0].split(",")) > 8
    missing = call(filed, "export", "--record", 999, "--format", "pdf", "--out", tmp_path)
    assert (missing.code, missing.out) == (3, "")
    both = ["--record", 1, "--query", "elm"]
    assert call(filed, "export", *both, "--format", "pdf", "--out", tmp_path).code == 2


def test_what_a_search_finds(filed: House, call: Call, tmp_path: Path) -> None:
    """--query narrows it; finding nothing is no error, and leaves an empty folder."""
    words = ["--format", "hocr", "--out", tmp_path / "some"]
    assert call(filed, "export", "--query", "biscuit", *words).code == 0
    assert len(list((tmp_path / "some").iterdir())) == 1
    words[-1] = tmp_path / "none"
    ran = call(filed, "export", "--query", "form:no-such-form", *words)
    assert (ran.code, ran.out) == (0, f"0 record(s) written to {tmp_path / 'none'}.\n")
    assert list((tmp_path / "none").iterdir()) == []


def test_a_place_that_will_not_do(filed: House, call: Call, tmp_path: Path) -> None:
    """A file in the folder's place, or a folder that cannot be made, is a sentence."""
    (tmp_path / "file").write_text("mine")
    ran = call(filed, "export", "--format", "pdf", "--out", tmp_path / "file")
    assert ran.code == 3
    assert "name a folder" in ran.err
    ran = call(filed, "export", "--format", "pdf", "--out", tmp_path / "file" / "below")
    assert ran.code == 3
    assert ran.err.startswith("digitize: ")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("kind", list(ENDS))
def test_a_full_disk_is_told(filed: House, tmp_path: Path, kind: str) -> None:
    """A file that cannot be written whole is a sentence, and nothing of it is left."""
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
wrote = Path.write_bytes
def write_bytes(path, data):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        return wrote(path, data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
Path.write_bytes = write_bytes
"""
    ran = filed.run("export", "--format", kind, "--out", tmp_path / "out", before=code)
    assert ran.code == 3
    assert ran.err.startswith("digitize: ")
    assert ran.err.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_correction_is_in_every_format(own: House, call: Call, tmp_path: Path) -> None:
    """What a person said is in the text of all five."""
    licence = record(own, "dog-licence")
    assert call(own, "correct", licence, "owner_name", "Ottoline Quartermaine").code == 0
    for kind in ("csv", "jsonl", *ENDS):
        out = tmp_path / kind
        assert call(own, "export", "--record", licence, "--format", kind, "--out", out).code == 0
        (path,) = out.iterdir() if out.is_dir() else [out]
        if kind == "pdf":
            words = ["pdftotext", "-raw", path, "-"]
            text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        else:
            text = path.read_text(encoding="utf-8")
        assert "Ottoline" in text
        assert "Quartermaine" in text
    shown = call(own, "show", licence, "--text").out
    assert "Ottoline Quartermaine" in shown


def test_a_damaged_picture_is_told(own: House, call: Call, tmp_path: Path) -> None:
    """A page whose stored picture is not what it was is left out of a PDF, with a sentence."""
    minutes = next(i for i, s in own.rows("SELECT id, title FROM documents") if "MINUTES" in s)
    [(image,)] = own.rows(f"SELECT image FROM pages WHERE document_id = {minutes} AND number = 2")
    path = own.archive / "pages" / image[:2] / f"{image}.png"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    words = ["export", "--record", minutes, "--format"]
    ran = call(own, *words, "pdf", "--out", tmp_path)
    assert ran.code == 7
    assert ran.err.count("\n") == 1
    assert "page 2" in ran.err
    assert "repair" in ran.err
    (made,) = tmp_path.glob("*.pdf")
    info = subprocess.run(["pdfinfo", made], capture_output=True, text=True, check=True).stdout
    assert "Pages:           1" in info
    assert call(own, *words, "alto", "--out", tmp_path / "words").code == 0  # needs no picture
    path.unlink()
    assert call(own, *words, "pdf", "--out", tmp_path).code == 7


@pytest.mark.parametrize("kind", list(ENDS))
def test_a_page_that_could_not_be_read_is_told(empty: House, tmp_path: Path, kind: str) -> None:
    """It is left out with a sentence; a record of nothing else gets no file."""
    empty.engine(engines.FAILS)
    scan = write_scan(tmp_path / "a.png", "a")
    assert empty.run("import", scan, "--workers", 1).code == 7
    ran = empty.run("export", "--format", kind, "--out", tmp_path / "out")
    assert ran.code == 7
    assert "page 1 of 'a.png' could not be read" in ran.err
    assert "no file was written" in ran.err
    assert "Traceback" not in ran.err
    assert list((tmp_path / "out").iterdir()) == []
