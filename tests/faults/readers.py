"""Second readers that go wrong in one way each: packages put before the real ones.

``onnxruntime`` is the one that runs the models; a false one answers as it is told for the page
that is being read. What is not to be there is hidden by ``sitecustomize``, which Python runs first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.house import House

_RUNTIME = """
import os, signal, sys, time
import numpy as np
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException


class SessionOptions:
    pass


class _Named:
    name = "x"
    custom_metadata_map = {"character": "a\\nb\\nc"}


def _page():
    frame = sys._getframe()
    while frame is not None:
        number = getattr(frame.f_locals.get("task"), "number", None)
        if number is not None:
            return number
        frame = frame.f_back


class InferenceSession:
    def __init__(self, path, options, providers):
        self.model = "_rec_" if isinstance(path, bytes) else os.path.basename(path)

    def get_inputs(self):
        return [_Named()]

    def get_modelmeta(self):
        return _Named()

    def run(self, names, inputs):
        [shown] = inputs.values()
        if "_cls_" in self.model:
            half = len(shown) // 2
            return [np.repeat([[0.99, 0.01], [0.01, 0.99]], half, axis=0)]
        wrong = go_wrong(_page(), shown)
        if wrong is not None:
            return [wrong]
        if "_det_" in self.model:
            found = np.zeros((1, 1, *shown.shape[2:]), np.float32)
            found[0, 0, 20:30, 20:-20] = 0.9
            return [found]
        answer = np.zeros((1, shown.shape[3] // 8, 5), np.float32)
        answer[:, :, 0] = 1.0
        answer[:, 2] = 0.02, 0.95, 0.01, 0.01, 0.01
        return [answer]


def go_wrong(page, shown):
"""
_RAISED = "class Fail(Exception): ...\n\n\nclass RuntimeException(Exception): ...\n"
_HIDES = """
from importlib.machinery import PathFinder

_find = PathFinder.find_spec


def _find_spec(name, path=None, target=None):
    return None if name in {names!r} else _find(name, path, target)


PathFinder.find_spec = staticmethod(_find_spec)
"""

# What the models do when they are shown a page.
RAISES = "raise Fail('Non-zero status code returned while running Conv node')"
HAS_NO_MEMORY = "raise RuntimeException('Failed to allocate memory for requested buffer')"
GIVES_NO_NUMBERS = "return np.full(shown.shape, np.nan)"
GIVES_NOTHING = "return np.empty((0,))"
HANGS = "time.sleep(600)"
CRASHES = "os.kill(os.getpid(), signal.SIGSEGV)"
IS_KILLED = "os.kill(os.getpid(), signal.SIGKILL)"


class HouseWithReader(House):
    """A house whose commands see other Python packages before the real ones."""

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    def environment(self) -> dict[str, str]:
        """Return the environment that commands run in."""
        usual = super().environment()
        return {**usual, "PYTHONPATH": f"{self.packages}:{usual['PYTHONPATH']}"}

    def second_reader(self, ways: Mapping[int, str]) -> None:
        """Put a false runtime in the place of the real one: what it does on which page."""
        steps = "".join(f"    if page == {page}:\n        {way}\n" for page, way in ways.items())
        self._write("onnxruntime/__init__.py", f"{_RUNTIME}{steps}    return None\n")
        self._write("onnxruntime/capi/__init__.py", "")
        self._write("onnxruntime/capi/onnxruntime_pybind11_state.py", _RAISED)

    def without(self, *names: str) -> None:
        """Hide Python packages, as if they had never been installed."""
        self._write("sitecustomize.py", _HIDES.format(names=set(names)))

    def _write(self, name: str, text: str) -> None:
        path = self.packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def failures(house: House, name: str) -> dict[int, Any]:
    """Return what the database keeps of each page of a file: its failure, or None when read."""
    return dict(
        house.rows(
            "SELECT number, p.failure FROM pages p JOIN originals USING (sha256) WHERE name = ?",
            name,
        )
    )
