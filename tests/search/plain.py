"""Search the plain way, a page and a word at a time: slow, short, and what an index must equal.

Numbers of pages and lengths are those of an index into which every record was put once.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from records.model import IndexedDocument
from search.evaluate import ANYWHERE, AREAS, ENOUGH, KEYED, SEPARATOR, TEXT, Reach
from search.index import FACETS, Filters, Request
from search.pages import NewPage, pages_of
from search.query import And, Everything, Most, Node, Not, Or, Range, Spelling, Term, loosened
from search.ranking import LENGTH_BIAS, SATURATION, VARIANT_WEIGHT
from search.spelling import may_be_misspelt, neighbours


@dataclass
class Expected:
    """What a search should find: records in order, each with its page, score and words met."""

    near: bool = False
    matches: list[tuple[int, int, float, frozenset[str]]] = field(default_factory=list)
    facets: dict[str, dict[str, int]] = field(default_factory=dict)


class Plain:
    """All pages of some records, in lists; ``kept`` is how an index keeps a page's length."""

    def __init__(self, documents: Sequence[IndexedDocument], kept: Callable[[int], int]) -> None:
        self._kept = kept
        self.pages = [page for document in documents for page in pages_of(document)]
        self.dates = {document.id: document.date for document in documents}
        self._leaves: list[tuple[dict[int, float], dict[int, set[str]]]] = []

    def search(self, request: Request) -> Expected:
        """Answer as ``search.index.Index`` must, but for the suggestion."""
        self._visible = self._holding("department", request.departments)
        found, near = self._exact_or_near(request.query.root)
        accepted = self._accepted(found, request.filters)
        expected = Expected(near, [self._match(record) for record in accepted])
        if request.sort == "best":
            expected.matches.sort(key=lambda m: (-round(m[2], 9), -m[0]))
        else:
            newest = request.sort == "newest"
            dated = [m for m in expected.matches if self.dates[m[0]]]
            undated = [m for m in expected.matches if not self.dates[m[0]]]
            dated.sort(key=lambda m: (self.dates[m[0]], m[0]), reverse=newest)
            undated.sort(key=lambda m: m[0], reverse=newest)
            expected.matches = dated + undated
        for place, facet in enumerate(FACETS):
            by_record = {page.entry.record: page.entry.facets[place] for page in self.pages}
            others = self._accepted(found, request.filters, but=facet)
            expected.facets[facet] = dict(Counter(by_record[record] for record in others))
        return expected

    def _exact_or_near(self, root: Node) -> tuple[set[int], bool]:
        for node in (root, loosened(root)):
            for reach in Reach if node is root else (Reach.SAME_INITIAL, Reach.ANY_EDIT):
                self._leaves = []
                if node is not None and (found := self._records(node, self._visible, reach)):
                    return found, bool(reach)
        return set(), False

    def _records(self, node: Node, among: set[int], reach: Reach) -> set[int]:
        match node:
            case Term():
                return self._leaf(*self._term(node, reach)) & among
            case Range():
                return self._leaf(dict.fromkeys(self._in_range(node), 1.0), {}) & among
            case And(parts):
                for part in sorted(parts, key=lambda part: isinstance(part, Most)):
                    among = self._records(part, among, reach)
                return among
            case Or(parts):
                return {r for part in parts for r in self._records(part, among, reach)}
            case Most(parts):
                weights: dict[int, float] = defaultdict(float)
                for found in [self._records(part, among, reach) for part in parts]:
                    for record in found:
                        weights[record] += math.log(1 + len(among) / len(found))
                most = max(weights.values(), default=0)
                return {record for record, weight in weights.items() if weight >= ENOUGH * most}
            case Not(part):
                leaves, self._leaves = self._leaves, []
                without = self._records(part, among, Reach.EXACT)
                self._leaves = leaves
                return among - without
            case Everything():
                return among

    def _leaf(self, scores: dict[int, float], met: dict[int, set[str]]) -> set[int]:
        self._leaves.append((scores, met))
        return {self.pages[number].entry.record for number in scores}

    def _term(self, term: Term, reach: Reach) -> tuple[dict[int, float], dict[int, set[str]]]:
        scores: dict[int, float] = defaultdict(float)
        met: dict[int, set[str]] = defaultdict(set)
        prefix = f"{term.field}{SEPARATOR}" if term.field else ""
        for area in (KEYED,) if term.field else ANYWHERE:
            fits = [_fitting(term, place, reach) for place in range(len(term.tokens))]
            counts: list[dict[int, float]] = [{} for _ in fits]
            for number, page in self._seen():
                placed = {
                    place: word.removeprefix(prefix)
                    for place, word in page.areas[area]
                    if word.startswith(prefix)
                }
                if not any(
                    all(fit(placed.get(place + n, "")) for n, fit in enumerate(fits))
                    for place in placed
                ):
                    continue
                for count, fit, typed in zip(counts, fits, term.tokens, strict=True):
                    words = [word for word in placed.values() if fit(word)]
                    count[number] = sum(1.0 if w == typed else VARIANT_WEIGHT for w in words)
                    if area in (TEXT, KEYED):
                        met[number].update(words)
            for count in counts:
                for number, score in self._bm25(count, area).items():
                    scores[number] += score
        return scores, met

    def _bm25(self, counts: dict[int, float], area: str) -> dict[int, float]:
        lengths = [self._kept(len(page.areas[area])) for page in self.pages]
        mean = sum(lengths) / max(1, sum(map(bool, lengths)))
        rarity = math.log(1 + (len(lengths) - len(counts) + 0.5) / (len(counts) + 0.5))
        return {
            n: AREAS[area] * rarity * count * (SATURATION + 1)
            / (count + SATURATION * (1 - LENGTH_BIAS + LENGTH_BIAS * lengths[n] / mean))
            for n, count in counts.items()
        }  # fmt: skip

    def _in_range(self, asked: Range) -> Iterator[int]:
        for number, page in self._seen():
            for name, value in page.entry.values:
                limits = asked.days if isinstance(value, str) else asked.numbers
                if name == asked.field and limits:
                    low = value if limits[0] is None else limits[0]
                    high = value if limits[1] is None else limits[1]
                    if low <= value <= high:  # type: ignore[operator]
                        yield number

    def _match(self, record: int) -> tuple[int, int, float, frozenset[str]]:
        pages = [n for n, page in self._seen() if page.entry.record == record]
        scores = {n: sum(leaf.get(n, 0.0) for leaf, _ in self._leaves) for n in pages}
        best = max(pages, key=lambda n: (round(scores[n], 9), -n))
        words = {word for _, met in self._leaves for word in met.get(best, ())}
        return record, self.pages[best].entry.number, scores[best], frozenset(words)

    def _seen(self) -> Iterator[tuple[int, NewPage]]:
        for number, page in enumerate(self.pages):
            if page.entry.record in self._visible:
                yield number, page

    def _holding(self, facet: str, values: Sequence[str] | frozenset[str]) -> set[int]:
        place = FACETS.index(facet)
        return {page.entry.record for page in self.pages if page.entry.facets[place] in values}

    def _accepted(self, records: set[int], filters: Filters, but: str = "") -> set[int]:
        for facet in FACETS:
            values = getattr(filters, facet)
            if values and facet != but:
                records = records & self._holding(facet, values)
        return records


def _fitting(term: Term, place: int, reach: Reach) -> Callable[[str], bool]:
    """Return what says whether a word on a page is one of the spellings looked for."""
    typed, last = term.tokens[place], place == len(term.tokens) - 1
    if term.spelling is Spelling.ABOUT:
        reach = Reach.ANY_EDIT
    near = set(neighbours(typed)) if reach and may_be_misspelt(typed) else set()

    def fits(word: str) -> bool:
        if word == typed or (term.spelling is Spelling.PREFIX and last and word.startswith(typed)):
            return True
        return word in near and (reach is Reach.ANY_EDIT or word[:1] == typed[0])

    return fits
