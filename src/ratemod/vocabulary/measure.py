"""A unit of a plan's own: what it is called, and the words by which a list states it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit that a plan declares: 亩, 头, 100 of payroll.

    Attributes
    ----------
    words : tuple of (word, number)
        Further words of lists, each with how many of the unit it is: hectare 15 of 亩.

    Examples
    --------
    >>> Measure("mu", "mu", "亩", (("公顷", Decimal(15)),)).sizes()["公顷"]
    Decimal('15')
    """

    name: str
    label_en: str
    label_zh: str
    words: tuple[tuple[str, Decimal], ...] = ()

    def label(self, lang: str) -> str:
        """Return what the unit is called in a language."""
        return self.label_zh if lang == "zh" else self.label_en

    def sizes(self) -> dict[str, Decimal]:
        """Return what each word, as it is compared (folded case), multiplies a number by; none means the unit."""
        found = {name.casefold(): Decimal(1) for name in ("", self.name, self.label_en, self.label_zh)}
        return found | {word.casefold(): size for word, size in self.words}


_ONES = (
    "元",
    "yuan",
    "rmb",
    "人",
    "人年",
    "户",
    "家",
    "件",
    "起",
    "次",
    "份",
    "吨",
    "辆",
    "person",
    "persons",
    "head",
    "heads",
)
_MULTIPLES = {"千": 1_000, "万": 10_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000}
# Of a number that a method takes in whatever unit it is: a multiple is obeyed, what is counted is the user's affair.
ANY = Measure(
    "any",
    "any unit",
    "任意单位",
    (*((word, Decimal(1)) for word in _ONES), *((word, Decimal(size)) for word, size in _MULTIPLES.items())),
)
