"""An installation of its own in a temporary folder, worked from outside as a person does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitize.installation import Installation, open_installation
from records import upkeep
from records.settings import load
from tests.faults import engines

ROOT = Path(__file__).resolve().parents[2]
_CALL = "import sys\nfrom digitize.cli import main\nsys.exit(main(sys.argv[1:]))\n"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as values."""
        return json.loads(self.out)


class House:
    """One archive with its settings; ``changes`` are settings such as ``{"limits.page_s": 5}``."""

    def __init__(self, folder: Path, changes: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.inbox = self.archive / "inbox"
        self.config = folder / "config.toml"
        self.programs: Path | None = None
        quick = {"archive.folder": "archive", "archive.free_mb": 0, "intake.settle_s": 0.2}
        self.set({**quick, "forms.folder": str(ROOT / "forms"), **(changes or {})})

    def set(self, changes: dict[str, Any]) -> None:
        """Change settings, such as ``{"limits.page_s": 5}``."""
        source = self.config if self.config.exists() else ROOT / "config.toml"
        tables = tomllib.loads(source.read_text())
        for key, value in changes.items():
            section, name = key.split(".")
            tables[section][name] = value
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text("".join(_toml(name, table) for name, table in tables.items()))

    def engine(self, body: str) -> None:
        """Put a reading engine of ``tests.faults.engines`` before Tesseract."""
        self.programs = engines.install(self.folder / "programs", body)

    def environment(self) -> dict[str, str]:
        """Return the environment that commands run in."""
        path = os.environ["PATH"]
        return {
            **os.environ,
            "PATH": f"{self.programs}{os.pathsep}{path}" if self.programs else path,
            "PYTHONPATH": str(ROOT),
            "DIGITIZE_CONFIG": str(self.config),
        }

    def run(
        self,
        *arguments: object,
        before: str = "",
        typed: str = "",
        timeout: float = 60,
        **more: Any,
    ) -> Ran:
        """Run a command to its end; ``before`` is Python that is run first, in its process."""
        done = subprocess.run(
            self._command(arguments, before), env=self.environment(), cwd=self.folder,
            capture_output=True, text=True, timeout=timeout, input=typed, **more,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: object, before: str = "") -> subprocess.Popen[str]:
        """Start a command, and do not wait."""
        return subprocess.Popen(
            self._command(arguments, before), env=self.environment(), cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def watching(self, *arguments: object, before: str = "") -> Iterator[subprocess.Popen[str]]:
        """Let ``digitize watch`` run for a while; it is killed when it does not end by itself."""
        process = self.start("watch", "--workers", 1, *arguments, before=before)
        try:
            assert process.stdout is not None
            process.stdout.readline()  # it says that it watches
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            end(process)

    @contextmanager
    def opened(self) -> Iterator[Installation]:
        """Open the archive in this process."""
        installation = open_installation(load(self.config))
        try:
            yield installation
        finally:
            installation.store.close()

    def prepare(self) -> None:
        """Make the archive, empty."""
        with self.opened():
            pass

    def problems(self) -> list[str]:
        """Return what ``digitize check --full`` says is wrong."""
        with self.opened() as installation:
            found = upkeep.check(installation.store, installation.archive, full=True)
            return [problem.sentence for problem in found] + installation.finder.check(full=True)

    def found(self, query: str) -> int:
        """Return how many records a search finds."""
        with self.opened() as installation:
            viewer = installation.store.system_viewer("test")
            return installation.finder.search(query, viewer).total

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.opened() as installation:
            return [tuple(row) for row in installation.store.db.conn.execute(sql, values)]

    def sources(self) -> list[str]:
        """Return the name of the file of every record, sorted."""
        return [r[0] for r in self.rows(
            "SELECT o.name FROM documents d JOIN originals o USING (sha256) ORDER BY o.name"
        )]  # fmt: skip

    def processes(self) -> list[int]:
        """Return the ids of all living processes that work on this archive, engines included."""
        mark, found = os.fsencode(self.folder), []
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and int(place.name) != os.getpid():
                try:
                    state = (place / "stat").read_text().rpartition(")")[2].split()[0]
                    about = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
                except OSError:
                    continue
                if state not in "ZX" and mark in about and b"resource_tracker" not in about:
                    found.append(int(place.name))
        return found

    def _command(self, arguments: tuple[object, ...], before: str) -> list[str]:
        start = ["-c", before + "\n" + _CALL] if before else ["-m", "digitize"]
        return [sys.executable, *start, *(str(a) for a in arguments)]


def end(process: subprocess.Popen[str], timeout: float = 20) -> Ran:
    """Wait for a started command; kill it when it does not end."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Ran(process.returncode, out, err)


def until(true: Callable[[], object], timeout: float = 15) -> bool:
    """Wait until something is true; False when it does not become so."""
    late = time.monotonic() + timeout
    while time.monotonic() < late:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())


def _toml(name: str, table: Any) -> str:
    if isinstance(table, list):
        return "".join(f"[[{name}]]\n{_keys(row)}" for row in table)
    return f"[{name}]\n{_keys(table)}"


def _keys(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()) + "\n"
