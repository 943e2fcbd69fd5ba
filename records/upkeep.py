"""Check and repair: check changes nothing; repair touches only what can be made again."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from records import filing
from records.archive import SENTINEL, Archive, hash_file
from records.store import GENESIS, Store, chain_hash

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Cure(StrEnum):
    """What repair does about a problem."""

    NONE = "none"  # needs a person, or a backup
    SET_ASIDE = "set aside"  # a kept file without a row goes to quarantine
    DELETE = "delete"  # derived data without a row
    READ_AGAIN = "read again"  # derived data that is missing or damaged


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a sentence for a person, and what repair can do about it."""

    sentence: str
    cure: Cure
    path: Path | None = None
    sha256: str | None = None


def check(store: Store, archive: Archive, full: bool) -> list[Problem]:
    """Compare database and files; ``full`` also hashes every file and the whole audit chain.

    While an import is at work a file without a row is no problem: its row is on the way.
    """
    worked_on = archive.is_worked_on()
    found = [
        *_database(store, full),
        *_originals(store, archive, full),
        *_images(store, archive, full),
        *_records(store),
        *(_audit(store) if full else ()),
    ]
    strays = (Cure.SET_ASIDE, Cure.DELETE)
    return [p for p in found if not (worked_on and p.cure in strays)]


def _database(store: Store, full: bool) -> Iterator[Problem]:
    pragma = "integrity_check" if full else "quick_check"
    for row in store.db.conn.execute(f"PRAGMA {pragma}"):
        if row[0] != "ok":
            yield Problem(f"The database is damaged: {row[0]}; put back a backup.", Cure.NONE)
    for row in store.db.conn.execute("PRAGMA foreign_key_check"):
        yield Problem(f"A row of {row[0]} points to a missing row of {row[2]}.", Cure.NONE)


def _originals(store: Store, archive: Archive, full: bool) -> Iterator[Problem]:
    known = set()
    for original in store.originals():
        known.add(original.sha256)
        path = archive.original_path(original.sha256)
        if not path.exists():
            yield Problem(
                f"The kept file of '{original.name}' is missing; put '{path}' back from a backup.",
                Cure.NONE,
            )
        elif path.stat().st_size != original.size or (full and is_damaged(path, original.sha256)):
            yield Problem(
                f"The kept file of '{original.name}' is damaged; put '{path}' back from a backup.",
                Cure.NONE,
            )
        elif stat.S_IMODE(path.stat().st_mode) != 0o400:
            yield Problem(
                f"The kept file '{path}' can be written to; set its mode to 0400.", Cure.NONE
            )
    for path in _kept(archive.originals):
        if path.name not in known:
            yield Problem(f"The kept file '{path}' has no row.", Cure.SET_ASIDE, path)


def _images(store: Store, archive: Archive, full: bool) -> Iterator[Problem]:
    rows = store.db.conn.execute(
        "SELECT image, sha256 FROM pages WHERE image IS NOT NULL"
    ).fetchall()
    for row in rows:
        path = archive.image_path(row["image"])
        if not path.exists() or (full and is_damaged(path, row["image"])):
            yield Problem(
                f"The page image '{path.name}' is missing or damaged.",
                Cure.READ_AGAIN,
                path,
                row["sha256"],
            )
    known = {row["image"] for row in rows}
    for path in _kept(archive.pages):
        if path.name.removesuffix(".png") not in known:
            cure = Cure.DELETE if _is_our_image(archive, path) else Cure.SET_ASIDE
            yield Problem(f"The page image '{path.name}' has no row.", cure, path)


def _is_our_image(archive: Archive, path: Path) -> bool:
    """Say whether a file can be made again: it is named by its hash, in the place for that."""
    sha256 = path.stem
    named = _SHA256.fullmatch(sha256) is not None and path == archive.image_path(sha256)
    return named and not is_damaged(path, sha256)


def is_damaged(path: Path, sha256: str) -> bool:
    """Say whether a file no longer has this hash, or can no longer be read."""
    try:
        return hash_file(path) != sha256
    except OSError:
        return True


def _kept(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name != SENTINEL and not name.endswith((".part", ".tmp")):
                yield Path(parent) / name


def _records(store: Store) -> Iterator[Problem]:
    """Every page of a file that was read is there once.

    It belongs to a record of that file, unless a person has moved it.
    """
    found = store.db.conn.execute(
        """SELECT o.name, o.sha256, o.page_count, count(p.id) AS pages,
        count(*) FILTER (WHERE d.sha256 != o.sha256 AND NOT p.arranged) AS strays
        FROM originals o LEFT JOIN pages p USING (sha256)
        LEFT JOIN documents d ON d.id = p.document_id
        WHERE o.state = 'read' GROUP BY o.sha256"""
    )
    for row in found:
        if row["pages"] != row["page_count"] or row["strays"]:
            yield Problem(
                f"'{row['name']}' has {row['page_count']} pages, but {row['pages']} are filed.",
                Cure.READ_AGAIN,
                None,
                row["sha256"],
            )
    lost = store.db.conn.execute(
        """SELECT name FROM originals o
        WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.sha256 = o.sha256)"""
    )
    for row in lost:
        yield Problem(f"The kept file '{row['name']}' belongs to no record.", Cure.NONE)


def _audit(store: Store) -> Iterator[Problem]:
    """Walk the chain; then see that each record's last link says what its fields say now."""
    previous = GENESIS
    last: dict[int, str] = {}
    for row in store.db.conn.execute("SELECT * FROM audit ORDER BY id"):
        body = {k: row[k] for k in row.keys() if k not in ("id", "hash")}  # noqa: SIM118
        if row["previous"] != previous or chain_hash(previous, body) != row["hash"]:
            yield Problem(f"The audit chain is broken at entry {row['id']}.", Cure.NONE)
            return
        previous = row["hash"]
        if row["document_id"] is not None:
            last[row["document_id"]] = row["field_values"]
    for document_id, values in last.items():
        found = store.db.conn.execute(
            "SELECT json_group_object(name, value) FROM (SELECT name, value FROM fields "
            "WHERE document_id = ? ORDER BY name)",
            [document_id],
        ).fetchone()[0]
        if not _same_json(found, values):
            yield Problem(
                f"The fields of record {document_id} were changed without an audit entry.",
                Cure.NONE,
            )


def _same_json(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


def repair(store: Store, archive: Archive, actor: str, problems: list[Problem]) -> list[str]:
    """Do what can be done without a loss; return a sentence for each thing done."""
    done = []
    for problem in problems:
        if problem.cure is Cure.SET_ASIDE and problem.path:
            target = archive.quarantine / f"{problem.path.name}.{uuid.uuid4().hex[:8]}"
            shutil.move(problem.path, target)
            done.append(f"'{problem.path.name}' was moved to '{target}'.")
        elif problem.cure is Cure.DELETE and problem.path:
            problem.path.unlink(missing_ok=True)
            done.append(f"The page image '{problem.path.name}', which no record has, was removed.")
        elif problem.cure is Cure.READ_AGAIN and problem.sha256:
            if not _read_again(store, archive, actor, problem):
                continue  # a run has the file, and reads it at this moment
            done.append(
                f"{problem.sentence[:-1]}: the file will be read again by 'import' or 'watch'."
            )
    return done


def _read_again(store: Store, archive: Archive, actor: str, problem: Problem) -> bool:
    """Let a file be read again, its damaged page image put aside; False where a run has it."""
    sentence = problem.sentence
    if problem.sha256 and not filing.open_again(
        store, actor, problem.sha256, sentence, alive=archive.alive, whole=True
    ):
        return False
    if problem.path and problem.path.exists():
        problem.path.rename(archive.quarantine / f"{problem.path.name}.{uuid.uuid4().hex[:8]}")
    return True
