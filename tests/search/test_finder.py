"""The finder: syncing, hits with their place on the page, and many at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from records.errors import BusyError
from records.geometry import Box
from search import finder as finder_module
from search.finder import Finder, Hit
from search.index import Filters
from search.snippets import LONGEST
from tests.search.fakes import EVERYWHERE, FakeStore, field, record, settings_in, viewer_of

PAGE = "CITY OF SPRINGFIELD\nFence permit 2019-0412 for Patrick O'Brien\nO Street 12"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore(
        record(1, PAGE, form="fence-permit", title="Fence", date="2019-04-12"),
        record(2, "Noise complaint\nby Mary Smith", department="police"),
        record(3, "cover", "Variance for a garage", fields=(field("owner", "Lee", page=2),)),
    )


@pytest.fixture
def finder(store: FakeStore, tmp_path: Path) -> Finder:
    made = Finder(store, settings_in(tmp_path))
    made.sync()
    return made


def only(finder: Finder, text: str) -> Hit:
    (hit,) = finder.search(text, EVERYWHERE).hits
    return hit


def marked(hit: Hit) -> list[str]:
    return [fragment.text for fragment in hit.snippet if fragment.hit]


def test_a_hit_tells_its_record(finder: Finder) -> None:
    """A hit carries what a list of results shows of its record."""
    hit = only(finder, "springfield")
    assert (hit.document_id, hit.title, hit.form, hit.date) == (
        1,
        "Fence",
        "fence-permit",
        "2019-04-12",
    )
    assert (hit.department, hit.status, hit.source, hit.page) == ("clerk", "filed", "scan-1.pdf", 1)


def test_boxes_are_those_of_the_words(finder: Finder) -> None:
    """The boxes are where the words stand on the page image."""
    assert only(finder, "permit").boxes == (Box(60, 20, 120, 40),)
    assert only(finder, "2019-0412").boxes == (Box(130, 20, 220, 40),)


def test_a_phrase_is_marked_only_where_it_stands_together(finder: Finder) -> None:
    """The O of O'Brien is not marked in O Street."""
    hit = only(finder, "o'brien")
    assert marked(hit) == ["O'Brien"]
    assert len(hit.boxes) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("permit fence", ["Fence permit"]),
        ("perm*", ["permit"]),
        ("permyt~", ["permit"]),
        ("permti", ["permit"]),
        ("patrick", ["Patrick"]),
        ('"patrick o\'brien"', ["Patrick O'Brien"]),
        ("o'brien 0412-2019 fence", ["Fence", "O'Brien"]),
        ("status:filed springfield", ["SPRINGFIELD"]),
    ],
)
def test_snippets_mark_what_was_met(finder: Finder, text: str, words: list[str]) -> None:
    """The snippet marks the words as the page spells them, also those found by likeness."""
    assert marked(only(finder, text)) == words


def test_a_hit_elsewhere_shows_the_start_of_the_page(finder: Finder) -> None:
    """A record found by a field that is not on the page still shows what page it is."""
    hit = only(finder, "owner:lee")
    assert (hit.page, hit.boxes) == (2, ())
    assert "".join(fragment.text for fragment in hit.snippet) == "Variance for a garage"


def test_a_snippet_is_short(store: FakeStore, finder: Finder) -> None:
    """A snippet shows the place with the most words asked for, not the whole page."""
    store.put(record(4, "needle " + "hay " * 500 + "needle thread " + "hay " * 500))
    finder.sync()
    hit = only(finder, "needle thread")
    text = "".join(fragment.text for fragment in hit.snippet)
    assert marked(hit) == ["needle thread"]
    assert len(text) <= LONGEST + 10
    assert text.startswith("\u2026")
    assert text.endswith("\u2026")


def test_only_departments_that_one_may_see(finder: Finder) -> None:
    """A person of one department finds nothing of another, in no count either."""
    results = finder.search("", viewer_of("police"))
    assert [hit.document_id for hit in results.hits] == [2]
    assert results.total == 1
    assert [facet.value for facet in results.facets["department"]] == ["police"]
    assert finder.search("", viewer_of()).total == 0


def test_a_record_that_moved_is_not_shown_from_an_old_index(
    store: FakeStore, finder: Finder
) -> None:
    """Between a move to another department and the next sync, the store has the last word."""
    store.put(replace(record(2, "Noise complaint"), department="clerk"))
    assert finder.search("noise", viewer_of("police")).hits == ()
    store.remove(2)
    assert finder.search("noise", EVERYWHERE).hits == ()


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("noise compl", ("noise complaint",)),
        ('"Noise Compl', ('"Noise Complaint',)),
        ("SPRINGF", ("SPRINGFIELD",)),
        ("fence -gar", ("fence -garage",)),
        ("o'bri", ("o'brien",)),
        ("owner:l", ("owner:lee",)),
        ('owner:"L', ('owner:"Lee',)),
        ("owner:m", ()),
        ("nofield:spr", ("nofield:springfield",)),
        ("variance ", ()),
        ("vari*", ()),
        ("", ()),
        ("x " * 600 + "vari", ()),
    ],
)
def test_the_last_word_is_finished(finder: Finder, text: str, finished: tuple[str, ...]) -> None:
    """What was typed stays, its last word is finished; behind a field, with a word of it."""
    assert finder.completions(text, EVERYWHERE) == finished


def test_words_are_finished_for_those_who_may_see_them(finder: Finder) -> None:
    """Each person is offered words of the records that they may see, and no others."""
    assert finder.completions("compl", viewer_of("police")) == ("complaint",)
    assert finder.completions("compl", viewer_of("clerk", "building")) == ()
    assert finder.completions("compl", viewer_of()) == ()
    assert finder.completions("compl", EVERYWHERE, limit=0) == ()


def test_filters_and_pages_of_results(finder: Finder) -> None:
    """Filters, limit and offset reach the index."""
    assert finder.search("", EVERYWHERE, Filters(year=("2019",))).total == 1
    assert [h.document_id for h in finder.search("", EVERYWHERE, limit=1, offset=1).hits] == [2]
    assert finder.search("", EVERYWHERE, limit=0).hits == ()
    assert finder.search("", EVERYWHERE, limit=-1, offset=-1).hits == ()


def test_sync_takes_what_changed(store: FakeStore, finder: Finder) -> None:
    """A sync indexes just the records that changed, and says how many."""
    assert finder.sync() == 0
    assert finder.check(full=False) == []
    store.put(record(4, "pool"), record(1, "barn"))
    assert finder.check(full=False) == ["The search index is behind the store by 2 record(s)."]
    assert finder.sync() == 2
    assert finder.search("pool", EVERYWHERE).total == 1
    assert finder.search("springfield", EVERYWHERE).total == 0


def test_sync_goes_in_chunks(
    store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large backlog is indexed a piece at a time, whole."""
    monkeypatch.setattr(finder_module, "CHUNK", 7)
    monkeypatch.setattr(finder_module, "REBUILD_CHUNK", 7)
    store.put(*(record(number, f"sheet {number}") for number in range(10, 40)))
    finder = Finder(store, settings_in(tmp_path))
    assert finder.sync() == 33
    store.put(*(record(number, f"leaf {number}") for number in range(10, 40)))
    assert finder.sync() == 30
    assert finder.search("leaf", EVERYWHERE).total == 30
    assert finder.search("sheet", EVERYWHERE).near is False


def test_an_empty_store(tmp_path: Path) -> None:
    """Before the first record there is nothing to find and nothing wrong."""
    finder = Finder(FakeStore(), settings_in(tmp_path))
    assert finder.check(full=True) == []
    assert finder.search("anything", EVERYWHERE).total == 0
    assert finder.sync() == 0
    assert finder.check(full=True) == []


def test_search_builds_a_missing_index(store: FakeStore, tmp_path: Path) -> None:
    """The first search on a new machine works, without a word about indexes."""
    finder = Finder(store, settings_in(tmp_path))
    assert finder.check(full=False) == ["There is no search index; it can be built anew."]
    assert finder.search("fence", EVERYWHERE).total == 1


def test_rebuild_is_seen_by_others(store: FakeStore, finder: Finder, tmp_path: Path) -> None:
    """A finder in another process goes over to the new index by itself."""
    other = Finder(store, settings_in(tmp_path))
    assert other.search("fence", EVERYWHERE).total == 1
    assert finder.rebuild() == 3
    assert other.search("fence", EVERYWHERE).total == 1
    assert len(list((tmp_path / "index").glob("g*"))) == 1


def test_the_live_index_answers_while_another_rebuilds(
    finder: Finder, store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the lock does not hold up searches; a second writer stands back."""
    monkeypatch.setattr(finder_module, "PATIENCE_S", 0.1)
    store.put(record(4, "pool"))
    with (tmp_path / "index" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert finder.search("fence", EVERYWHERE).total == 1
        assert finder.sync() == 0
        assert finder.sync(wait_s=0.1) == 0
        with pytest.raises(BusyError):
            finder.rebuild()
    assert finder.sync() == 1


def test_no_index_and_another_builds_it(
    store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process builds the first index, a search says to try again, not 'nothing'."""
    monkeypatch.setattr(finder_module, "PATIENCE_S", 0.1)
    (tmp_path / "index").mkdir()
    with (tmp_path / "index" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            Finder(store, settings_in(tmp_path)).search("fence", EVERYWHERE)


SYNCS = """
    import sys
    from pathlib import Path
    from search.finder import Finder
    from tests.search.fakes import FakeStore, record, settings_in
    store = FakeStore()
    finder = Finder(store, settings_in(Path(sys.argv[1])))
    for n in range(1, 31):
        store.put(record(n, f"fence {n}"))
        finder.sync(wait_s=5)
"""


def test_two_processes_sync_at_once(tmp_path: Path) -> None:
    """Two processes that sync the same store side by side neither lose nor double a record."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(SYNCS), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    children = [subprocess.Popen(command, cwd=root, env=environment) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    store = FakeStore(*(record(n, f"fence {n}") for n in range(1, 31)))
    finder = Finder(store, settings_in(tmp_path))
    assert finder.check(full=True) == []
    assert finder.search("fence", EVERYWHERE).total == 30


def test_eight_threads_while_another_commits(
    store: FakeStore, finder: Finder, tmp_path: Path
) -> None:
    """Searches of many threads, during commits and a rebuild, all give whole answers."""
    failures: list[object] = []
    done = threading.Event()

    def searches() -> None:
        try:
            while not done.is_set():
                results = finder.search("fence permit", EVERYWHERE)
                if (results.total, marked(results.hits[0])) != (1, ["Fence permit"]):
                    failures.append(results)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must tell
            failures.append(error)

    threads = [threading.Thread(target=searches) for _ in range(8)]
    for thread in threads:
        thread.start()
    writer = Finder(store, settings_in(tmp_path))
    for number in range(100, 115):
        store.put(record(number, f"sheet {number}"))
        writer.sync()
    writer.rebuild()
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
