"""Steps with finitely many values: worked out once a plan, then taken by row.

A look-up of a level and a band, a product of such look-ups, the largest of three loadings: each has as many values as
its axes have cells (`ratemod.rating.axes`). The step's own function runs once over a block of cells, so a cell holds
the very float, the binding end and the doubt that each of its rows would get. Per row one index and one take are left,
and nothing at all where only another folded step reads it. A product of which some factors are folded has these
multiplied beforehand; the order of a product is free, for its error bound counts multiplications, whatever their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.plan.model import Plan, Step
from ratemod.plan.op.arithmetic import Product
from ratemod.plan.operand import NOTHING, Operand
from ratemod.plan.reads import axes_read
from ratemod.rating.axes import Axis, Bands, axes_of_table, level_axis
from ratemod.rating.block import Block, Floats, Mask, Slots
from ratemod.rating.compiling import Run
from ratemod.rating.inputs import Inputs

MOST_CELLS = 1 << 12  # of one step
MOST_JOINT = 1 << 14  # of factors multiplied beforehand: 128 KiB, so that it stays in the cache


@dataclass(frozen=True, eq=False, slots=True)
class Fold:
    """A step worked out over the cells of its axes.

    Attributes
    ----------
    axes : tuple of Axis
    values : (cells,) float64
    bits : (cells,) or None
        Binding ends, None where no end holds in any cell.
    doubtful : (cells,) bool or None
        Cells that floats do not decide; their rows go to the exact path.
    """

    axes: tuple[Axis, ...]
    values: Floats
    bits: npt.NDArray[Any] | None
    doubtful: Mask | None

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns and steps that the axes look at."""
        return tuple(name for axis in self.axes for name in axis.reads)

    def run(self, name: str) -> Run:
        """Return the function that writes the step into a block."""

        def take(block: Block) -> None:
            out = block.buffer(name)
            if not self.axes:
                out.fill(self.values[0])
                at: Any = np.zeros(block.inputs.n, dtype=np.intp)
            else:
                at = index_of(block, self.axes)
                np.take(self.values, at, out=out, mode="clip")
            if self.bits is not None:
                block.bits |= self.bits[at]
            if self.doubtful is not None:
                block.suspect |= self.doubtful[at]

        return take


def index_of(block: Block, axes: Sequence[Axis]) -> npt.NDArray[np.intp]:
    """Return the cell of every row over some axes, the last axis running fastest."""
    key = tuple(axis.key for axis in axes)
    if key not in block.slots:
        block.slots[key] = joined([axis.slots(block) for axis in axes], axes)
    index = block.scratch(int)
    np.copyto(index, block.slots[key])
    return index


def joined(slots: Sequence[Slots], axes: Sequence[Axis]) -> Slots:
    """Return one number for the cases on several axes; at most 2^16 cells."""
    code = slots[0]
    for more, axis in zip(slots[1:], axes[1:]):
        code = code * np.uint16(axis.size)
        code += more
    return code


class Folds:
    """What of a plan can be folded, found step by step in the order of the plan."""

    def __init__(self, plan: Plan, bands: Mapping[str, Bands], bit_type: npt.DTypeLike) -> None:
        self.plan, self.bit_type, self.bands = plan, bit_type, bands
        self.known: dict[str, Fold] = {}
        levels = {name: column.codes() for name, column in plan.columns.items()}
        self.levels = {name: level_axis(name, len(codes)) for name, codes in levels.items() if codes}

    def step(self, step: Step, run: Run, condition: Axis | None) -> Fold | None:
        """Return a step folded, and remember it; None where it has too many values."""
        axes = self._axes_of(step, condition)
        if axes is None or prod(axis.size for axis in axes) > MOST_CELLS:
            return None
        return self._worked_out(step, run, axes)

    def factors(self, step: Step, product: Callable[[Step], Run]) -> tuple[Step, dict[str, Fold]]:
        """Return a product with its folded factors multiplied beforehand, and these partial products by name."""
        if not isinstance(step.operation, Product) or (step.when is not None and step.otherwise is None):
            return step, {}
        fixed = [operand for operand in step.operation.of if self._fixed(operand)]
        folded = [operand for operand in step.operation.of if operand in self.known]
        rest = tuple(operand for operand in step.operation.of if operand not in folded and not self._fixed(operand))
        bins: list[tuple[list[Operand], dict[Any, Axis]]] = []
        for operand in folded:  # in the order of the step, so that the floats do not hang on the rest of the plan
            own = {axis.key: axis for axis in self.known[str(operand)].axes}
            for held, axes in bins:
                if prod(axis.size for axis in (axes | own).values()) <= MOST_JOINT:
                    held.append(operand)
                    axes.update(own)
                    break
            else:
                bins.append(([operand], own))
        if not bins or len(fixed) + len(folded) <= len(bins):
            return step, {}
        bins[0][0].extend(fixed)
        names, made = [], {}
        for at, (held, axes) in enumerate(bins):
            if len(held) == 1:
                names.append(str(held[0]))
                continue
            part = Step(f"{step.name}×{at}", Product(of=tuple(held)))
            names.append(part.name)
            made[part.name] = self._worked_out(part, product(part), tuple(axes.values()))
        return replace(step, operation=Product(of=(*names, *rest))), made

    def _fixed(self, operand: Operand | None) -> bool:
        return isinstance(operand, Decimal) or operand in self.plan.constants

    def _axes_of(self, step: Step, condition: Axis | None) -> tuple[Axis, ...] | None:
        """Return the axes that settle a step, None where something else does."""
        found: dict[Any, Axis] = {}
        operands: list[Operand | None] = [] if condition is None else [step.other]
        if step.operation.by_cell:
            for axis in axes_of_table(self.plan, step):
                if axis.bound in self.levels and axis.axis.kind == "level":
                    found[axis.bound] = self.levels[axis.bound]
                elif axis.bound in self.known or self._fixed(axis.bound):
                    operands.append(axis.bound)
                elif axis.bound in self.bands:
                    found[axis.bound] = self.bands[axis.bound].axis()
                else:
                    return None
        elif step.operation.table:
            return None
        else:
            operands += [operand for _, _, operand in step.operation.operands()]
        for operand in operands:
            if operand in self.known:
                found |= {axis.key: axis for axis in self.known[str(operand)].axes}
            elif operand != NOTHING and not self._fixed(operand):
                return None
        if condition is not None:
            found[condition.key] = condition
        return tuple(found.values())

    def _worked_out(self, step: Step, run: Run, axes: tuple[Axis, ...]) -> Fold:
        shape = tuple(axis.size for axis in axes)
        n = prod(shape)
        cases = [slots.ravel().astype(np.uint16) for slots in np.indices(shape, dtype=np.uint16)] if axes else []
        at = {axis.key: slots for axis, slots in zip(axes, cases)}
        block = Block(n)
        block.start(Inputs(n, {}, {}), self.bit_type)
        for axis in axes:
            axis.stand(block, at[axis.key])
        names = {*step.operation.reads(), step.other, *(name for _, name in axes_read(self.plan, step))}
        for name in names & self.known.keys():
            fold = self.known[str(name)]
            cell = joined([at[axis.key] for axis in fold.axes], fold.axes) if fold.axes else np.zeros(n, np.intp)
            block.values[str(name)] = fold.values[cell]
            if fold.doubtful is not None:
                block.suspect |= fold.doubtful[cell]
        with np.errstate(all="ignore"):
            run(block)
        fold = Fold(
            axes,
            block.buffer(step.name).copy(),
            block.bits if block.bits.any() else None,
            block.suspect if block.suspect.any() else None,
        )
        self.known[step.name] = fold
        return fold
