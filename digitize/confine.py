"""Landlock (Linux 5.19 and later): a reading process, and all it starts, may write here only.

Source: the kernel's userspace-api/landlock documentation. Where the kernel has no Landlock the
other limits of ``digitize.workers`` still hold.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# System calls of the same number on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
# Bits of access to files: write; remove a folder, a file; make of every kind; link across folders.
_WRITE_FILE = 1 << 1
_WRITES = _WRITE_FILE | sum(1 << bit for bit in range(4, 14))
_TRUNCATE = 1 << 14
# Before version 2 no link or rename from one folder into another can be allowed.
_LEAST_VERSION, _TRUNCATE_VERSION = 2, 3


class _RulesetAttr(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def allow_writes_only_under(folders: Sequence[Path]) -> bool:
    """Give up, for good, the right to change files outside these folders; False when it cannot be.

    /dev/null stays writable, since child processes are given it.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < _LEAST_VERSION:
        return False
    writes = _WRITES | (_TRUNCATE if version >= _TRUNCATE_VERSION else 0)
    attr = _RulesetAttr(writes)
    ruleset = libc.syscall(
        _CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(ctypes.sizeof(attr)), 0
    )
    if ruleset < 0:
        return False
    try:
        on_files = _WRITE_FILE | (writes & _TRUNCATE)
        rules = [(folder, writes) for folder in folders] + [(Path(os.devnull), on_files)]
        if not all(_add(libc, ruleset, path, access) for path, access in rules):
            return False
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _add(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> bool:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneathAttr(access, handle)
        return bool(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0) == 0)
    finally:
        os.close(handle)
