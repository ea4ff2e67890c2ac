"""Working memory of one thread."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.operand import Operand
from ratemod.rating.inputs import Inputs
from ratemod.vocabulary.level_codes import Codes

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Slots = npt.NDArray[np.uint16]


class Values(dict[str, Floats]):
    """Columns and steps of a block by name; a column becomes floats when it is first read."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block

    def __missing__(self, name: str) -> Floats:
        self[name] = found = self.block.column_of(name)
        return found


@dataclass(eq=False)
class Block:
    """Working memory of one thread, used again for every block of rows.

    Attributes
    ----------
    values : mapping of (n,) float64
        Columns and steps of the current block.
    suspect : (n,) bool
        Rows that the exact path must decide.
    bits : (n,) int16 or int64
        Two bits a bounding step: its low end held, its high end held.
    applies : mapping of (n,) bool
        For conditional steps: rows that meet the condition.
    slots, gaps, masks, tests
        Cases of every row on an axis, whether any is missing, conditions and tests: found once a block.
    within : (Block, rows) or None
        The block that this one is part of.
    traced : bool
        Every step is computed, each by its own function, so that ties can be decided from the steps before them.
    """

    size: int
    buffers: dict[Hashable, npt.NDArray[Any]] = field(default_factory=dict)
    values: Values = field(init=False)
    applies: dict[str, Mask] = field(default_factory=dict)
    slots: dict[Hashable, npt.NDArray[Any]] = field(default_factory=dict)
    gaps: dict[str, bool] = field(default_factory=dict)
    masks: dict[int, tuple[Mask, Mask, bool]] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=lambda: Inputs(0))
    tests: dict[Callable[[Block], Mask], Mask] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)
    suspect: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    bits: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    within: tuple[Block, npt.NDArray[np.intp]] | None = None
    inner: dict[int, Block] = field(default_factory=dict)
    traced: bool = False

    def __post_init__(self) -> None:
        self.values = Values(self)

    def start(self, inputs: Inputs, bits: npt.DTypeLike = np.int64, shared: Mapping[str, int] | None = None) -> None:
        """Begin a block; `shared` numbers the arrays of steps that can share them."""
        self.release()
        self.inputs, self.shared = inputs, shared or {}
        self.suspect = np.zeros(inputs.n, dtype=bool)
        self.bits = np.zeros(inputs.n, dtype=bits)

    def release(self) -> None:
        """Let go of the block's inputs; the buffers stay."""
        self.inputs, self.within, self.traced = Inputs(0), None, False
        for held in (self.values, self.applies, self.slots, self.gaps, self.masks, self.tests):
            held.clear()
        for block in self.inner.values():
            block.release()

    def part(self, rows: npt.NDArray[np.intp], place: int) -> Block:
        """Return a block of some of the rows, whose columns and steps are gathered as they are read."""
        block = self.inner.setdefault(place, Block(self.size))
        block.start(self.inputs.gathered(rows), self.bits.dtype)
        block.within = self, rows
        return block

    def codes_of(self, name: str, kind: type[np.signedinteger[Any]]) -> Codes:
        """Return the codes of a level column or of a step that classifies, -1 where there is none.

        Parameters
        ----------
        kind : the type of the codes, where they are those of a step
        """
        if name in self.inputs.codes:
            return self.inputs.codes[name]
        value = self.values[name]
        return np.where(np.isnan(value), -1, value).astype(kind)

    def column_of(self, name: str) -> Floats:
        """Return a column as floats, or a step of the block that this is part of."""
        if name in self.inputs.numbers:
            return self.floats(name, self.inputs.numbers[name])
        if self.within is None:
            raise KeyError(name)
        whole, rows = self.within
        return np.take(whole.values[name], rows, out=self.buffer(name), mode="clip")

    def floats(self, name: str, array: npt.NDArray[Any]) -> Floats:
        """Return a column as float64: itself, or a copy in a buffer of this thread."""
        if array.dtype == np.float64:
            return array
        out = self.buffer(name)
        np.copyto(out, array)
        return out

    def buffer(self, name: str) -> Floats:
        """Return the array a step writes to; steps that are not needed at the same time may share one."""
        held = self.shared.get(name, name)
        if held not in self.buffers:
            self.buffers[held] = np.empty(self.size)
        return self.buffers[held][: self.inputs.n]

    def scratch(self, kind: type, number: int = 0) -> npt.NDArray[Any]:
        """Return an array for the moment; few are used for all, so that they stay in the cache."""
        if (kind, number) not in self.buffers:
            self.buffers[kind, number] = np.empty(self.size, dtype=kind)
        return self.buffers[kind, number][: self.inputs.n]

    def get(self, operand: Operand, constants: Mapping[str, float]) -> Floats | float:
        """Return the values of a name, or a number."""
        if isinstance(operand, Decimal):
            return float(operand)
        return constants[operand] if operand in constants else self.values[operand]

    def column(self, name: str, constants: Mapping[str, float]) -> Floats:
        """Return the values of a name as an array, a constant repeated."""
        return np.full(self.inputs.n, constants[name]) if name in constants else self.values[name]


def largest(values: Floats | float, positive: bool) -> float:
    """Return the largest absolute value, missing ones apart; `positive` where none is known to be below zero."""
    if isinstance(values, float):
        return abs(values)
    top = float(np.fmax.reduce(values, initial=0.0))
    return top if positive else max(top, -float(np.fmin.reduce(values, initial=0.0)))
