"""What a plan is: frozen values, read from files by `ratemod.plan.files`, interpreted by `ratemod.rating`.

A plan is a worksheet: an ordered tuple of steps over columns, constants, tables and earlier steps. Nothing here
computes a premium; everything that does reads the same `Step` values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ratemod.errors import Lang, default_language, text
from ratemod.plan.op.base import Operation
from ratemod.plan.operand import Day, Operand
from ratemod.rules.lines import Place, lines_of
from ratemod.rules.number import digits
from ratemod.rules.opened import opened
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.currency import YUAN, Currency
from ratemod.vocabulary.measure import Measure

if TYPE_CHECKING:
    from ratemod.document.model import Document
    from ratemod.plan.graph import Graph


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number comes from and how far it may be trusted."""

    name: str
    title: str
    confidence: str
    date: date | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """A named number of the plan."""

    name: str
    value: Decimal
    source: str
    unit: str | None = None
    label_en: str = ""
    label_zh: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """An interval of an axis; an end that is None is open."""

    low: Decimal | None
    high: Decimal | None


LATER = {"later": True}  # a field that came later: not in the fingerprint of a plan that does not use it


class _Any:
    """The wildcard `*` of an axis; a single value, compared by identity."""

    def __repr__(self) -> str:
        return "*"

    def __reduce__(self) -> str:
        return "ANY"  # a plan sent to another process must keep the one and only wildcard


ANY = _Any()
AxisKey = str | Decimal | Band | _Any


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a table.

    Attributes
    ----------
    kind : "level", "number", "band" or "point"
    closed : "low" or "high"
        For bands: ``x_from, x_below`` are closed below, ``x_above, x_to`` are closed above.
    is_date : bool
        Keys are days since 1970-01-01.
    """

    name: str
    kind: Literal["level", "number", "band", "point"]
    closed: Literal["low", "high"] = "low"
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a key per axis, a number (or None) per value column, its source and line.

    A row whose values are written ``none`` answers its cells by saying that they are not offered.
    """

    keys: tuple[AxisKey, ...]
    values: tuple[Decimal | None, ...]
    source: str
    note: str = ""
    line: int = 0
    offered: bool = True


@dataclass(frozen=True, eq=False)
class Table:
    """A rating table in long form.

    A value column that a `classify` step reads holds levels; `values` then hold their places in `coded`.
    """

    name: str
    axes: tuple[Axis, ...]
    value_names: tuple[str, ...]
    rows: tuple[Row, ...]
    unit: str | None = None
    label_en: str = ""
    label_zh: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    file: str = ""
    coded: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything a premium depends on; row order does not matter."""
        rows = sorted(
            json.dumps([plain(row.keys), plain(row.values), row.source], ensure_ascii=False) for row in self.rows
        )
        facts = [self.name, plain(self.axes), self.value_names, plain(self.low), plain(self.high), rows]
        return _sha(json.dumps([*facts, plain(self.coded)] if self.coded else facts))

    def codes(self, column: str) -> tuple[str, ...]:
        """Return the levels of a value column that holds levels, nothing of one that holds numbers."""
        return dict(self.coded).get(column, ())

    def shown(self, column: str, value: Decimal) -> str | Decimal:
        """Return a value as the file writes it: the level itself in a column of levels."""
        codes = self.codes(column)
        return codes[int(value)] if codes else value

    def column(self, name: str) -> tuple[Decimal | None, ...]:
        """Return one value column, a number (or None) per row."""
        at = self.value_names.index(name)
        return tuple(row.values[at] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a condition; several given together must all hold.

    Attributes
    ----------
    first, last : str or None
        The level is one of those from the one to the other, in the order of the plan, both included.
    begins : tuple of str
        The level or text begins with one of these.
    """

    __test__: ClassVar[bool] = False  # nothing that pytest should run
    of: str
    is_: tuple[str, ...] = ()
    is_not: tuple[str, ...] = ()
    at_least: Operand | None = None
    above: Operand | None = None
    at_most: Operand | None = None
    below: Operand | None = None
    missing: bool | None = None
    first: str | None = field(default=None, metadata=LATER)
    last: str | None = field(default=None, metadata=LATER)
    begins: tuple[str, ...] = field(default=(), metadata=LATER)

    @property
    def compared(self) -> Mapping[str, Operand]:
        """What it is compared with, by key: numbers and dates by their size, levels by their order in the plan."""
        ends = {"at_least": self.at_least, "above": self.above, "at_most": self.at_most, "below": self.below}
        return {key: end for key, end in ends.items() if end is not None}

    @property
    def names_levels(self) -> bool:
        """Whether it asks for levels, or for the letters of a text."""
        return bool(self.is_ or self.is_not or self.begins or self.first is not None or self.last is not None)

    def within(self, codes: Sequence[str]) -> tuple[str, ...]:
        """Return the levels, of all that there are, that lie between its ends and begin as it says."""
        low = codes.index(self.first) if self.first is not None else 0
        high = codes.index(self.last) + 1 if self.last is not None else len(codes)
        return tuple(code for code in codes[low:high] if not self.begins or code.startswith(self.begins))


@dataclass(frozen=True, slots=True)
class Combination:
    """All, any or none of several conditions."""

    how: Literal["all", "any", "none"]
    parts: tuple[Condition, ...]


Condition = Test | Combination


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the worksheet: an operation, when it applies, and what the step is otherwise."""

    name: str
    operation: Operation
    when: Condition | None = None
    otherwise: Operand | None = None
    unit: str | None = None
    label_en: str = ""
    label_zh: str = ""
    source: str = ""
    note: str = ""
    headline: bool = False
    line: int = 0

    @property
    def other(self) -> Operand | None:
        """What the step is where its condition does not hold: its own operand where nothing is said."""
        return self.otherwise if self.otherwise is not None or not self.operation.of else self.operation.of[0]

    def stated(self) -> dict[str, Any]:
        """Return what a plan says of the step, by key of the file, without what is as it would be anyhow."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("operation", "line")}
        found = {name: plain(value) for name, value in own.items() if value not in (None, "", False)}
        operation: dict[str, Any] = plain(self.operation.stated())
        return found | {"op": self.operation.op} | operation

    def bound(self, axis: str) -> str:
        """Return the column or step that an axis of the step's table is read from."""
        return dict(self.operation.by).get(axis, axis)


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that refuses, declines, refers or labels a row."""

    name: str
    when: Condition
    action: Literal["refuse", "decline", "refer", "label"]
    message_en: str
    message_zh: str
    source: str


@dataclass(frozen=True, slots=True)
class Check:
    """A condition across rows: `of` the same within each `by`, or `of` unique."""

    name: str
    kind: Literal["same", "unique"]
    of: str
    message_en: str
    message_zh: str
    source: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class LegalException:
    """When a value outside the legal range is allowed, and what it must then be called."""

    when: Condition
    label_en: str
    label_zh: str
    source: str


@dataclass(frozen=True, slots=True)
class Legal:
    """What the law allows for a column, constant or step; never changed by an edit."""

    name: str
    of: str
    source: str
    low: Operand | None = None
    high: Operand | None = None
    exception: LegalException | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A worked example that ships with the plan."""

    name: str
    source: str
    expect: Mapping[str, str]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    line: int = 0
    lines: tuple[Mapping[str, Any], ...] = ()
    expect_lines: tuple[Mapping[str, str], ...] = ()
    expect_total: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Mapping[str, Any], ...]:
        """The lines of the policy, or the one row that the case is."""
        return self.lines or (self.inputs,)


@dataclass(frozen=True, eq=False)
class Plan:
    """A rating plan: one edition of one scheme.

    `plan.id` (``scheme/edition@fingerprint``) goes on every result. `plan.replace` makes a what-if in time
    proportional to what changes.
    """

    scheme: str
    edition: str
    title_en: str
    title_zh: str
    standing: str
    status: str
    new_from: date
    renewal_from: date
    until: date | None
    key: str | None
    premium: str
    fund: str | None
    warning_en: str
    warning_zh: str
    sources: Mapping[str, Source]
    columns: Mapping[str, Column]
    constants: Mapping[str, Constant]
    tables: Mapping[str, Table]
    steps: tuple[Step, ...]
    rules: tuple[Rule, ...] = ()
    checks: tuple[Check, ...] = ()
    legal: tuple[Legal, ...] = ()
    cases: tuple[Case, ...] = field(default=(), repr=False)
    folder: str = ""
    overlay: tuple[tuple[str, str], ...] = ()
    money: Currency = YUAN
    units: Mapping[str, Measure] = field(default_factory=dict)

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        """The line of each key of the plan's own file; read when the first problem asks for it."""
        path = Path(self.folder) / "plan.toml"
        return lines_of(opened(path, str(path))) if self.folder and path.is_file() else {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes to another process: the fields, their read-only mappings as plain ones."""
        held = {item.name: getattr(self, item.name) for item in fields(self)}
        held["cases"] = ()  # worked examples stay at home
        return {name: dict(value) if isinstance(value, MappingProxyType) else value for name, value in held.items()}

    def __setstate__(self, held: Mapping[str, Any]) -> None:
        """Take over what another process sent."""
        for name, value in held.items():
            object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, dict) else value)

    @cached_property
    def fingerprint(self) -> str:
        """First 12 hex digits of the SHA-256 of everything a premium depends on."""
        parts = [
            self.scheme,
            self.edition,
            self.standing,
            self.new_from.isoformat(),
            self.renewal_from.isoformat(),
            plain(self.until),
            self.key,
            self.premium,
            self.fund,
            [plain(column, ("covered", "measure", "money")) for column in self.columns.values()],
            sorted(json.dumps(plain(constant), ensure_ascii=False) for constant in self.constants.values()),
            sorted(table.digest for table in self.tables.values()),
            [step.stated() for step in self.steps],
            plain(self.rules),
            plain(self.checks),
            plain(self.legal),
            *([] if self.money == YUAN else [plain(self.money)]),
            *(plain(unit) for unit in self.units.values()),
        ]
        return _sha(json.dumps(parts, ensure_ascii=False))[:12]

    @property
    def id(self) -> str:
        """``scheme/edition@fingerprint``, with ``+`` where an overlay changed the plan."""
        return f"{self.scheme}/{self.edition}{'+' if self.overlay else ''}@{self.fingerprint}"

    @cached_property
    def step_names(self) -> tuple[str, ...]:
        """Names of the steps in order."""
        return tuple(step.name for step in self.steps)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The columns, one or several together, whose equal values make rows lines of one policy."""
        return tuple(dict.fromkeys(names for step in self.steps for names in step.operation.groups.values()))

    @cached_property
    def level_columns(self) -> Mapping[str, Column]:
        """The columns, and each `classify` step as a column of its levels: all that tables and conditions name."""
        classes = {
            step.name: Column(step.name, "level", levels=step.operation.levels)
            for step in self.steps
            if step.operation.levels
        }
        return {**self.columns, **classes} if classes else self.columns

    def level_labels(self, name: str, lang: str) -> Mapping[str, str]:
        """Return what each level code of a column or a `classify` step is called; empty where it has no levels."""
        column = self.level_columns.get(name)
        return column.level_labels(lang) if column is not None else {}

    def level_label(self, name: str, code: str, lang: str) -> str:
        """Return what a level code of a column or a `classify` step is called; what is no level stays as it is."""
        return self.level_labels(name, lang).get(code, code)

    @cached_property
    def _graph(self) -> Graph:
        from ratemod.plan.graph import graph_of

        return graph_of(self)

    def graph(self) -> Graph:
        """Return what rests on what in the plan: `upstream`, `downstream`, `touched_by`; it draws itself."""
        return self._graph

    def step(self, name: str) -> Step:
        """Return the step of that name; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def label(self, name: str, lang: str) -> str:
        """Return the label of a column, constant, table or step, falling back to its name."""
        found: Any = self.columns.get(name) or self.constants.get(name)
        if found is None and name in self.step_names:
            found = self.step(name)
        found = found or self.tables.get(name)
        return (getattr(found, f"label_{lang}", "") if found else "") or name

    def legal_ends(self, item: Legal) -> tuple[Decimal | None, Decimal | None]:
        """Return the ends of a legal range as numbers; None for an end that is open or is worked out row by row."""
        named = {name: constant.value for name, constant in self.constants.items()}
        low, high = (named.get(end) if isinstance(end, str) else end for end in (item.low, item.high))
        return low, high

    @strict
    def text(self, code: str, lang: Lang, **args: Any) -> str:
        """Return the catalogue text of a code with the plan's money in it, and its other arguments."""
        return text(code, lang, money=self.money.name(lang), **args)

    @strict
    def unit_label(self, unit: str, lang: Lang) -> str:
        """Return what a unit is called: one of the plan's own, its money, or one that everybody has."""
        own = self.units.get(unit)
        return own.label(lang) if own is not None else self.text(f"UI_of_{unit}", lang)

    def warning(self, lang: str) -> str:
        """Return the warning that every output carries."""
        return self.warning_zh if lang == "zh" else self.warning_en

    def replace(self, changes: Mapping[str, Any]) -> Plan:
        """Return a new plan with the given cells, constants or step numbers changed; see `ratemod.plan.edit`."""
        from ratemod.plan.edit import replace

        return replace(self, changes)

    @strict
    def document(self, lang: Lang = "en") -> Document:
        """Return what the plan is: standing, dates, steps, tables."""
        from ratemod.plan.display import document_of

        return document_of(self, lang)

    def _repr_html_(self) -> str:
        from ratemod.document.html import card

        return card(self.document(default_language()))

    def __repr__(self) -> str:
        return f"<Plan {self.id} ({self.standing}): {len(self.steps)} steps, {len(self.tables)} tables>"


def plain(value: Any, skip: tuple[str, ...] = ()) -> Any:
    """Return a value as JSON-ready data with exact numbers as normalised text."""
    if isinstance(value, date | Day):
        return value.isoformat()
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, _Any):
        return "*"
    if is_dataclass(value):
        held = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in skip}
        unused = {f.name for f in fields(value) if f.metadata.get("later") and held.get(f.name) == f.default}
        return {name: plain(part, skip) for name, part in held.items() if name not in unused}
    if isinstance(value, tuple | list):
        return [plain(item, skip) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item, skip) for key, item in value.items()}
    return value


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
