"""From a request to an answer: exact words first, then similar ones, and a suggestion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from search.arrays import Floats, Ints, Mask
from search.evaluate import Evaluation, Found, Postings, Reach, page_scores, terms_on
from search.index import FACETS, Answer, Beginning, Facet, Filters, Match, Request
from search.query import And, Most, Node, Not, Or, Query, Spelling, Term, loosened, terms_of
from search.spelling import may_be_misspelt
from search.table import PageTable
from search.text import replace_token

FEW = 3  # records; when no more are found, a much more common spelling is worth a suggestion
MORE_COMMON = 10  # times
_TRIED = 4  # spellings of one word
_AFTER_ALL_DAYS = 99_999_999


def answer(postings: Postings, table: PageTable, request: Request) -> Answer:
    """Find what a person asks for among the records of the departments that they may see."""
    visible = table.holding("department", request.departments)
    root = request.query.root
    evaluation = Evaluation(postings, visible)
    found, near = _found_or_near(evaluation, root)
    accepted = table.accepted(found.records, request.filters)
    suggestion, count = None, int(found.records.sum())
    if near or count <= FEW:
        suggestion = _suggestion(evaluation, request.query, count, near)
    return Answer(
        total=int(accepted.sum()),
        matches=_matches(found, table, accepted, request),
        facets=_facets(found.records, table, request.filters),
        near=near,
        suggestion=suggestion,
    )


def completions(postings: Postings, table: PageTable, beginning: Beginning) -> tuple[str, ...]:
    """Finish a word with those that stand in records of departments that a person may see."""
    visible = table.holding("department", beginning.departments)
    evaluation = Evaluation(postings, visible)
    return evaluation.completions(beginning.token, beginning.field, beginning.limit)


def _found_or_near(evaluation: Evaluation, root: Node) -> tuple[Found, bool]:
    """Return what is found as typed, else with one letter off, else by most of the words."""
    exact = evaluation.found(root)
    if exact.records.any() or not any(terms_of(root)):
        return exact, False
    for node in (root, loosened(root)):
        for reach in (Reach.SAME_INITIAL, Reach.ANY_EDIT):
            if node is not None:
                found = evaluation.found(node, reach)
                if found.records.any():
                    return found, True
    return exact, False


def _suggestion(evaluation: Evaluation, query: Query, total: int, near: bool) -> str | None:
    """Return the typed text with rare words exchanged for near and common ones, if it finds more.

    Only words and records that this person may see are counted.
    """
    text, root = query.text, query.root
    words = dict.fromkeys(
        word
        for term in terms_of(query.root)
        if term.field is None and term.spelling is Spelling.EXACT
        for word in term.tokens
        if may_be_misspelt(word) and not word.isdigit()
    )
    for word in words:
        known = evaluation.record_count(word)
        if known > FEW:
            continue
        likely = evaluation.variants(word, Reach.SAME_INITIAL, most=_TRIED) or evaluation.variants(
            word, Reach.ANY_EDIT, most=_TRIED
        )
        counted = [(evaluation.record_count(other), other) for other in likely]
        best = max(counted, key=lambda pair: pair[0], default=(0, word))
        if best[0] >= max(1, known * MORE_COMMON):
            text = replace_token(text, word, best[1])
            root = _exchanged(root, word, best[1])
    if text == query.text:
        return None
    gained = int(evaluation.found(root).records.sum())
    return text if gained > (0 if near else total) else None


def _exchanged(node: Node, word: str, other: str) -> Node:
    """Return the query with one word exchanged where no field is named."""
    match node:
        case Term(words, spelling, None, quoted):
            return Term(
                tuple(other if word == token else token for token in words), spelling, None, quoted
            )
        case And(parts):
            return And(tuple(_exchanged(part, word, other) for part in parts))
        case Or(parts):
            return Or(tuple(_exchanged(part, word, other) for part in parts))
        case Most(parts):
            return Most(tuple(_exchanged(part, word, other) for part in parts))
        case Not(part):
            return Not(_exchanged(part, word, other))
        case _:
            return node


def _matches(found: Found, table: PageTable, accepted: Mask, request: Request) -> tuple[Match, ...]:
    """Return the asked-for stretch of the accepted records, in the order asked for."""
    scores = page_scores(found, len(table.record_of))
    met = np.flatnonzero(scores)
    best = np.zeros(len(table.record_ids))
    np.maximum.at(best, table.record_of[met], scores[met])
    records = _first(best, table, accepted, request)[request.offset :]
    pages = table.best_pages(records, scores)
    columns = table.record_ids[records], table.page_numbers(pages), best[records]
    told = zip(*(column.tolist() for column in columns), terms_on(found, pages), strict=True)
    return tuple(Match(*facts) for facts in told)


def _first(best: Floats, table: PageTable, accepted: Mask, request: Request) -> Ints:
    """Return as many records as are asked for, in the order that is asked for."""
    count = request.offset + request.limit
    records = np.flatnonzero(accepted)
    if request.sort == "best":
        return _highest(best, records[::-1], count)
    days = table.days_of_records
    if request.sort == "newest":
        return _highest(days, records[::-1], count)
    return _highest(-np.where(days, days, _AFTER_ALL_DAYS), records, count)


def _highest(values: Ints | Floats, records: Ints, count: int) -> Ints:
    """Return the records of the highest values, those of one value in the order given."""
    mine = values[records]
    if count < len(records):  # so that few are sorted
        least = np.partition(mine, len(mine) - count)[len(mine) - count] if count else np.inf
        records = records[mine >= least]
        mine = values[records]
    return records[np.argsort(-mine, kind="stable")][:count]


def _facets(records: Mask, table: PageTable, filters: Filters) -> Mapping[str, tuple[Facet, ...]]:
    return {
        facet: _ordered(facet, table.counted(facet, table.accepted(records, filters, but=facet)))
        for facet in FACETS
    }


def _ordered(facet: str, counts: Iterable[tuple[str, int]]) -> tuple[Facet, ...]:
    """Return years newest first, and all else most frequent first."""
    if facet == "year":
        ordered = sorted(counts, reverse=True)
    else:
        ordered = sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    return tuple(Facet(value, count) for value, count in ordered)
