"""Who the audit says was at the keyboard, and an import whose index cannot follow."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from digitize.cli.session import Session
from tests.faults.house import House
from tests.faults.paper import write_scan


def test_the_actor_is_not_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit names the user that the system knows, whatever LOGNAME says."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert Session(Path("x")).actor == f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


def test_the_actor_behind_sudo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root by sudo is named with who called it; for others SUDO_USER means nothing."""
    monkeypatch.setenv("SUDO_USER", "clerk")
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert Session(Path("x")).actor == "cli:root (sudo from clerk)"
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert Session(Path("x")).actor == "cli:4000000"


def test_an_index_that_cannot_follow_costs_no_summary(empty: House, tmp_path: Path) -> None:
    """When the index cannot be written the files are in all the same: both are said."""
    empty.prepare()
    (empty.archive / "index").touch()
    ran = empty.run("import", write_scan(tmp_path / "a.png", "a"), "--workers", 1)
    assert ran.code == 0
    assert "records               1" in ran.out
    assert ran.err.startswith("The files are in, but search does not find them yet (")
    assert ran.err.count("\n") == 1
