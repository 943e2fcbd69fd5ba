"""Folders of all shapes, walked for scans."""

from __future__ import annotations

from pathlib import Path

from digitize.intake import walk


def test_folders_nested_deeper_than_calls_can_be(tmp_path: Path) -> None:
    """A thousand folders in each other are walked to the last."""
    folders = [tmp_path / "d"]
    folders[0].mkdir()
    for _ in range(1100):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    scan = folders[-1] / "scan.png"
    scan.touch()
    try:
        assert [(c.path, c.fault) for c in walk([tmp_path])] == [(scan, None)]
    finally:
        scan.unlink()
        for folder in reversed(folders):
            folder.rmdir()


def test_what_is_hidden_is_taken_only_when_it_is_named(tmp_path: Path) -> None:
    """Hidden files and folders inside a folder are left alone; one that is named is taken."""
    named = tmp_path / ".scan.png"
    inside = tmp_path / ".trash" / "old.png"
    inside.parent.mkdir()
    for path in (named, inside, tmp_path / "scan.png"):
        path.touch()
    assert [c.path.name for c in walk([tmp_path])] == ["scan.png"]
    assert [c.path for c in walk([named, inside.parent])] == [named, inside]
