"""Reading processes that die, hang, raise or want too much: one page is lost, never a batch."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitize.workers import Died, Limits, Workers
from records.errors import ArchiveError, DigitizeError
from tests.faults.house import until
from tests.faults.tasks import Task, do

GENEROUS = Limits(memory_mb=2000, task_s=60)
HASTY = Limits(memory_mb=2000, task_s=1)


def outcomes(
    tasks: list[Task], workspace: Path, limits: Limits = GENEROUS
) -> list[tuple[Task, int | Died]]:
    """Let two processes do the tasks; return each with what came of it, in the order it ended."""
    with Workers(2, limits, workspace) as pool:
        return list(pool.run(do, iter(tasks)))


def by_number(found: list[tuple[Task, int | Died]]) -> dict[int, int | Died]:
    """Return what came of each task; every task must have ended once."""
    numbers = [task[0] for task, _ in found]
    assert len(numbers) == len(set(numbers))
    return {task[0]: result for task, result in found}


def test_a_dead_process_loses_only_the_page_that_killed_it(tmp_path: Path) -> None:
    """One page that makes its process crash is named; all others in flight are still done."""
    tasks = [(n, "dies" if n == 4 else "fine") for n in range(10)]
    found = by_number(outcomes(tasks, tmp_path))
    died = found.pop(4)
    assert isinstance(died, Died)
    assert died.kind == "crashed"
    assert found == {n: n * n for n in range(10) if n != 4}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_task_has_exactly_one_outcome(tmp_path: Path, seed: int) -> None:
    """Whatever dies or raises while many are in flight: no task is lost, none comes twice."""
    chance = random.Random(seed)
    ways = ["fine", "fine", "fine", "dies", "raises", "raises what cannot be sent"]
    tasks = [(n, chance.choice(ways)) for n in range(14)]
    found = by_number(outcomes(tasks, tmp_path))
    assert sorted(found) == list(range(14))
    for number, how in tasks:
        result = found[number]
        if how == "fine":
            assert result == number * number
        else:
            assert isinstance(result, Died)
            assert result.kind == ("bug" if how == "raises" else result.kind)


def test_the_first_and_the_last_may_die(tmp_path: Path) -> None:
    """A batch whose first and last pages kill their process is done all the same."""
    tasks = [(0, "dies"), (1, "fine"), (2, "dies")]
    found = by_number(outcomes(tasks, tmp_path))
    assert found[1] == 1
    assert [getattr(found[n], "kind", None) for n in (0, 2)] == ["crashed", "crashed"]


def test_a_page_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A page over limits.page_s is given up, with the setting's name; the others are done."""
    found = by_number(outcomes([(1, "never ends"), (2, "fine"), (3, "fine")], tmp_path, HASTY))
    late = found.pop(1)
    assert isinstance(late, Died)
    assert late.kind == "timeout"
    assert "limits.page_s" in late.message
    assert found == {2: 4, 3: 9}


def test_what_a_page_given_up_has_started_is_ended(tmp_path: Path) -> None:
    """The programs of a page that is given up end with it: the whole group goes at the limit."""
    note = tmp_path / "pid"
    found = by_number(outcomes([(1, f"waits for a program {note}")], tmp_path, HASTY))
    assert isinstance(found[1], Died)
    assert until(lambda: not _lives(int(note.read_text())), 3)


def test_memory_is_limited(tmp_path: Path) -> None:
    """A page that asks for more than limits.memory_mb fails with that said; the others are done."""
    found = by_number(outcomes([(1, "asks for memory"), (2, "fine")], tmp_path))
    failed = found[1]
    assert isinstance(failed, Died)
    assert failed.kind == "memory"
    assert "limits.memory_mb" in failed.message
    assert found[2] == 4


def test_an_unexpected_error_is_a_value(tmp_path: Path) -> None:
    """A fault of our own is the page's failure and says so; it does not end the batch."""
    found = by_number(outcomes([(1, "raises"), (2, "fine")], tmp_path))
    failed = found[1]
    assert isinstance(failed, Died)
    assert failed.kind == "bug"
    assert "LookupError" in failed.message
    assert found[2] == 4


def test_a_full_disk_ends_the_run(tmp_path: Path) -> None:
    """What is wrong with the archive is not blamed on the page: the run ends and can be resumed."""
    with pytest.raises(ArchiveError, match="make room"):
        outcomes([(1, "has no disk"), (2, "fine")], tmp_path)


@pytest.mark.parametrize("fault", ["memory", "interpreter"])
def test_processes_that_cannot_start_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """What is wrong with the installation is blamed on no page: the run ends, and says the cure."""
    if fault == "interpreter":
        monkeypatch.setattr("multiprocessing.spawn._python_exe", os.fsencode("/no/such/python"))
    little = Limits(memory_mb=20 if fault == "memory" else 2000, task_s=60)
    found = []
    with pytest.raises(DigitizeError, match="memory_mb"), Workers(1, little, tmp_path) as w:
        found.extend(w.run(do, iter([(1, "fine"), (2, "fine")])))
    assert not found


def test_no_task_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading processes are made for the first task, and not before."""
    monkeypatch.setattr(Workers, "_new_pool", lambda *_: pytest.fail("a pool was made"))
    assert outcomes([], tmp_path) == []


def test_few_tasks_are_taken_ahead(tmp_path: Path) -> None:
    """Only three tasks a process are in flight, however long the drawer is."""
    taken = 0

    def drawer() -> Iterator[Task]:
        nonlocal taken
        for number in range(40):
            taken += 1
            yield number, "fine"

    with Workers(1, GENEROUS, tmp_path) as pool:
        for done, _ in enumerate(pool.run(do, drawer()), 1):
            assert taken - done <= 3


def test_a_process_starts_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading processes see none of our secrets, use one thread, and write in the work folder."""
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    with Workers(1, GENEROUS, tmp_path) as pool:
        [(_, seen)] = list(pool.run(_environment, iter([0])))
    assert isinstance(seen, dict)
    assert "SECRET_TOKEN" not in seen
    assert seen["OMP_THREAD_LIMIT"] == "1"
    assert seen["TMPDIR"] == str(tmp_path)


def _environment(_: int) -> dict[str, str]:
    return dict(os.environ)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
