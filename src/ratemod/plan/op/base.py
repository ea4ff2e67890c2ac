"""What every operation of a plan has: fields that are the keys of a file, what it reads, and what is known of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ratemod.plan.interval import UNKNOWN, Range
from ratemod.plan.key import NUMBERS, OperationKey
from ratemod.plan.operand import Operand

if TYPE_CHECKING:
    from ratemod.plan.model import Plan, Table
    from ratemod.vocabulary.column import Level


def given(
    kind: str,
    default: Any = MISSING,
    *,
    doc: str = "",
    called: str = "",
    choices: tuple[str, ...] = (),
    takes: tuple[str, ...] = NUMBERS,
    count: int | None = None,
    low: int | None = None,
) -> Any:
    """Return a field of an operation that a plan file gives; without a default it must be given.

    Parameters
    ----------
    called : str
        The key in the file, where the field has another name.
    """
    needed = default is MISSING
    filled = needed and kind == "operands"
    key = OperationKey(kind, needed, choices, doc, low=low, filled=filled, takes=takes, count=count)
    return field(default=default, metadata={"key": key, "called": called})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation with what a plan gives for it.

    Class attributes
    ----------------
    op : its name in a file
    gives : kind of its values: "number", "level" or "date"
    passes : where its condition does not hold, it may let its operand pass
    carries : an amount that goes in comes out as that amount, moved
    binds : it notes which end held
    cancels : it sums, so that what is left may be smaller than its float error
    by_cell : it takes a value from a cell of its table that slots alone decide
    factor : it can be a factor, which 1 in its place would leave out
    ordered : which of equal lines comes first is told by their keys
    between : it reads between the points of its table, which must have one axis of points or more
    without : the message of a row for which it gives no value although all that it reads is there
    """

    op: ClassVar[str]
    gives: ClassVar[str] = "number"
    passes: ClassVar[bool] = False
    carries: ClassVar[bool] = False
    binds: ClassVar[bool] = False
    cancels: ClassVar[bool] = False
    by_cell: ClassVar[bool] = False
    factor: ClassVar[bool] = False
    ordered: ClassVar[bool] = False
    between: ClassVar[bool] = False
    without: ClassVar[str] = "RM314"

    @property
    def of(self) -> tuple[Operand, ...]:
        """What it acts on."""
        return ()

    @property
    def table(self) -> str:
        """The table that it reads, or an empty text."""
        return ""

    @property
    def by(self) -> tuple[tuple[str, str], ...]:
        """Axes of the table whose column or step has another name."""
        return ()

    @property
    def column(self) -> str:
        """The value column that it reads."""
        return ""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that it gives."""
        return ()

    @property
    def levels_of(self) -> str:
        """The column or step whose levels it gives where it states none, or an empty text."""
        return ""

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Columns whose equal values together make rows one group, by what the group is for: nothing of most."""
        return {}

    @classmethod
    def keys(cls) -> dict[str, OperationKey]:
        """Return the keys that a file may give."""
        return {name: item.metadata["key"] for name, item in cls._fields().items()}

    @classmethod
    @cache
    def _fields(cls) -> dict[str, dataclasses.Field[Any]]:
        return {item.metadata["called"] or item.name: item for item in fields(cls)}

    @classmethod
    def made(cls, values: Mapping[str, Any]) -> Self:
        """Return the operation from what a file gives, by key."""
        found = {}
        for name, item in cls._fields().items():
            if name in values:
                value = values[name]
                listed = item.name == "of" or item.metadata["key"].kind == "operands"
                found[item.name] = (value,) if listed and not isinstance(value, tuple) else value
        return cls(**found)

    def stated(self) -> dict[str, Any]:
        """Return what was given, by key, without what is as it would be anyhow."""
        values = {name: (getattr(self, item.name), item.default) for name, item in self._fields().items()}
        return {name: value for name, (value, default) in values.items() if value != default}

    def setting(self, key: str) -> Any:
        """Return what stands behind a key, given or not."""
        return getattr(self, self._fields()[key].name)

    def changed(self, **values: Any) -> Self:
        """Return the operation with other values, by key."""
        return dataclasses.replace(self, **{self._fields()[name].name: value for name, value in values.items()})

    def operands(self) -> Iterator[tuple[str, OperationKey, Operand]]:
        """Yield each value that it takes row by row: key, what the key may take, and the operand."""
        for name, item in self._fields().items():
            key: OperationKey = item.metadata["key"]
            value = getattr(self, item.name)
            if key.kind == "operands" or item.name == "of":
                yield from ((name, key, operand) for operand in value)
            elif key.kind in ("operand", "name") and value not in (None, ""):
                yield name, key, value

    def reads(self) -> Iterator[str]:
        """Yield every name of a column, constant or step that it reads, of a table only those that `by` states."""
        yield from (operand for _, _, operand in self.operands() if isinstance(operand, str))
        yield from (name for _, name in self.by)

    def columns_named(self) -> Iterator[Operand]:
        """Yield the names that must be columns: what a row itself says, not what is worked out for it."""
        return iter(())

    def may_lack(self) -> Iterator[Operand]:
        """Yield the names that may be empty in a row that it gives a value."""
        return self.columns_named()

    def whole(self, smallest: Decimal) -> bool:
        """Return whether its values are whole smallest units of money (fen), as those of a premium must be."""
        return False

    def numbers(self) -> dict[str, Decimal]:
        """Return, by key, every single number that the plan states for it."""
        found = {name: getattr(self, item.name) for name, item in self._fields().items()}
        return {name: value for name, value in found.items() if isinstance(value, Decimal)}

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the operation reading other names."""
        found: dict[str, Any] = {}
        for item in fields(self):
            key: OperationKey = item.metadata["key"]
            value = getattr(self, item.name)
            if key.kind == "operands" or item.name == "of":
                found[item.name] = tuple(names.get(part, part) if isinstance(part, str) else part for part in value)
            elif key.kind in ("operand", "name") and isinstance(value, str):
                found[item.name] = names.get(value, value)
        return dataclasses.replace(self, **found)

    def faults(self) -> Iterator[str]:
        """Yield the codes of what does not fit together in what was given."""
        return iter(())

    def faults_in(self, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the codes, with what their messages say, of what does not fit to other parts of the plan."""
        return iter(())

    def range(self, plan: Plan, known: Mapping[str, Range]) -> Range:
        """Return the interval, decimals and float error of its values from those of what it reads."""
        return UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOperation(Operation):
    """An operation that reads a table."""

    table: str = given("text")
    by: tuple[tuple[str, str], ...] = given("names", (), doc="axis = name, where they differ")
    column: str = given("text", "value", doc="value column; default value")

    def bound(self, table: Table) -> dict[str, str]:
        """Return what each axis of its table is read from."""
        stated = dict(self.by)
        return {axis.name: stated.get(axis.name, axis.name) for axis in table.axes}

    def value_columns(self, table: Table) -> Sequence[str]:
        """Return the value columns that its table must have."""
        return (self.column,)
