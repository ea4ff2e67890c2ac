"""Levels as numbers: the places of their codes in a column's levels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int16] | npt.NDArray[np.int32]  # (n,) of levels, -1 for none; see `Column.code_type`
