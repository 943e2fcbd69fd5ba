"""PP-OCR, the second reader: the models that the rapidocr wheel carries, run by ONNX Runtime.

Only the wheel's models are used. Its own pipeline fills every crop up to 320 pixels or more, and
looks at a page in one fixed size; see docs/design.md for what that costs. The recogniser gives
probabilities to 18,710 characters, most of them Chinese; where none of these can be meant, it is
loaded without them, which leaves the proportions of the others as they are.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import itertools
import math
import os
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr.reading import Character, ReaderError
from records.errors import ProgramMissingError
from records.geometry import Box

Grey = NDArray[np.uint8]

NAME = "ppocr"
_DETECTION, _RECOGNITION = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_UPRIGHTNESS = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_CHARACTERS = "character"  # where a recogniser lists what it may answer
# Lines are recognised at this height; each step of the answer is so many pixels wide.
_LINE_HEIGHT, _STEP = 48, 8
# The detector finds lines best and cheapest where letters are about this high, in pixels. Measured
# from 7 to 14 on noisy forms, receipts and typescript.
_LETTER_HEIGHT = 9.5
# Small letters are shown no larger than so many times their size: it costs time and gains nothing.
_MOST_SCALE = 0.9
_UNKNOWN_PAGE_SIDE = 960  # how large a page is looked at whose letters nobody has measured
_MOST_PIXELS = 2_000_000
_TEXT, _LINE_OF_TEXT = 0.3, 0.5  # least probability of a pixel, and mean of a line (PP-OCR's own)
# The detector marks the middle of a line; PP-OCR's own distance, 1.6, reads worse than this.
_UNCLIP = 1.3
_STRIDE = 32  # sides of what the detector is shown are multiples of this
# What the classifier was trained on: lines of 48 pixels, cut or filled up to this width.
_UPRIGHT_WIDTH = 192
_MOST_LINE_WIDTH = 4000
# Characters further apart than so many times the usual advance, and so many steps, are two words.
# Measured: 3 times gains a little on noisy forms and nothing elsewhere; 2 times parts words.
_GAP, _LEAST_GAP = 3.0, 4
# Languages in Latin letters that the model knows all of, by Tesseract's names.
_LATIN = frozenset(
    ("afr", "bos", "bre", "cat", "ceb", "ces", "cos", "cym", "dan", "deu", "eng", "enm", "epo",
     "est", "eus", "fao", "fil", "fin", "fra", "frm", "fry", "gla", "gle", "glg", "hat", "hrv",
     "hun", "ind", "isl", "ita", "jav", "lat", "lav", "lit", "ltz", "mlt", "mri", "msa", "nld",
     "nor", "oci", "pol", "por", "que", "ron", "slk", "slv", "spa", "sqi", "srp_latn", "sun",
     "swa", "swe", "ton", "tur", "uzb", "yor")
)  # fmt: skip
_HAN = frozenset(("chi_sim", "chi_tra", "jpn"))
_MARKS = frozenset("‘’“”–—…•€£§°½¼¾±×©®™²³")


def installed() -> bool:
    """Say whether the models, what trims them and what runs them are there."""
    trims = importlib.util.find_spec("onnx") is not None
    return trims and _model(_RECOGNITION) is not None and _runs()


def _runs() -> bool:
    """Say whether ONNX Runtime can be used: its wheel may be there and not fit the machine."""
    try:
        _runtime()
    except (ImportError, OSError):
        return False
    return True


def _runtime() -> Any:
    """Return ONNX Runtime, kept from gathering figures of its use and sending them to its makers.

    It is loaded only where it is needed, since that takes a tenth of a second.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read as it is loaded
    import onnxruntime

    return onnxruntime


def check_installed() -> None:
    """Raise ProgramMissingError unless the second reader can be used."""
    if not installed():
        raise ProgramMissingError(
            "The second reader is not installed; install the Python packages rapidocr, onnx and "
            "onnxruntime, or set read.mode to 'tesseract'."
        )


def knows(languages: Sequence[str]) -> bool:
    """Say whether the model knows every letter of these languages, by Tesseract's names."""
    return all(language in _LATIN or language in _HAN for language in languages)


@functools.cache
def version() -> str:
    """Return the reader's name with the version of the wheel."""
    return f"{NAME} {importlib.metadata.version('rapidocr')}"


def find_lines(page: Grey, letter_height: float) -> tuple[Box, ...]:
    """Return the boxes of the lines of text on a straight page, ``(h, w) uint8``, top to bottom.

    ``letter_height`` is in pixels of the page, 0 where it is not known. The method is
    differentiable binarization (Liao et al., 2020) with upright boxes, since the page is straight.
    """
    height, width = page.shape
    scale = (
        _LETTER_HEIGHT / letter_height if letter_height else _UNKNOWN_PAGE_SIDE / max(page.shape)
    )
    scale = min(scale, _MOST_SCALE, (_MOST_PIXELS / page.size) ** 0.5)
    size = [max(_STRIDE, round(s * scale / _STRIDE) * _STRIDE) for s in page.shape]
    small = cv2.resize(
        page, (size[1], size[0]), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    probable = _run(_DETECTION, np.asarray(small, dtype=np.uint8)[None])[0, 0]
    text = cv2.dilate((probable > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(text)
    boxes = []
    for label, (x, y, w, h, _) in enumerate(stats[1:], 1):
        part = labels[y : y + h, x : x + w] == label
        if min(w, h) < 3 or probable[y : y + h, x : x + w][part].mean() < _LINE_OF_TEXT:
            continue
        reach = w * h * _UNCLIP / (2 * (w + h))
        box = Box(
            max(0, int((x - reach) * width / size[1])),
            max(0, int((y - reach) * height / size[0])),
            min(width, int(np.ceil((x + w + reach) * width / size[1]))),
            min(height, int(np.ceil((y + h + reach) * height / size[0]))),
        )
        if box.width >= 3 and box.height >= 3:
            boxes.append(box)
    return tuple(sorted(boxes, key=lambda b: (b.top, b.left)))


def runs_upwards(line: Box) -> bool:
    """Say whether a line that ``find_lines`` found is so much higher than wide that it runs up."""
    return line.height >= 1.5 * line.width


def read_line(
    page: Grey, box: Box, languages: Sequence[str], upwards: bool = False
) -> tuple[Character, ...]:
    """Read one line of text on a page, ``(h, w) uint8``; characters from left to right.

    The line runs from the bottom to the top with ``upwards``. Each character has the place (in
    pixels of the page) and the probability that the model gives it. Decoding is greedy (Graves
    et al., 2006: connectionist temporal classification).
    """
    box = box.cut(Box(0, 0, page.shape[1], page.shape[0]))
    crop = page[box.top : box.bottom, box.left : box.right]
    if crop.size == 0:
        return ()
    line = np.ascontiguousarray(np.rot90(crop, -1)) if upwards else crop
    steps = math.ceil(line.shape[1] * _LINE_HEIGHT / line.shape[0] / _STEP)
    width = min(_MOST_LINE_WIDTH, max(2, steps) * _STEP)
    way = cv2.INTER_AREA if line.shape[0] > _LINE_HEIGHT else cv2.INTER_LINEAR
    fitted = np.asarray(cv2.resize(line, (width, _LINE_HEIGHT), interpolation=way), dtype=np.uint8)
    latin = not any(language in _HAN for language in languages)
    characters = _characters(latin)
    answer = _run(_RECOGNITION, fitted[None], latin)[0]
    place = _places(box, upwards, len(answer))
    found: list[Character] = []
    decoded = _decode(answer)
    wide = _wide_advance([first for _, _, first, _ in decoded])
    before = 0
    for column, sureness, first, last in decoded:
        if found and first - before > wide:  # the model takes no notice of a gap in a form
            found.append(Character(" ", 1.0, place(before + 1, first - 1)))
        found.append(Character(characters[column], sureness, place(first, last)))
        before = first
    return tuple(found)


def _wide_advance(steps: Sequence[int]) -> float:
    """Return how many steps from one character to the next are too many within a word."""
    advances = [after - before for before, after in itertools.pairwise(steps)]
    return max(_LEAST_GAP, _GAP * statistics.median(advances)) if advances else math.inf


def _decode(answer: NDArray[np.float32]) -> list[tuple[int, float, int, int]]:
    """Return (column, probability, first step, last step) of each character; column 0 is none."""
    best, sure = answer.argmax(axis=1), answer.max(axis=1)
    found: list[tuple[int, float, int, int]] = []
    before = 0
    for step, column in enumerate(best.tolist()):
        if column and column == before:
            _, sureness, first, _ = found[-1]
            found[-1] = (column, max(sureness, float(sure[step])), first, step)
        elif column:
            found.append((column, float(sure[step]), step, step))
        before = column
    return found


def _places(box: Box, upwards: bool, steps: int) -> Any:
    """Return the function from first and last step of a character to its box on the page."""

    def along(first: int, last: int) -> Box:
        start, end = box.left + box.width * first / steps, box.left + box.width * (last + 1) / steps
        return Box(int(start), box.top, int(np.ceil(end)), box.bottom)

    def up(first: int, last: int) -> Box:
        start, end = first / steps, (last + 1) / steps
        bottom, top = box.bottom - box.height * start, box.bottom - box.height * end
        return Box(box.left, int(top), box.right, int(np.ceil(bottom)))

    return up if upwards else along


def upright_share(crops: Sequence[Grey]) -> float | None:
    """Return how likely (0 to 1) lines stand upright and not on their heads; None if it cannot say.

    Crops are grey, ``(h, w) uint8``, best 48 by 192. Each is shown both ways up, since the model
    alone takes much for upright that is neither; the mean of what it says is given. None when
    there are no crops, or the second reader is not installed or fails.
    """
    if not crops or not installed():
        return None
    shown = np.stack([_fitted(crop) for crop in crops])
    try:
        upright = _run(_UPRIGHTNESS, np.concatenate((shown, shown[:, ::-1, ::-1])))[:, 0]
    except ReaderError:
        return None
    own, turned = upright[: len(crops)], upright[len(crops) :]
    return float(0.5 + (own - turned).mean() / 2)


def _fitted(crop: Grey) -> Grey:
    """Return a crop at the size that the classifier wants, white where it is short."""
    wide = round(crop.shape[1] * _LINE_HEIGHT / max(crop.shape[0], 1))
    wide = max(1, min(_UPRIGHT_WIDTH, wide))
    fitted = np.full((_LINE_HEIGHT, _UPRIGHT_WIDTH), 255, np.uint8)
    fitted[:, :wide] = cv2.resize(crop, (wide, _LINE_HEIGHT), interpolation=cv2.INTER_NEAREST)
    return fitted


def _run(model: str, images: NDArray[np.uint8], latin: bool = False) -> NDArray[np.float32]:
    """Show grey images, ``(n, h, w) uint8``, to a model; returns its answer.

    Raises ReaderError when it fails or answers with what are no numbers.
    """
    scaled = images.astype(np.float32) / 127.5 - 1.0
    shown = np.repeat(scaled[:, None], 3, axis=1)
    with _translated():
        session = _session(model, latin)
        answer = session.run(None, {session.get_inputs()[0].name: shown})[0]
    answer = np.asarray(answer, dtype=np.float32)
    if answer.size == 0 or answer.ndim < 2 or not np.isfinite(answer).all():
        raise ReaderError("rubbish", "the second reader gave no numbers")
    return answer


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what ONNX Runtime raises into a ReaderError."""
    try:
        yield
    except _failures() as error:
        raise ReaderError("crashed", "the second reader failed on it") from error


@functools.cache
def _session(model: str, latin: bool = False) -> Any:
    """Load a model, once a process, for one thread; a recogniser with Latin answers only."""
    check_installed()
    onnxruntime = _runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # every line has another width
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    path = str(_model(model))
    source = _with_latin_answers(path) if latin else path
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _with_latin_answers(path: str) -> bytes:
    """Return a recogniser whose last layer has the columns of Latin characters alone.

    It is a quarter of the work on a line. What the model gives to the characters that are left is
    what it gave before, divided by their sum.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    listed = next(entry for entry in model.metadata_props if entry.key == _CHARACTERS)
    every = _answers(listed.value)
    kept = [i for i, c in enumerate(every) if i == 0 or _is_latin(c)]
    for weights in model.graph.initializer:
        if weights.dims[-1:] == [len(every)]:
            columns = numpy_helper.to_array(weights)[..., kept]
            weights.CopyFrom(numpy_helper.from_array(columns, weights.name))
    model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(kept)
    listed.value = "\n".join(every[i] for i in kept[1:-1])
    return bytes(model.SerializeToString())


def _answers(listed: str) -> tuple[str, ...]:
    """Return what each column of a recogniser's answer stands for: first none, last a blank."""
    return ("", *listed.splitlines(), " ")


@functools.cache
def _failures() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises, whose exceptions have no base of their own."""
    _runtime()
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    kinds = [kind for kind in vars(raised).values() if isinstance(kind, type)]
    return (*(k for k in kinds if issubclass(k, Exception)), MemoryError, RuntimeError)


def _model(name: str) -> Path | None:
    """Return the file of a model in the rapidocr wheel, which is not imported for it."""
    found = importlib.util.find_spec("rapidocr")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "models" / name
    return path if path.exists() else None


@functools.cache
def _characters(latin: bool) -> tuple[str, ...]:
    """Return the characters that may be answered, none first."""
    with _translated():
        session = _session(_RECOGNITION, latin)
    return _answers(session.get_modelmeta().custom_metadata_map[_CHARACTERS])


def _is_latin(character: str) -> bool:
    return character in _MARKS or (
        len(character) == 1
        and ord(character) < 0x250
        and unicodedata.category(character)[0] in "LNPSZ"
    )
