"""The script that sets up and starts digitize, with stubs in place of the system's own programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TOOLS = (
    "cat", "cksum", "cp", "date", "dirname", "env", "grep", "ls", "mkdir", "rm", "rmdir", "sed",
    "sh", "sleep", "tail", "tr", "uname",
)  # fmt: skip
# What a system has on which everything is installed; $CALLS notes who was called with what.
PROGRAMS = {
    "id": "echo 1000",
    "tesseract": "echo eng",
    "pdftoppm": "",
    "pdftotext": "",
    "apt-get": 'echo "apt-get $*" >>"$CALLS"',
    "apt-cache": 'echo "Package: $2"; echo "  Candidate: 3.11.2-1"',
    "dpkg-query": "echo installed",
    "python3.12": """
        case "$1 $2" in
            "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
        esac
        case $1 in -m) echo "${0##*/} $*" >>"$CALLS" ;; esac
    """,
}


@dataclass(frozen=True)
class Project:
    """A copy of the script, alone with its requirements, and the only programs that it can see."""

    root: Path
    programs: Path
    calls_file: Path

    def has(self, name: str, script: str) -> None:
        """Put a program onto its path."""
        path = self.programs / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def lacks(self, *names: str) -> None:
        """Take programs off its path."""
        for name in names:
            (self.programs / name).unlink()

    def run(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script with nothing but its path in the environment."""
        return call(self.root / "run", *arguments, cwd=cwd, env=self._environment(environment))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the script; what it says can be read while it runs."""
        return subprocess.Popen(
            [self.root / "run", *arguments], env=self._environment({}), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def calls(self) -> list[str]:
        """Return who was called with what since the last time this was asked."""
        if not self.calls_file.exists():
            return []
        found = self.calls_file.read_text().splitlines()
        self.calls_file.unlink()
        return found

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"PATH": str(self.programs), "CALLS": str(self.calls_file), **more}


def call(
    *command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with no one at the keyboard."""
    return subprocess.run(
        command, cwd=cwd, env=env, text=True, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a folder with a space in its name, on a system that has everything."""
    if shutil.which("tesseract", path="/usr/local/sbin:/usr/sbin:/sbin:/opt/homebrew/bin"):
        pytest.skip("the script's own additions to PATH hide the stubs on this system")
    made = Project(tmp_path / "town hall", tmp_path / "programs", tmp_path / "calls")
    (made.root / "requirements").mkdir(parents=True)
    made.programs.mkdir()
    shutil.copy(PROJECT / "run", made.root)
    for name in ("run", "models", "test"):
        shutil.copy(PROJECT / f"requirements/{name}.txt", made.root / "requirements")
    for name in TOOLS:
        (made.programs / name).symlink_to(shutil.which(name) or name)
    for name, script in PROGRAMS.items():
        made.has(name, script)
    return made


def installed(project: Project) -> list[str]:
    """Return the files of packages that were installed since the last time this was asked."""
    return [c.split("/")[-1] for c in project.calls() if " -m pip install " in c]


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed call said, which is one line."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("run: ")
    assert line.endswith(".")
    return line


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox sh"])
@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_any_posix_shell_can_read_the_scripts(shell: str, script: str) -> None:
    """The scripts are plain POSIX shell."""
    program, *applet = shell.split()
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = call(program, *applet, "-n", PROJECT / script)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_help_names_every_command(project: Project, arguments: tuple[str, ...]) -> None:
    """Called alone or for help, the script lists its commands and sets nothing up."""
    done = project.run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {name} " in done.stdout for name in ("demo", "test", "digitize", "help"))
    assert not (project.root / ".venv").exists()


@pytest.mark.parametrize("arguments", [("dmeo",), ("demo", "--serve"), ("demo", "a", "b")])
def test_a_wrong_call_is_a_sentence(project: Project, arguments: tuple[str, ...]) -> None:
    """A call that the script does not know gets exit code 2 and a sentence with the word in it."""
    done = project.run(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in sentence(done)


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("tesseract", "tesseract-ocr"),
        ("pdftotext", "poppler-utils"),
        ("python3.12", "python3-venv"),
    ],
)
def test_what_only_an_administrator_can_install_is_named(
    project: Project, program: str, package: str
) -> None:
    """Without root or sudo, one sentence names the package that is missing; exit code 4."""
    project.lacks(program)
    project.has("dpkg-query", "exit 1")
    done = project.run("demo")
    assert done.returncode == 4
    assert package in sentence(done)
    assert project.calls() == []
    assert not (project.root / ".venv").exists()


def test_a_system_without_a_known_package_manager(project: Project) -> None:
    """Elsewhere all that is missing is named at once; when nothing is, the set-up goes on."""
    project.lacks("apt-get", "tesseract", "pdftoppm")
    done = project.run("demo")
    assert done.returncode == 4
    assert "Tesseract" in sentence(done)
    assert "Poppler" in sentence(done)
    project.has("tesseract", "echo eng")
    project.has("pdftoppm", "")
    assert project.run("demo", "--no-serve").returncode == 0


def test_a_missing_language_is_named(project: Project) -> None:
    """Tesseract without English is not enough."""
    project.has("tesseract", "echo deu")
    project.has("dpkg-query", "exit 1")
    assert "tesseract-ocr-eng" in sentence(project.run("demo"))


def test_an_administrator_gets_what_is_missing_and_no_more(project: Project) -> None:
    """The package manager's lists are read once, and what is to come is said before it comes."""
    project.lacks("pdftotext")
    project.has("id", "echo 0")
    project.has(
        "dpkg-query", 'for name; do :; done; [ "$name" != poppler-utils ] && echo installed'
    )
    come = (
        f"printf '#!/bin/sh\\n' >'{project.programs}/pdftotext'; chmod +x '{project.programs}'/pdf*"
    )
    project.programs.joinpath("chmod").symlink_to(shutil.which("chmod") or "chmod")
    project.has("apt-get", f"{PROGRAMS['apt-get']}\ncase $* in *install*) {come} ;; esac")
    done = project.run("demo", "--no-serve")
    assert done.returncode == 0, done.stderr
    assert "Installing system packages: poppler-utils\n" in done.stderr
    update, install = (c for c in project.calls() if c.startswith("apt-get"))
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends poppler-utils")


def test_a_mac_asks_homebrew(project: Project) -> None:
    """On a Mac the same comes from Homebrew, as far as that can be told without a Mac."""
    project.lacks("apt-get", "pdftotext", "uname")
    project.has("uname", "echo Darwin")
    come = 'cp "${0%/*}/pdftoppm" "${0%/*}/pdftotext"'
    project.has("brew", f'echo "brew $*" >>"$CALLS"; {come}')
    done = project.run("demo", "--no-serve")
    assert done.returncode == 0, done.stderr
    assert "Installing with Homebrew: poppler\n" in done.stderr
    assert project.calls()[0] == "brew install --quiet poppler"


def test_a_failing_package_manager_is_quoted(project: Project) -> None:
    """When packages cannot be had, the package manager's own words are shown; exit code 4."""
    project.lacks("pdftotext")
    project.has("id", "echo 0")
    project.has("dpkg-query", "exit 1")
    project.has("apt-get", "echo E: no way to the mirror; exit 100")
    done = project.run("demo")
    assert done.returncode == 4
    assert "E: no way to the mirror" in done.stderr
    assert "poppler-utils" in done.stderr.splitlines()[-1]


def test_ubuntus_own_chromium_is_no_use(project: Project) -> None:
    """Where Chromium is a snap only, the tests say what to do instead of failing one by one."""
    project.has("id", "echo 0")
    project.has("apt-cache", '[ "$2" != chromium ] && echo "Package: $2"')
    project.has("dpkg-query", 'for name; do :; done; [ "$name" != chromium ] && echo installed')
    project.has("chromium-browser", "exec /snap/bin/chromium")
    done = project.run("test")
    assert done.returncode == 4
    assert "Google Chrome" in done.stderr.splitlines()[-1]


def test_packages_come_by_hash_and_once(project: Project) -> None:
    """Wheels are installed by their hashes, again only when the requirements change."""
    assert project.run("demo", "--no-serve").returncode == 0
    made = [c for c in project.calls() if " -m pip install " in c]
    assert [c.split("/")[-1] for c in made] == ["pip.txt", "run.txt", "models.txt"]
    assert all({"--require-hashes", "--no-deps", "--only-binary"} <= set(c.split()) for c in made)
    assert project.run("demo", "--no-serve").returncode == 0
    assert not any("pip" in c or "venv" in c.split() for c in project.calls())
    for name in ("run.txt", "models.txt"):
        with (project.root / "requirements" / name).open("a") as file:
            file.write("# another\n")
        assert project.run("digitize", "status").returncode == 0
        assert installed(project)[-1:] == [name]


@pytest.mark.parametrize(
    "command", [("demo", "--no-serve"), ("digitize", "status"), ("test", "-x")]
)
def test_the_second_readers_models_come_with_every_command(
    project: Project, command: tuple[str, ...]
) -> None:
    """Whatever sets up the packages sets up the models; an older environment gets them as well."""
    project.has("chromium", "")
    assert project.run(*command).returncode == 0
    assert "models.txt" in installed(project)
    (project.root / ".venv/models.stamp").unlink()
    assert project.run(*command).returncode == 0
    assert installed(project) == ["models.txt"]


def test_a_half_made_environment_is_made_anew(project: Project) -> None:
    """A set-up that was cut short leaves nothing that the next one trusts."""
    assert project.run("digitize", "status").returncode == 0
    project.calls()
    stray = project.root / ".venv/stray"
    stray.touch()
    (project.root / ".venv/unfinished").touch()
    assert project.run("digitize", "status").returncode == 0
    assert any(" -m venv " in c for c in project.calls())
    assert not stray.exists()


def test_two_set_ups_at_once_take_turns(project: Project) -> None:
    """A second set-up waits for the first, and takes over from one that died."""
    lock = project.root / ".setting-up"
    (lock / str(os.getpid())).mkdir(parents=True)
    child = project.start("digitize", "status")
    assert child.stderr is not None
    with child:
        assert str(os.getpid()) in child.stderr.readline()
        assert child.poll() is None
        assert project.calls() == []
        ended = subprocess.Popen(["true"])
        ended.wait()
        (lock / str(os.getpid())).rename(lock / str(ended.pid))
        child.stderr.read()
    assert child.returncode == 0
    assert not lock.exists()


def test_demo_reads_the_samples_then_serves(project: Project) -> None:
    """The demo imports the samples with a line per record, then serves unless told otherwise."""
    assert project.run("demo").returncode == 0
    read, serve = (c for c in project.calls() if " -m digitize " in c)
    assert read.endswith("/scans/samples --batch samples --list")
    assert serve == "python -m digitize serve"


def test_a_failed_import_ends_the_demo(project: Project) -> None:
    """The demo ends with the exit code of the import that did not succeed."""
    project.has("python3.12", PROGRAMS["python3.12"] + '\n[ "$3" != import ] || exit 7')
    assert project.run("demo").returncode == 7


def test_the_first_failing_check_ends_the_run(project: Project) -> None:
    """The checks stop at the first that finds something, with its exit code."""
    project.has("chromium", "")
    project.has("python3.12", PROGRAMS["python3.12"] + '\n[ "$2" != mypy ] || exit 3')
    done = project.run("test")
    assert done.returncode == 3
    assert "Types (mypy)" in done.stderr.splitlines()[-1]
    ran = [c for c in project.calls() if "pip" not in c and "venv" not in c.split()]
    assert [c.removeprefix("python -m ") for c in ran] == [
        "ruff format --check .", "ruff check .", "mypy",
    ]  # fmt: skip


def test_arguments_of_test_go_to_pytest_alone(project: Project) -> None:
    """With arguments, pytest runs with them and nothing else does."""
    project.has("chromium", "")
    assert project.run("test", "tests/search", "-k", "two words").returncode == 0
    assert project.calls()[-1] == "python -m pytest tests/search -k two words"
    assert project.run("test", "-x").returncode == 0
    assert project.calls() == ["python -m pytest -x"]


def test_the_command_line_runs_where_it_is_called(tmp_path: Path, project: Project) -> None:
    """Relative paths hold, the project's settings are the default, temporary files stay in it."""
    project.has("python3.12", PROGRAMS["python3.12"] + '\n[ "$2" != digitize ] || { pwd; env; }')
    said = project.run("digitize", "status", cwd=tmp_path).stdout.splitlines()
    assert str(tmp_path) in said
    assert f"DIGITIZE_CONFIG={project.root}/config.toml" in said
    assert f"PYTHONPATH={project.root}" in said
    assert f"TMPDIR={project.root}/.venv/tmp" in said
    given = project.run("digitize", "status", DIGITIZE_CONFIG="other.toml").stdout.splitlines()
    assert "DIGITIZE_CONFIG=other.toml" in given


def test_digitize_starts_from_any_folder(tmp_path: Path, project: Project) -> None:
    """The real command line starts, whatever the caller's folder holds."""
    for name in ("digitize", "records", "ocr", "search", "webui"):
        (project.root / name).symlink_to(PROJECT / name)
    assert project.run("digitize", "status").returncode == 0
    (project.root / ".venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "records.py").write_text("raise SystemExit('a stranger')\n")
    done = project.run("digitize", "--version", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digitize, version ")


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's own business: no file of the project says."""
    hosts = re.compile(
        rb"p[y]pi\.(org|python)|p[y]thonhosted|n[p]mjs\.|(deb|security|archive)\.(debian|ubuntu)\."
        rb"|--(extra-)?index-[u]rl"
    )
    ours = (
        path
        for top in PROJECT.iterdir()
        if top.name in {".ci", "scans"} or not top.name.startswith(".")
        for path in (top.rglob("*") if top.is_dir() else (top,))
        if path.suffix in {".py", ".toml", ".txt", ".in", ".md", ".sh", ".yml", ".html", ".js", ""}
        and (top.name != "scans" or path.relative_to(top).parts[0].startswith(("make", "samples")))
    )
    named = [str(p) for p in ours if p.is_file() and hosts.search(p.read_bytes())]
    assert named == []
