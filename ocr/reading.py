"""What every reading engine gives back."""

from __future__ import annotations

from dataclasses import dataclass

from records.geometry import Box
from records.model import Line


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of one page: lines in reading order, boxes in pixels of the image read."""

    lines: tuple[Line, ...]
    reader: str
    languages: str
    exit_code: int

    @property
    def confidence(self) -> float:
        """Mean confidence (0 to 1) of the words with letters or digits, weighed by length."""
        return mean_confidence(self.lines)


@dataclass(frozen=True, slots=True)
class Character:
    """One character as a reader saw it; ``confidence`` is 0 to 1 as the reader reports it."""

    text: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Why an engine gave nothing; ``kind`` is timeout, crashed or rubbish."""

    kind: str
    message: str


def mean_confidence(lines: tuple[Line, ...]) -> float:
    """Return the mean confidence of all words, weighed by their letters and digits; 0 if none."""
    total = weight = 0.0
    for line in lines:
        for word in line.words:
            letters = sum(c.isalnum() for c in word.text)
            total += word.confidence * letters
            weight += letters
    return total / weight if weight else 0.0


class ReaderError(Exception):
    """An engine that runs in this process failed; ``kind`` as ``ReadFailure``'s."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)  # both, so that it can go from one process to another
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message
