"""Which form is a page, and where the template's places lie on it: pure functions on words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rapidfuzz import fuzz

from digitize.forms import Anchor, Forms, FormTemplate
from digitize.registration import Registration
from digitize.registration import register as register_points
from records.geometry import Box, union
from records.model import Line, Word

# How like a printed text its reading must be (rapidfuzz ratio, 0 to 100).
_LIKE = 78
# A line whose best stretch is less like it than this does not hold it.
_WORTH_A_LOOK = 60
# A line of the reference that reads less like it may have lost a word, and so its ends.
_LIKE_TO_PLACE = 90
# Forms that score this much less than the best are no rivals of it.
_RIVAL = 0.3
# So much of a form's printed lines must lie on a page as they do on the form.
_PRINTED = 0.1
# With fewer anchors found again, it may be their words in a sentence.
_TWICE = 2
# How much more of two forms' printed lines must stand on a page for it to be the one for sure.
_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Found:
    """An anchor, the words that it was read in, their box, and how ``like`` it reads (0 to 100)."""

    anchor: Anchor
    words: tuple[Word, ...]
    box: Box
    like: float


@dataclass(frozen=True, slots=True)
class Identified:
    """What a page is: ``form`` and its ``page``, and which of its anchors were ``found``.

    ``score`` is the share of its anchors (0 to 1) that were found. ``placed`` are the lines of its
    reference that were; ``printed`` is the share of lines and anchors that lie to each other as on
    the form, None where it has no reference.
    """

    form: FormTemplate
    page: int
    score: float
    found: tuple[Found, ...]
    placed: tuple[Found, ...] = ()
    printed: float | None = None

    @property
    def rank(self) -> tuple[float, int, float]:
        """What tells the better of two: the share of anchors, their number, how like they read."""
        return self.score, len(self.found), sum(f.like for f in self.found)


def letters(text: str) -> str:
    """Return a text's letters and digits in lower case, for comparing readings."""
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass(frozen=True, slots=True)
class Spelled:
    """A line's words with their bare ``letters``, and those of the whole line ``joined``."""

    words: tuple[Word, ...]
    letters: tuple[str, ...]
    joined: str


def spell(lines: Iterable[Line]) -> tuple[Spelled, ...]:
    """Prepare lines for finding printed texts in them."""
    spelled = []
    for line in lines:
        bare = tuple(letters(word.text) for word in line.words)
        spelled.append(Spelled(line.words, bare, "".join(bare)))
    return tuple(spelled)


def find_text(
    text: str, lines: Iterable[Spelled], least: float = _LIKE
) -> tuple[tuple[Word, ...], float] | None:
    """Find the words that read most like a printed text; returns them and how like (0 to 100).

    None where none are ``least`` like it.
    """
    wanted, count = letters(text), len(text.split())
    spare = max(2, len(wanted) // 3)
    best: tuple[tuple[Word, ...], float] | None = None
    for line in lines:
        if len(line.joined) < len(wanted) - spare:
            continue
        if not fuzz.partial_ratio(wanted, line.joined, score_cutoff=max(_WORTH_A_LOOK, least - 12)):
            continue
        for size in range(max(1, count - 1), count + 2):
            for start in range(len(line.words) - size + 1):
                read = "".join(line.letters[start : start + size])
                if abs(len(read) - len(wanted)) > spare:
                    continue
                like = fuzz.ratio(wanted, read, score_cutoff=max(least, best[1] if best else 0))
                if like and (best is None or like > best[1]):
                    best = (line.words[start : start + size], like)
    return best


def identify(
    lines: tuple[Line, ...], forms: Forms, codes: tuple[str, ...] = ()
) -> Identified | None:
    """Return the form whose anchors a page carries, or None: unknown paper stays unknown.

    Of several, the one with the greatest share of its anchors wins, then the one with more, then
    the one whose anchors read more alike: forms of one office differ in a word or two. Where forms
    near the best have a reference, it is the one with most of its printed lines on the page; when
    two forms have as many, the page is neither for sure, and unknown. Printings of a form differ
    in less, and the likelier one is taken. A form whose barcode is one of the page's ``codes`` goes
    before all others.
    """
    spelled = spell(lines)
    if coded := _by_barcode(spelled, forms, codes):
        return coded
    tries = [_try(spelled, form, page) for form in forms.values() for page in _pages(form)]
    able = [t for t in tries if t.found and t.score >= t.form.minimum]
    if not able:
        return None
    best = max(able, key=lambda t: t.rank)
    rivals = [t for t in able if t.score >= best.score - _RIVAL]
    if len(rivals) == 1 or not all(_references(t) for t in rivals):
        return _if_printed(_with_reference(best, spelled))
    seen = [_with_reference(rival, spelled) for rival in rivals]
    seen.sort(key=lambda t: (t.printed or 0.0, t.rank), reverse=True)
    first = seen[0]
    other = next((t for t in seen if t.form.name != first.form.name), None)
    if other and (first.printed or 0.0) - (other.printed or 0.0) < _MARGIN:
        return _if_printed(first) if first.rank > other.rank else None
    return _if_printed(first)


def _by_barcode(
    lines: tuple[Spelled, ...], forms: Forms, codes: tuple[str, ...]
) -> Identified | None:
    """Return the form that has one of the codes for its barcode, on page 1 or one that fits better.

    Of several, printings say, it is the one whose print is likelier on the page.
    """
    coded = [f for f in forms.values() if any(_is_code(f.barcode, code) for code in codes)]
    tries = [_with_reference(_try(lines, f, page), lines) for f in coded for page in _pages(f)]
    best = max(tries, key=lambda t: (t.score, t.printed or 0.0, t.rank), default=None)
    return replace(best, score=1.0) if best else None


def _is_code(pattern: str | None, code: str) -> bool:
    return pattern is not None and re.fullmatch(pattern, code) is not None


def _if_printed(seen: Identified) -> Identified | None:
    """Return what a page seems to be, unless hardly anything of the form's print is on it."""
    return seen if seen.printed is None or seen.printed >= _PRINTED else None


def as_form(lines: tuple[Line, ...], form: FormTemplate, page: int) -> Identified:
    """Take a page as a form that a person has said it is."""
    spelled = spell(lines)
    return _with_reference(_try(spelled, form, page), spelled)


def stands_twice(lines: tuple[Line, ...], form: FormTemplate, page: int) -> bool:
    """Say whether a page carries a form's anchors once more, beside those that it is known by."""
    first = _try(spell(lines), form, page)
    used = {word for found in first.found for word in found.words}
    left = tuple(Line(tuple(w for w in line.words if w not in used)) for line in lines)
    again = _try(spell(line for line in left if line.words), form, page)
    return len(again.found) >= _TWICE and again.score >= max(form.minimum, first.score - _RIVAL)


def _pages(form: FormTemplate) -> range:
    return range(1, form.pages + 1)


def _try(lines: tuple[Spelled, ...], form: FormTemplate, page: int) -> Identified:
    anchors = [a for a in form.anchors if a.page == page]
    found = _find(anchors, lines, _LIKE)
    return Identified(form, page, len(found) / len(anchors) if anchors else 0.0, found)


def _references(identified: Identified) -> list[Anchor]:
    return [a for a in identified.form.reference if a.page == identified.page]


def _with_reference(identified: Identified, lines: tuple[Spelled, ...]) -> Identified:
    wanted = _references(identified)
    if not wanted:
        return identified
    seen = replace(identified, placed=_find(wanted, lines, _LIKE_TO_PLACE))
    agreeing = len(register(seen, _extent(lines)).places) / 2
    boxed = sum(a.box is not None for a in identified.form.anchors if a.page == identified.page)
    return replace(seen, printed=agreeing / (len(wanted) + boxed))


def _extent(lines: Iterable[Spelled]) -> tuple[int, int]:
    """Return how far (right, bottom) the words of a page reach."""
    whole = union([word.box for line in lines for word in line.words])
    return (whole.right, whole.bottom) if whole else (1, 1)


def _find(anchors: Sequence[Anchor], lines: tuple[Spelled, ...], least: float) -> tuple[Found, ...]:
    found = []
    for anchor in anchors:
        hit = find_text(anchor.text, lines, least)
        box = union([w.box for w in hit[0]]) if hit else None
        if hit and box:
            found.append(Found(anchor, hit[0], box, hit[1]))
    return tuple(found)


def register(identified: Identified, size: tuple[int, int]) -> Registration:
    """Fit the template to a page of ``size`` (w, h) by its printed lines that were found."""
    pairs = [
        (f.anchor.box, f.box)
        for f in (*identified.found, *identified.placed)
        if f.anchor.box is not None
    ]
    places = np.array([[(z[0], (z[1] + z[3]) / 2), (z[2], (z[1] + z[3]) / 2)] for z, _ in pairs])
    pixels = np.array([[(b.left, b.centre[1]), (b.right, b.centre[1])] for _, b in pairs])
    return register_points(
        places.reshape(-1, 2).astype(np.float64),
        pixels.reshape(-1, 2).astype(np.float64),
        size,
        identified.form.size,
    )
