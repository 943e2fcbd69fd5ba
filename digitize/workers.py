"""Reading processes: they keep to limits, die with their parent, and lose one page at most."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from digitize.confine import allow_writes_only_under
from records.errors import DigitizeError

_KEPT_VARIABLES = (
    "PATH", "LANG", "LC_ALL", "HOME", "TESSDATA_PREFIX", "PYTHONPATH", "SYSTEMROOT", "TZ",
)  # fmt: skip
_FILE_BYTES = 2 << 30
_GROUP = "reader-"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one reading process may use, and the folders that it may write to (none: all)."""

    memory_mb: int
    task_s: int
    writable: tuple[Path, ...] = ()


def begin(limits: Limits, workspace: Path, parent: int) -> None:
    """Set up a reading process: its own session, clean environment, limits, an eye on its parent.

    Temporary files land in ``workspace``.
    """
    os.setsid()
    with suppress(FileNotFoundError):  # the run may be over before we have begun
        (workspace / f"{_GROUP}{os.getpid()}").touch()
    for name in [n for n in os.environ if n not in _KEPT_VARIABLES]:
        del os.environ[name]
    os.environ["OMP_THREAD_LIMIT"] = "1"
    os.environ["TMPDIR"] = tempfile.tempdir = str(workspace)
    memory = limits.memory_mb << 20
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, hard))
    if limits.writable:  # before any thread starts: it holds for this one and those it starts
        allow_writes_only_under(limits.writable)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """Kill this process and its children as soon as the parent is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


T = TypeVar("T")
R = TypeVar("R")


def timed(task_s: int, work: Callable[[T], R], task: T) -> R:
    """Do one task; past ``task_s`` the kernel ends this process, whatever it is busy with."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(task_s)
    try:
        return work(task)
    finally:
        signal.alarm(0)


def _start(work: object) -> None:
    """Do nothing, in a process that had to import all that ``work`` needs."""


@dataclass(frozen=True, slots=True)
class Died:
    """What became of a task whose process died or raised: crashed, timeout, memory or bug."""

    kind: str
    message: str


class Workers:
    """Runs tasks in reading processes, a bounded number in flight, and survives their deaths."""

    def __init__(self, count: int, limits: Limits, workspace: Path) -> None:
        self.count = count
        self.limits = limits
        self.workspace = workspace
        self._pool: ProcessPoolExecutor | None = None  # made for the first task

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool is None:
            return
        if exc[0] is not None:  # all at once: one that waits for a task holds the others' lock
            processes = list((self._pool._processes or {}).values())
            self._end_groups()
            for process in processes:
                process.kill()
        self._pool.shutdown(wait=exc[0] is None, cancel_futures=True)

    def run(self, work: Callable[[T], R], tasks: Iterator[T]) -> Iterator[tuple[T, R | Died]]:
        """Yield each task with its result, as they end; only 3 a process are in flight at a time.

        When a process dies, all tasks in flight are done again, one at a time, so that only the
        one that kills its process is lost. A DigitizeError of a task ends the run: it tells of
        the installation, not of the page; so does one that says that no process can start.
        """
        flying: dict[Future[R], T] = {}
        while True:
            while len(flying) < 3 * self.count and (task := next(tasks, None)) is not None:
                try:
                    flying[self._submit(work, task)] = task
                except BrokenProcessPool:
                    yield from self._one_by_one(work, [*flying.values(), task])
                    flying = {}
            if not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            broken = [f for f in done if isinstance(f.exception(), BrokenProcessPool)]
            for future in done - set(broken):
                yield flying.pop(future), _outcome(future)
            if broken:
                yield from self._one_by_one(work, list(flying.values()))
                flying = {}

    def _one_by_one(self, work: Callable[[T], R], tasks: list[T]) -> Iterator[tuple[T, R | Died]]:
        self._renew(1)
        self._check_start(work)
        for task in tasks:
            started = time.monotonic()
            try:
                future = self._submit(work, task)
                died = isinstance(future.exception(), BrokenProcessPool)
            except BrokenProcessPool:
                died = True
            if died:
                took = time.monotonic() - started
                self._renew(1)
                yield task, _cause(took, self.limits.task_s)
            else:
                yield task, _outcome(future)
        self._renew(self.count)

    def _check_start(self, work: Callable[[T], R]) -> None:
        """Raise DigitizeError when a process dies that has nothing to do but to start."""
        try:
            died = self._submit(_start, work).exception() is not None
        except BrokenProcessPool:
            died = True
        if died:
            raise DigitizeError(
                "The reading processes cannot start; raise limits.memory_mb "
                f"(now {self.limits.memory_mb}), or see that '{sys.executable}' can be run."
            )

    def _submit(self, work: Callable[[T], R], task: T) -> Future[R]:
        if self._pool is None:
            self._pool = self._new_pool(self.count)
        return self._pool.submit(timed, self.limits.task_s, work, task)

    def _renew(self, count: int) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._end_groups()
        self._pool = self._new_pool(count)

    def _end_groups(self) -> None:
        """Kill the reading processes and all that they had started, such as Tesseract."""
        for mark in self.workspace.glob(f"{_GROUP}*"):
            with suppress(ProcessLookupError):
                os.killpg(int(mark.name.removeprefix(_GROUP)), signal.SIGKILL)
            mark.unlink()

    def _new_pool(self, count: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=begin,
            initargs=(self.limits, self.workspace, os.getpid()),
        )
        # All processes start together: Python 3.11 waits for ever when one dies while it starts
        # another.
        pool._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
        return pool


def _outcome(future: Future[Any]) -> Any:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, DigitizeError):
        raise error
    if isinstance(error, MemoryError):
        return Died("memory", "needs more memory than limits.memory_mb allows")
    return Died("bug", f"met a fault of digitize itself ({type(error).__name__}: {error})")


def _cause(took_s: float, limit_s: int) -> Died:
    if took_s >= limit_s:
        return Died("timeout", f"was not done after {limit_s} seconds (limits.page_s)")
    return Died("crashed", "made the reading process crash")
