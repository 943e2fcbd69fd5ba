"""Several processes that serve one socket, so that every core of the machine answers.

The parent has bound the socket, keeps the index current, and serves nothing itself. A process that
dies is started again; all end when they are told to, or when the parent is gone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket

from records.errors import DigitizeError
from records.settings import Settings

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_ENDS_S = 40.0  # a process that has not ended by then is killed; see webui.server
_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")  # nothing of the parent's: no connection, no lock

Serve = Callable[[Settings, socket, Callable[[], None]], None]


@dataclass(slots=True)
class _Place:
    """One place in the crew: the process that has it, and how its starts went."""

    process: SpawnProcess | None = None
    began: float = 0.0
    pause_s: float = SHORTEST_PAUSE_S
    again_at: float = 0.0
    died_with: int | None = None  # the exit code of the last that did


class Crew:
    """A number of processes that serve; ``run`` returns when this one is told to end."""

    def __init__(self, serve: Serve, settings: Settings, bound: socket, count: int) -> None:
        """Take what each process calls: with the settings, the socket, and what says it is up."""
        self._told = serve, settings, bound
        self._places = [_Place() for _ in range(count)]
        self._said = False

    def run(self, ready: Callable[[], None]) -> None:
        """Start all and mind them; ``ready`` is called when the first one answers.

        Raises DigitizeError when all have died before one answered: it will be so the next time.
        """
        up, says_up = _spawn.Pipe(duplex=False)
        try:
            with suppress(SystemExit, KeyboardInterrupt):  # as waitress does in one that serves
                self._mind(ready, up, says_up)
        finally:
            self._end()

    def _mind(self, ready: Callable[[], None], up: Connection, says_up: Connection) -> None:
        answering = False
        while True:
            for place in self._places:
                self._fill(place, says_up)
            if not (answering or up.poll()):
                self._require_hope()
            living = [place.process.sentinel for place in self._places if place.process]
            if up in wait([*living, up], timeout=SHORTEST_PAUSE_S) and up.recv() and not answering:
                answering = True
                ready()

    def _require_hope(self) -> None:
        codes = {place.died_with for place in self._places}
        if None not in codes:
            told = ", ".join(sorted(map(str, codes)))
            raise DigitizeError(
                f"The site cannot be served: every process for it ended at once "
                f"(exit code {told}); mend what they say above, then start it again."
            )

    def _fill(self, place: _Place, says_up: Connection) -> None:
        """Start a process where there is none, after a pause that grows while they keep dying."""
        now = time.monotonic()
        if place.process is not None:
            if place.process.is_alive():
                return
            self._note_death(place, now)
        if now >= place.again_at:
            place.began = now
            place.process = _spawn.Process(
                target=_serve, args=(*self._told, says_up), name="server", daemon=True
            )
            place.process.start()

    def _note_death(self, place: _Place, now: float) -> None:
        assert place.process is not None
        place.died_with = place.process.exitcode
        if not self._said:
            _log.warning(
                "A process that serves the site has ended (exit code %s); "
                "it is started again, and again if need be.",
                place.process.exitcode,
            )
        lasted = now - place.began > 2 * LONGEST_PAUSE_S
        place.pause_s = SHORTEST_PAUSE_S if lasted else min(2 * place.pause_s, LONGEST_PAUSE_S)
        self._said = not lasted
        place.again_at = now + (0 if lasted else place.pause_s)
        place.process = None

    def _end(self) -> None:
        """Let nobody in, and all finish what is under way; kill those that do not end."""
        _, _, bound = self._told
        bound.close()  # or who comes now would wait for nothing
        living = [place.process for place in self._places if place.process]
        for process in living:
            process.terminate()
        late = time.monotonic() + _ENDS_S
        for process in living:
            process.join(max(0.0, late - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


def _serve(serve: Serve, settings: Settings, bound: socket, says_up: Connection) -> None:
    """Serve, in a process of its own, until told to end or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a key at the terminal; the parent tells us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(settings, bound, lambda: says_up.send(True))


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
