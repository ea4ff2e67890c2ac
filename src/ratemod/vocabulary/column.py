"""A declared column of a book: its name, kind, unit, levels, aliases and permitted range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ratemod.vocabulary.currency import YUAN, Currency
from ratemod.vocabulary.measure import Measure
from ratemod.vocabulary.spelling import same_level

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["level", "number", "flag", "date", "text"]
KINDS: tuple[Kind, ...] = ("level", "number", "flag", "date", "text")

# What a number measures; readers use it to understand 万元, 亿元, % and ‰ in cells and headers.
UNITS = (
    "yuan",
    "fen",
    "persons",
    "share",
    "factor",
    "percent",
    "per_mille",
    "days",
    "months",
    "years",
    "count",
    "hours",
    "tonnes",
    "square_metres",
    "metres",
    "vehicles",
    "class",
    "score",
)


@dataclass(frozen=True, slots=True)
class Level:
    """One permitted value of a level column."""

    code: str
    label_en: str = ""
    label_zh: str = ""
    aliases: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return every spelling that means this level."""
        return tuple(dict.fromkeys(name for name in (self.code, self.label_en, self.label_zh, *self.aliases) if name))

    def label(self, lang: str) -> str:
        """Return the label in a language, falling back to the code."""
        return (self.label_zh if lang == "zh" else self.label_en) or self.code

    said = label  # inside a message: in the language of whoever reads it


FLAG_LEVELS = (
    Level("no", "No", "否", ("n", "false", "0", "无", "没有", "×", "f")),
    Level("yes", "Yes", "是", ("y", "true", "1", "有", "√", "t")),
)


@dataclass(frozen=True)
class Column:
    """One input column that a plan declares.

    Attributes
    ----------
    name : str
        The name in steps, outputs and frames (English identifier).
    kind : "level", "number", "flag", "date" or "text"
        A flag is a level column with the levels ``no`` and ``yes``.
    label_en, label_zh : str
        What people read; both are also accepted as headers.
    aliases : tuple of str
        Further headers that mean this column.
    levels : tuple of Level
        Permitted values of a level or flag column, in the plan's order.
    unit : str or None
        Of a number; one of `UNITS`.
    decimals : int
        Most decimal places a number may have; what has more is refused, so that every number is an exact decimal.
    low, high : Decimal or None
        Permitted range of a number, both ends included.
    optional : bool
        A row may leave it empty; a step that needs it then refuses the row, unless its condition excludes it.
    default, default_source : str or None
        What an empty cell means, only where the plan says so, with its source; recorded in the row's notes.
    derive : str or None
        Name of the derivation that fills the column when the book lacks it (see `ratemod.reading.derive`).
    source : str or None
        Source of the permitted range.
    identity : str or None
        Rule of an identifier: ``credit_code``, ``industry_code``, ``division_code``, ``bank_account`` or
        ``number``; ``name`` of a text that rows are joined by.
    covered : bool or None
        Of a day that a term ends with: whether it is still covered, so that 24时 of a day means that day.
    money : Currency
        What an amount is in.
    measure : Measure or None
        The unit, where it is one of the plan's own.
    """

    name: str
    kind: Kind
    label_en: str = ""
    label_zh: str = ""
    aliases: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    unit: str | None = None
    decimals: int = 0
    low: Decimal | None = None
    high: Decimal | None = None
    optional: bool = False
    default: str | None = None
    default_source: str | None = None
    derive: str | None = None
    source: str | None = None
    identity: str | None = None
    covered: bool | None = None
    money: Currency = YUAN
    measure: Measure | None = None

    def names(self) -> tuple[str, ...]:
        """Return every header that means this column."""
        named = (self.name, self.label_en, self.label_zh, *self.aliases)
        return tuple(dict.fromkeys(name for name in named if name))

    def label(self, lang: str) -> str:
        """Return the label in a language, falling back to the name."""
        return (self.label_zh if lang == "zh" else self.label_en) or self.name

    @property
    def measured(self) -> str | Measure | None:
        """What its numbers are in: a unit by name, or one of the plan's own."""
        return self.measure or self.unit

    def codes(self) -> tuple[str, ...]:
        """Return the level codes in order."""
        return self._codes

    @cached_property
    def spellings(self) -> Mapping[str, int]:
        """The place of a level by every way to write it, as `same_level` folds it."""
        return {same_level(name): place for place, level in enumerate(self.levels) for name in level.names()}

    def level_labels(self, lang: str) -> Mapping[str, str]:
        """Return what each level code is called in a language; empty for a column without levels."""
        return self._labels["zh" if lang == "zh" else "en"]

    @cached_property
    def _labels(self) -> Mapping[str, Mapping[str, str]]:
        return {lang: {level.code: level.label(lang) for level in self.levels} for lang in ("en", "zh")}

    @cached_property
    def _codes(self) -> tuple[str, ...]:
        return tuple(level.code for level in self.levels)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The place of every level code."""
        return {code: at for at, code in enumerate(self.codes())}

    @property
    def code_type(self) -> type[np.signedinteger[Any]]:
        """The type of level codes: sixteen bits for as many levels as they tell apart."""
        import numpy as np  # what a column is called is known without

        return np.int16 if len(self.levels) < 2**15 else np.int32
