"""Amounts with the sign and the name of their money, and how far a column of smallest units may reach."""

from __future__ import annotations

from ratemod.rules.within import Within
from ratemod.vocabulary.currency import Currency
from ratemod.vocabulary.table import WIDEST

RINGGIT = Currency(name_en="ringgit", name_zh="林吉特", symbol="RM", decimals=2)


def test_an_amount_with_its_sign_and_its_name() -> None:
    assert RINGGIT.named(-123_450, "zh") == f"{RINGGIT.said(-123_450)} 林吉特"
    assert RINGGIT.named(5, "en").endswith("0.05 ringgit")


def test_every_amount_of_a_column_is_a_float_of_its_own() -> None:
    assert 2**52 < WIDEST < 2**53


def test_what_a_number_may_be_is_said() -> None:
    assert str(Within(low=0, high=5, whole=True)) == "0 <= x <= 5, whole"
    assert "whole" not in str(Within(low=0, high=5))
