"""How right the sample scans are read: turn, skew, form, blank, records, fields.

    python -m benchmarks.samples [SCANS]

SCANS is a folder that ``python -m scans.make`` made (the project's own samples when none is
given); its truth lies beside it in ``SCANS-truth``. The scans are imported into a fresh archive
and what was filed is held against the truth.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe, digitize, installation_folder

SKEW_DEGREES = 0.3


def records_by_source(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the exported records of an archive, by the file that they came from."""
    out = folder / "records.jsonl"
    done = digitize(folder, "export", "--format", "jsonl", "--out", str(out))
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, list[dict[str, Any]]] = {}
    for line in out.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        found.setdefault(record["source"], []).append(record)
    return found


def compare(truth: dict[str, Any], records: list[dict[str, Any]], score: Counter[str]) -> None:
    """Hold the records of one file against its truth, and count."""
    pages = {p["number"]: p for r in records for p in r["pages"]}
    of_page = {p["number"]: r for r in records for p in r["pages"]}
    for page in truth["pages"]:
        found, record = pages.get(page["number"]), of_page.get(page["number"])
        score["pages"] += 1
        if found is None or record is None:
            print(f"  {truth['file']} page {page['number']}: not there")
            continue
        score["blank right"] += found["blank"] == page["blank"]
        if page["blank"]:
            continue
        score["pages with writing"] += 1
        turn_right = found["turn"] == page["turn"]
        skew_right = abs(found["skew_degrees"] - page["skew_degrees"]) <= SKEW_DEGREES
        score["turn right"] += turn_right
        score["skew right"] += skew_right
        if not (turn_right and skew_right):
            print(
                f"  {truth['file']} page {page['number']}: turn {found['turn']} for "
                f"{page['turn']}, skew {found['skew_degrees']} for {page['skew_degrees']}"
            )
        if page["separator"]:
            continue
        score["pages of a form or none"] += 1
        score["form right"] += found["form"] == page["form"]
        compare_fields(page, record, score)
    runs = sorted(tuple(r["pages"]) for r in truth["records"])
    own = {p["number"] for p in truth["pages"] if not p["blank"] and not p["separator"]}
    filed = sorted(tuple(p["number"] for p in r["pages"] if p["number"] in own) for r in records)
    score["files"] += 1
    score["split right"] += runs == filed


def compare_fields(page: dict[str, Any], record: dict[str, Any], score: Counter[str]) -> None:
    """Count the fields of one page whose value is exactly right, by how they were filled in."""
    if record["form"] != page["form"]:
        return
    way = page["filled"]
    for name, value in page["values"].items():
        field = record["fields"].get(name)
        right = field is not None and field["value"] == value
        unseen = field is not None and field["status"] == "ok"
        score[f"fields {way}"] += 1
        score[f"fields {way} right"] += right
        score[f"fields {way} passed unseen"] += unseen
        score[f"fields {way} passed unseen, wrong"] += unseen and not right


def main() -> None:
    """Import, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scans", nargs="?", type=Path, default=ROOT / "scans" / "samples")
    scans = parser.parse_args().scans
    truths = scans.with_name(f"{scans.name}-truth")
    score: Counter[str] = Counter()
    with installation_folder() as folder:
        done = digitize(folder, "import", str(scans))
        if done.returncode:
            raise SystemExit(done.stderr)
        records = records_by_source(folder)
    print(describe())
    for path in sorted(truths.glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        compare(truth, records.get(truth["file"], []), score)
    for name, of in (
        ("turn right", "pages with writing"),
        ("skew right", "pages with writing"),
        ("blank right", "pages"),
        ("form right", "pages of a form or none"),
        ("split right", "files"),
    ):
        print(f"{name:<38} {score[name]:>4} of {score[of]:>4}")
    for way in ("typed", "printed", "hand"):
        total = score[f"fields {way}"]
        for what in ("right", "passed unseen"):
            count = score[f"fields {way} {what}"]
            share = f"{count / total:.1%}" if total else "-"
            print(f"{f'fields {way}, {what}':<38} {count:>4} of {total:>4}  {share}")
        wrong, unseen = (
            score[f"fields {way} passed unseen, wrong"],
            score[f"fields {way} passed unseen"],
        )
        share = f"{wrong / unseen:.1%}" if unseen else "-"
        print(f"{f'fields {way}, wrong among those unseen':<38} {wrong:>4} of {unseen:>4}  {share}")
    total = sum(score[f"fields {way}"] for way in ("typed", "printed", "hand"))
    right = sum(score[f"fields {way} right"] for way in ("typed", "printed", "hand"))
    print(f"{'fields exactly right':<38} {right:>4} of {total:>4}  {right / max(total, 1):.1%}")


if __name__ == "__main__":
    main()
