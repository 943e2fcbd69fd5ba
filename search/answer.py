"""From a request to an answer: exact words first, then similar ones, and a suggestion."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from search.evaluate import Evaluation, Found, Postings, Reach, best_pages, terms_on
from search.index import FACETS, Answer, Facet, Filters, Match, Request
from search.pages import PageTable
from search.query import And, Most, Node, Not, Or, Query, Spelling, Term, loosened, terms_of
from search.spelling import may_be_misspelt
from search.text import replace_token

FEW = 3  # records; when no more are found, a much more common spelling is worth a suggestion
MORE_COMMON = 10  # times
_TRIED = 4  # spellings of one word


def answer(postings: Postings, table: PageTable, request: Request) -> Answer:
    """Find what a person asks for among the records of the departments that they may see."""
    visible = table.holding("department", request.departments)
    root = request.query.root
    evaluation = Evaluation(postings, visible)
    found, near = _found_or_near(evaluation, root)
    accepted = table.accepted(found.records, request.filters)
    suggestion = None
    if near or len(found.records) <= FEW:
        suggestion = _suggestion(evaluation, request.query, len(found.records), near)
    return Answer(
        total=len(accepted),
        matches=_matches(found, table, accepted, request),
        facets=_facets(found.records, table, request.filters),
        near=near,
        suggestion=suggestion,
    )


def _found_or_near(evaluation: Evaluation, root: Node) -> tuple[Found, bool]:
    """Return what is found as typed, else with one letter off, else by most of the words."""
    exact = evaluation.found(root)
    if exact.records or not any(terms_of(root)):
        return exact, False
    for node in (root, loosened(root)):
        for reach in (Reach.SAME_INITIAL, Reach.ANY_EDIT):
            if node is not None:
                found = evaluation.found(node, reach)
                if found.records:
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
        likely = (
            evaluation.variants(word, Reach.SAME_INITIAL)
            or evaluation.variants(word, Reach.ANY_EDIT)
        )[:_TRIED]
        counted = [(evaluation.record_count(other), other) for other in likely]
        best = max(counted, key=lambda pair: pair[0], default=(0, word))
        if best[0] >= max(1, known * MORE_COMMON):
            text = replace_token(text, word, best[1])
            root = _exchanged(root, word, best[1])
    if text == query.text:
        return None
    gained = len(evaluation.found(root).records)
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


def _matches(
    found: Found, table: PageTable, accepted: AbstractSet[int], request: Request
) -> tuple[Match, ...]:
    """Return the asked-for stretch of the accepted records, the best first, then the newest."""
    best = best_pages(Found(accepted, found.leaves), table.record_of)
    scores = {record: best[record][0] if record in best else 0.0 for record in accepted}
    wanted = _first(scores, table, request)[request.offset :]
    matches = []
    for record in wanted:
        score = scores[record]
        page = best[record][1] if record in best else table.first_page[record]
        matches.append(Match(record, table.page_number(page), score, terms_on(found, page)))
    return tuple(matches)


def _first(scores: Mapping[int, float], table: PageTable, request: Request) -> list[int]:
    """Return as many records as are asked for, in the order that is asked for."""
    count = request.offset + request.limit
    if request.sort == "best":
        return heapq.nlargest(count, scores, key=lambda record: (scores[record], record))
    dates = table.dates
    if request.sort == "newest":
        return heapq.nlargest(count, scores, key=lambda record: (dates.get(record, ""), record))
    undated = "~"  # after all dates
    return heapq.nsmallest(count, scores, key=lambda record: (dates.get(record, undated), record))


def _facets(
    records: AbstractSet[int], table: PageTable, filters: Filters
) -> Mapping[str, tuple[Facet, ...]]:
    counted: dict[str, tuple[Facet, ...]] = {}
    for place, facet in enumerate(FACETS):
        counts = Counter(
            table.facets[record][place] for record in table.accepted(records, filters, but=facet)
        )
        counted[facet] = _ordered(facet, counts.items())
    return counted


def _ordered(facet: str, counts: Iterable[tuple[str, int]]) -> tuple[Facet, ...]:
    """Return years newest first, and all else most frequent first."""
    if facet == "year":
        ordered = sorted(counts, reverse=True)
    else:
        ordered = sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    return tuple(Facet(value, count) for value, count in ordered)
