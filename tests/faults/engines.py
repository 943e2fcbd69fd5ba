"""Small reading engines that go wrong in one way each: a script named tesseract, put on PATH.

Each is called as Tesseract is: ``tesseract IMAGE OUT -l eng ...``. The image's name holds the first
16 digits of the file's SHA-256 and the page number: ``read-0123456789abcdef-2-3.png``.
"""

from __future__ import annotations

from pathlib import Path

_FRONT = """#!/bin/sh
case "$1" in
    --version) echo "tesseract 5.3.0"; exit 0 ;;
    --list-langs) printf 'List of available languages (2):\\neng\\nosd\\n'; exit 0 ;;
esac
image=$1
out=$2
"""
_HEADER = (
    "level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num"
    "\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n"
)
# Reads "Filed sheet <sha> part<page>" off every page, at once and very surely.
_READ = f"""
part=${{image##*/read-}}
part=${{part%-[0-9]*.png}}
printf '{_HEADER}' > "$out.tsv"
word=1
for text in Filed sheet "${{part%-*}}" "part${{part##*-}}"; do
    printf '5\\t1\\t1\\t1\\t1\\t%d\\t%d\\t20\\t90\\t20\\t96\\t%s\\n' \\
        $word $((word * 100)) "$text" >> "$out.tsv"
    word=$((word + 1))
done
"""

FAST = _READ
# Takes its time, as a real one does, so that something can happen meanwhile.
SLOW = "sleep 0.3\n" + _READ
CRASHES = "kill -SEGV $$\n"
FAILS = "echo 'Error in pixReadStream' >&2\nexit 3\n"
HANGS = "exec sleep 600\n"
RUBBISH = "echo 'no table at all' > \"$out.tsv\"\n"
SHORT_ROWS = f"printf '{_HEADER}5\\t1\\tcut\\n' > \"$out.tsv\"\n"
NO_NUMBERS = (
    f"printf '{_HEADER}5\\t1\\t1\\t1\\t1\\t1\\tx\\ty\\tz\\tw\\t96\\tword\\n' > \"$out.tsv\"\n"
)
BAD_UTF8 = f"printf '{_HEADER}\\377\\376\\n' > \"$out.tsv\"\n"
WRITES_NOTHING = "exit 0\n"
# Takes the reading process with it, as the kernel does that runs out of memory.
KILLS_ITS_READER = "kill -KILL $PPID\n"


def only_page(number: int, body: str) -> str:
    """Return an engine that goes wrong on one page of each file and reads the others."""
    return f'case "$image" in\n*-{number}-[0-9]*.png)\n{body}\n;;\n*)\n{_READ}\n;;\nesac\n'


def install(folder: Path, body: str) -> Path:
    """Make a folder for PATH in which ``tesseract`` is an engine with this body; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_script(folder / "tesseract", _FRONT + body)
    return folder


def write_script(path: Path, text: str) -> None:
    """Write a program, or put another in its place."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text)
    draft.chmod(0o755)
    draft.replace(path)
