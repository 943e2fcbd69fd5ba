"""Who may write: the threads of a process one after the other, in the order in which they came.

SQLite's own waiting asks every tenth of a second whether the lock is free, and whoever asks at the
right moment has it: one thread that writes without a pause kept another out for ten seconds.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Waiting:
    thread: threading.Thread
    let_in: threading.Event = field(default_factory=threading.Event)
    since: float = 0.0


class Turnstile:
    """Lets threads in one at a time, first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()  # the first of them is in

    def enter(self, patience_s: float) -> bool:
        """Wait for one's turn; return whether it came in time. Whoever is in leaves again."""
        me = _Waiting(threading.current_thread())
        with self._lock:
            if self._queue and self._queue[0].thread is me.thread:
                raise RuntimeError("A thread that is in would wait for itself.")
            self._queue.append(me)
            if self._queue[0] is me:
                me.let_in.set()
                me.since = time.monotonic()
        try:
            if me.let_in.wait(patience_s):
                return True
        except BaseException:  # told to end while it waits: nobody may wait for it
            self._go(me)
            raise
        with self._lock:
            if me.let_in.is_set():
                return True
            self._queue.remove(me)
            return False

    def _go(self, me: _Waiting) -> None:
        with self._lock:
            first = self._queue[0] is me
            self._queue.remove(me)
            if first:
                self._let_next_in()

    def leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            self._queue.popleft()
            self._let_next_in()

    def _let_next_in(self) -> None:
        if self._queue:
            self._queue[0].since = time.monotonic()
            self._queue[0].let_in.set()

    def inside(self) -> str:
        """Say who is in, and for how long, for the log."""
        with self._lock:
            if not self._queue:
                return "nobody"
            first = self._queue[0]
            return f"thread '{first.thread.name}', for {time.monotonic() - first.since:.1f} s"
