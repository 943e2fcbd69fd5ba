"""What reading processes are given to do in the tests: some of it ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from records.errors import ArchiveError

Task = tuple[int, str]


class UnpicklableError(Exception):
    """An error that cannot be sent from one process to another."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("only one argument is kept")


def do(task: Task) -> int:
    """Return the square of the task's number, or go wrong as it says."""
    number, how = task
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "raises":
        raise LookupError(f"task {number} is odd")
    if how == "raises what cannot be sent":
        raise UnpicklableError(1, 2)
    if how == "never ends":
        time.sleep(600)
    if how == "asks for memory":
        bytearray(4 << 30)
    if how == "has no disk":
        raise ArchiveError("The disk is full; make room and import again.")
    if how.startswith("waits for a program "):
        program = subprocess.Popen(["sleep", "600"])
        Path(how.removeprefix("waits for a program ")).write_text(str(program.pid))
        program.wait()
    return number * number
