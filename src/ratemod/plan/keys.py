"""The closed set: which keys and operations a plan file may use.

The reader refuses what is not here, the JSON Schema and the format reference are generated from here, so the three
cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ratemod.plan.op.registry import OPERATIONS as _OPERATIONS
from ratemod.rules.shape import Key
from ratemod.vocabulary.column import KINDS, UNITS
from ratemod.vocabulary.table import words


def _text(doc: str = "", required: bool = False, choices: tuple[str, ...] = ()) -> Key:
    return Key("text", required, choices, doc, filled=required)


UNITS_WRITTEN = ("money", *UNITS)  # money is what the plan's [money] says, else yuan
LABELS = {"label_en": _text("English label"), "label_zh": _text("Chinese label")}
MESSAGES = {"message_en": _text("English message", True), "message_zh": _text("Chinese message", True)}

PLAN: Mapping[str, Key] = {
    "scheme": _text("name of the scheme: the folder above", True),
    "edition": _text("name of the edition: this folder", True),
    "title_en": _text("English title", True),
    "title_zh": _text("Chinese title", True),
    "standing": _text("how far it may be trusted", True, ("official", "published", "prototype", "example")),
    "status": _text("an active edition is frozen by plan.lock", True, ("draft", "active", "withdrawn")),
    "new_from": Key("date", True, doc="first day for new business"),
    "renewal_from": Key("date", doc="first day for renewals; default new_from"),
    "until": Key("date", doc="the day from which it no longer applies"),
    "key": _text("the column that names a row"),
    "premium": _text("the step that is the premium, rounded to the smallest unit of money (0.01) or a multiple", True),
    "fund": _text("the step that is the prevention fund, rounded likewise"),
    "warning_en": _text("printed on every output"),
    "warning_zh": _text("printed on every output"),
}
MONEY: Mapping[str, Key] = {
    "name_en": _text("what amounts are in, in English: ringgit", True),
    "name_zh": _text("the same in Chinese: 林吉特", True),
    "symbol": _text("its sign, that stands before amounts: RM"),
    "decimals": Key("integer", doc="decimals of its smallest unit, default 2", low=0, high=4),
}
MEASURE: Mapping[str, Key] = {
    "label_en": _text("what it is called, in English: mu", True),
    "label_zh": _text("the same in Chinese: 亩", True),
    "words": Key("sizes", doc="further words of lists, each with how many of the unit it is: { 公顷 = 15 }"),
}
LIST: Mapping[str, Key] = {
    "values": Key("texts", True, filled=True, doc="what steps with over = this list are repeated for"),
    "label_en": Key("texts", doc="English labels, one for each value"),
    "label_zh": Key("texts", doc="Chinese labels, one for each value"),
}
SOURCE: Mapping[str, Key] = {
    "title": _text("what it is, with its document number", True),
    "confidence": _text("", True, ("primary", "secondary", "prototype", "derived", "illustrative")),
    "date": Key("date"),
    "url": _text(),
}
CONSTANT: Mapping[str, Key] = {
    "value": Key("value", True, doc="a number, or a date"),
    "source": _text("a source", True),
    "unit": Key("unit", choices=UNITS_WRITTEN),
    **LABELS,
}
COLUMN: Mapping[str, Key] = {
    "kind": _text("", True, KINDS),
    **LABELS,
    "aliases": Key("texts", doc="further headers"),
    "levels": Key("levels", doc="permitted values of a level column"),
    "levels_file": _text("instead of levels: a CSV file of them, code and perhaps label_en, label_zh, aliases"),
    "unit": Key("unit", choices=UNITS_WRITTEN, doc="what a number measures"),
    "decimals": Key("integer", doc="most decimal places", low=0, high=15),
    "min": Key("number", doc="least permitted number"),
    "max": Key("number", doc="largest permitted number"),
    "optional": Key("flag", doc="may be empty"),
    "default": _text("what an empty cell means"),
    "default_source": _text("the source that says so"),
    "derive": _text("derivation that fills the column where the book lacks it"),
    "source": _text("source of the permitted range"),
}
# A column that takes all that it does not say from the vocabulary.
COLUMN_FROM: Mapping[str, Key] = {
    **COLUMN,
    "kind": _text("", False, KINDS),
    "from": _text("the word of the vocabulary that the column is", True, tuple(words())),
    "only": Key("texts", doc="the levels that the plan permits, where it permits fewer"),
}
TABLE: Mapping[str, Key] = {
    "file": _text("path, where it is not tables/NAME.csv"),
    "values": Key("texts", doc="value columns besides value, low, high"),
    "unit": Key("unit", choices=UNITS_WRITTEN),
    "min": Key("number", doc="least permitted value"),
    "max": Key("number", doc="largest permitted value"),
    **LABELS,
}
RULE: Mapping[str, Key] = {
    "name": _text("", True),
    "when": Key("condition", True),
    "action": _text("", True, ("refuse", "decline", "refer", "label")),
    **MESSAGES,
    "source": _text("", True),
}
CHECK: Mapping[str, Key] = {
    "name": _text("", True),
    "kind": _text("", True, ("same", "unique")),
    "of": _text("", True),
    "by": _text(),
    **MESSAGES,
    "source": _text("", True),
}
LEGAL: Mapping[str, Key] = {
    "name": _text("", True),
    "of": _text("column, constant or step", True),
    "low": Key("operand", doc="a number, or the name of a constant or of a step that rests on tables"),
    "high": Key("operand", doc="as low"),
    "source": _text("the article", True),
    "exception": Key("exception"),
}
EXCEPTION: Mapping[str, Key] = {
    "when": Key("condition", True),
    "label_en": _text("", True),
    "label_zh": _text("", True),
    "source": _text("", True),
}
LEVEL: Mapping[str, Key] = {"code": _text("", True), **LABELS, "aliases": Key("texts")}
CASE: Mapping[str, Key] = {
    "name": _text("", True),
    "source": _text("", True),
    "inputs": Key("cells", doc="column = cell, as a list holds it"),
    "lines": Key("lines", doc="instead of inputs: the lines of one policy, a table each; expected of the first"),
    "expect_lines": Key("lines", doc="what is expected of each line, a table each, in the order of the lines"),
    "expect_total": Key("cells", doc="what the lines come to together: step = sum over them"),
    "expect": Key("cells", True, doc="step = value, at its printed digits; premium and fund to the smallest unit"),
}
TEST: Mapping[str, Key] = {
    "of": _text("", True),
    "is": Key("texts", filled=True),
    "is_not": Key("texts", filled=True),
    "from": _text("a level: it or one after it, in the order of the plan"),
    "to": _text("a level: it or one before it"),
    "begins": Key("texts", filled=True, doc="with what the code of a level, or a text, begins"),
    "equals": Key("operand", doc="at_least and at_most in one"),
    "at_least": Key("operand"),
    "above": Key("operand"),
    "at_most": Key("operand"),
    "below": Key("operand"),
    "missing": Key("flag"),
}

STEP: Mapping[str, Key] = {
    "name": _text("", True),
    "op": _text("", True),
    **LABELS,
    "source": _text("a source id"),
    "unit": Key("unit", choices=UNITS_WRITTEN, doc="for display"),
    "headline": Key("flag", doc="written by default"),
    "note": _text(),
    "when": Key("condition"),
    "otherwise": Key("operand"),
    "over": Key("texts", filled=True, doc="lists that the step is repeated over: {name} in its texts is each value"),
}
OPERATIONS: Mapping[str, Mapping[str, Key]] = MappingProxyType({op: kind.keys() for op, kind in _OPERATIONS.items()})
CHOICE: Mapping[str, Key] = {
    "cases": Key("cases", True, doc="a list of { when, then }, in order: the first whose condition holds decides"),
}
CASE_OF_CHOICE: Mapping[str, Key] = {
    "when": Key("condition", True),
    "then": Key("operand", True, doc="a number, or the name of a column, constant or step"),
}
EXPERIENCE: Mapping[str, Mapping[str, Key]] = {
    "split": {
        name: Key("operand", True)
        for name in ("actual_primary", "actual_excess", "expected", "expected_excess", "weight", "ballast")
    },
    "credibility": {name: Key("operand", True) for name in ("actual", "expected", "credibility")},
    "buhlmann": {name: Key("operand", True) for name in ("actual", "expected", "exposure", "k")},
    "poisson_gamma": {name: Key("operand", True) for name in ("claims", "expected", "shape")},
}
