"""What a reading process may not do, whatever a file makes it do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digitize.confine import allow_writes_only_under
from digitize.workers import Limits, Workers


def write_to(path: Path) -> str:
    """Try to write, from Python and from a child process; say what came of it."""
    try:
        path.write_text("planted")
    except PermissionError:
        child = subprocess.run(["touch", str(path)], capture_output=True, check=False)
        return "refused" if child.returncode else "the child wrote"
    return "written"


def has_landlock(folder: Path) -> bool:
    """Ask in a process of its own, since what is given up is given up for good."""
    code = (
        "import sys; from pathlib import Path; from digitize.confine import *; "
        "sys.exit(not allow_writes_only_under([Path(sys.argv[1])]))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=root, check=False)
    return done.returncode == 0


def test_a_reading_process_writes_only_where_it_must(tmp_path: Path) -> None:
    """Code that a planted file might run can reach neither the originals nor the database."""
    own, originals = tmp_path / "work", tmp_path / "originals"
    for folder in (own, originals):
        folder.mkdir()
    limits = Limits(memory_mb=4000, task_s=30, writable=(own,))
    tasks = [own / "x", originals / "x", tmp_path / "records.db"]
    with Workers(1, limits, own) as workers:
        said = dict(workers.run(write_to, iter(tasks)))
    assert said[own / "x"] == "written"
    if not has_landlock(own):
        pytest.skip("this kernel has no Landlock; the other limits hold")
    assert said[originals / "x"] == "refused"
    assert said[tmp_path / "records.db"] == "refused"


def test_where_there_is_no_landlock_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """On another system the function says that it could not, and changes nothing."""
    monkeypatch.setattr("sys.platform", "darwin")
    assert allow_writes_only_under([]) is False
