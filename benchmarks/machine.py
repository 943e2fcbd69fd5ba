"""What every benchmark says of where it ran, and an installation of its own to run in."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def describe() -> str:
    """Return the machine in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    version = subprocess.run(
        ["tesseract", "--version"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[0]
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {version}"


@contextmanager
def installation_folder(keep: Path | None = None) -> Iterator[Path]:
    """Make a folder with a config.toml of its own, on the disk that the project lies on."""
    base = ROOT / ".venv" / "benchmarks"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base) as made:
        folder = keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        forms = f'folder = "{ROOT / "forms"}"'
        (folder / "config.toml").write_text(text.replace('folder = "forms"', forms))
        yield folder


def digitize(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line on the installation in a folder."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DIGITIZE_CONFIG": str(folder / "config.toml"),
    }
    command = [sys.executable, "-m", "digitize", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
