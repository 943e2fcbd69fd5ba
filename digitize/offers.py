"""What else a field may say: the other readings of its words, and near members of its list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz, process

from digitize.extract import judge
from digitize.forms import FieldTemplate
from digitize.values import TEXT_KINDS, Reading, normalise
from records.model import Field, Word

MOST = 3
# A member of a list is offered that reads so like (0 to 100).
_LIKE = 60


def offers(
    field: Field, words: Iterable[Word], template: FieldTemplate | None, customs: Reading
) -> tuple[str, ...]:
    """Return up to three values that a field may have instead of its own, the likeliest first.

    ``words`` are those of its page. Each value is as the form would write it; none breaks a rule.
    """
    if field.kind not in TEXT_KINDS:
        return ()
    found = dict.fromkeys(_values(field, words, template, customs))
    return tuple(v for v in found if v and v != field.value)[:MOST]


def _values(
    field: Field, words: Iterable[Word], template: FieldTemplate | None, customs: Reading
) -> Iterator[str]:
    for text in _other_readings(field, words):
        if template is None:
            value, fault = normalise(field.kind, text, customs).text, None
        else:
            value, fault = judge(template, text, customs)
        if fault is None:
            yield value
    if template and template.values:
        near = process.extract(
            field.raw or field.value, template.values, scorer=fuzz.ratio,
            processor=str.casefold, score_cutoff=_LIKE, limit=MOST,
        )  # fmt: skip
        yield from (value for value, _, _ in near)


def _other_readings(field: Field, words: Iterable[Word]) -> Iterator[str]:
    """Give the field's raw text with one word, then with all, read otherwise; doubtful ones first.

    A word that stands there more than once is left alone: it is not known which was meant.
    """
    raw = field.raw.split()
    here: Sequence[Word] = [
        word
        for word in words
        if field.box and field.box.holds(word.box) and word.alternatives
        and raw.count(word.text) == 1
    ]  # fmt: skip
    here = sorted(here, key=lambda word: word.confidence)
    for word in here:
        for other in word.alternatives:
            yield " ".join(other if part == word.text else part for part in raw)
    others = {word.text: word.alternatives[0] for word in here}
    if len(others) > 1:
        yield " ".join(others.get(part, part) for part in raw)
