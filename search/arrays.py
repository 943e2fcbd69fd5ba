"""The arrays that a search works with.

Pages go by their number in the index. Records go by their place in ``PageTable.record_ids``, which
is sorted; all arrays by record have one slot more at the end, which is no record's: the pages that
are no more point to it, as to ``GONE``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]  # of pages or of records; False in the slot that is no record's
GONE = -1


def within(values: Ints, ordered: Ints) -> Mask:
    """Say of each value whether it is in an array that is sorted."""
    if not len(ordered):
        return np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    met: Mask = ordered[places] == values
    return met


def joined(arrays: list[Ints]) -> Ints:
    """Return several arrays, or none, as one."""
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
