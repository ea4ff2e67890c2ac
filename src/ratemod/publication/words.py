"""The words of a yearly disclosure: levels, measures, figures, in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.money import yuan_text
from ratemod.publication.columns import CAUSES
from ratemod.publication.subjects import ELSEWHERE
from ratemod.publication.year import Subject
from ratemod.vocabulary.codes.division import division_names
from ratemod.vocabulary.table import column

if TYPE_CHECKING:
    from ratemod.publication.disclosure import Disclosure

FEN_PER_PUBLISHED = 10_000  # 100 yuan: two decimals of 10,000 yuan
SUPPRESSED, EMPTY = "×", "–"


def published(value: int) -> int:
    """Return an amount in fen as hundreds of yuan, half-up.

    Examples
    --------
    >>> published(1_234_567), published(-5_000)
    (123, -1)
    """
    size = (abs(value) + FEN_PER_PUBLISHED // 2) // FEN_PER_PUBLISHED
    return size if value >= 0 else -size


def amount_text(value: int) -> str:
    """Return an amount in fen in 10,000 yuan, rounded as published.

    Examples
    --------
    >>> amount_text(123_456_789)
    '123.46'
    """
    return yuan_text(published(value))


def rounded_rows(many: int) -> int:
    """Return a number of rows to the nearest ten: the rows of a small table are a count that may have to stay out.

    Examples
    --------
    >>> rounded_rows(2), rounded_rows(1_238)
    (0, 1240)
    """
    return (many + 5) // 10 * 10


def level_label(told: Disclosure, dim: str, code: str, lang: Lang) -> str:
    """Return a level in words; insurers under the names that the list of insurers gives."""
    if dim == "sector":
        return column("sector").level_labels(lang)[code]
    if dim == "division":
        return text("UI_disclosure_elsewhere", lang) if code == ELSEWHERE else division_names(lang)[code]
    if dim == "cause":
        return text(f"UI_cause_{code}", lang) if code in CAUSES else code
    if dim in ("state", "injury"):
        return text(f"UI_{dim}_{code}", lang)
    return told.insurer_names.get(code) or code


def measure_label(measure: str, lang: Lang, *, unit: bool = True) -> str:
    """Return a measure in words, amounts with their unit."""
    said = text(f"UI_measure_{measure}", lang)
    return text("UI_disclosure_unit", lang, measure=said) if unit and measure.endswith("_fen") else said


def figure(subject: Subject, cell: int, measure: str) -> str:
    """Return a figure as published: a number, “–” for none, “×” for left out."""
    if subject.hidden[cell]:
        return SUPPRESSED
    if not subject.tables.contributors[cell]:
        return EMPTY
    value = int(subject.tables.values[measure][cell])
    return amount_text(value) if measure.endswith("_fen") else f"{value:,}"
