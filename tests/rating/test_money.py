"""An amount to divide is a whole number of fen, whatever type it comes in; nothing is cut off in silence."""

from decimal import Decimal

import numpy as np
import pytest

from ratemod.errors import ModelError
from ratemod.money import apportion


@pytest.mark.parametrize("amount", [100.9, float("nan"), float("inf"), 1e30, Decimal("0.5"), "many", None, 2**64])
def test_what_is_no_whole_number_of_fen_is_refused(amount):
    with pytest.raises(ModelError, match="RM498 1 amount"):
        apportion(amount, [1, 1])
    with pytest.raises(ModelError, match="RM498 2 amount"):
        apportion(np.array([amount, 3, amount], dtype=object), [1, 1])


@pytest.mark.parametrize("amount", [101, 101.0, Decimal(101), np.int32(101), np.uint8(101)])
def test_whole_amounts_of_any_type_are_divided(amount):
    assert apportion(amount, [1, 1]).tolist() == [51, 50]
