"""A filing: a new edition against the one in force, on a book, with everything a reviewing actuary asks for.

The book is priced four times: under both editions, as charged and without the caps against the expiring premium. What
is said of the effect comes from those prices; what is said of the cause from the two plans and, where there is one,
from the study behind the new edition. Every total is reconciled, and the filing says when one does not add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang
from ratemod.plan.grid import grid
from ratemod.plan.model import Plan, Step
from ratemod.plan.reads import axes_read
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.rating.summary import MOST_LEVELS, default_by
from ratemod.rating.verdict import REFUSED, STATUS
from ratemod.report.filing_changes import Change, changes_between
from ratemod.report.filing_study import KeptStudy, read_study, study_beside
from ratemod.study.caps import caps_of, uncapped
from ratemod.whatif.dislocation import Dislocation, compare

if TYPE_CHECKING:
    import pandas as pd

MOVERS, MOST_EXAMPLES = 12, 6
PLACES = ("insurer", "division_code", "city")


@dataclass(frozen=True, slots=True)
class Check:
    """Two numbers that must be equal, or one way in which they would not be.

    Attributes
    ----------
    name : str
        Of the catalogue: what is held against what.
    args : mapping
        For its words.
    one, other : int
        Counts or fen.
    money : bool
    """

    name: str
    args: Mapping[str, str]
    one: int
    other: int
    money: bool = False

    @property
    def holds(self) -> bool:
        """Whether they are equal."""
        return self.one == self.other


@dataclass(frozen=True, eq=False)
class Filing:
    """A new edition against the current one.

    Attributes
    ----------
    moved : Dislocation
        The book under both, as charged; every step kept.
    free : Dislocation or None
        The same without caps; None where neither edition caps anything.
    study : KeptStudy or None
    by : columns of the segments
    asked : keys of the examples that were asked for
    facts : language -> labels and values, where the book comes from
    digest : str
        SHA-256 of the book's file.
    synthetic : bool
        The book, or the history of the study, was made up.
    """

    moved: Dislocation
    free: Dislocation | None
    study: KeptStudy | None
    by: tuple[str, ...]
    asked: tuple[str, ...] = ()
    facts: Mapping[Lang, Sequence[tuple[str, str]]] | None = None
    digest: str = ""
    synthetic: bool = False

    @property
    def current(self) -> Plan:
        """The edition in force."""
        return self.moved.before.plan

    @property
    def new(self) -> Plan:
        """The edition that is filed."""
        return self.moved.after.plan

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Everything that differs between the two."""
        return changes_between(self.current, self.new)

    @cached_property
    def examples(self) -> tuple[tuple[str, int], ...]:
        """Which policies are worked out, as (why, position); the same book always gives the same ones."""
        both = np.flatnonzero(self.moved.both)
        old, new = (side.outputs.premium_fen[both] for side in (self.moved.before, self.moved.after))
        wanted = [("asked", self.moved.before.position(key)) for key in self.asked]
        if len(both):
            middle = np.argsort(new, kind="stable")[len(new) // 2]
            wanted += [
                ("median", int(both[middle])),
                ("rise", int(both[np.argmax(new - old)])),
                ("fall", int(both[np.argmin(new - old)])),
                ("percent", int(both[np.argmax(self.moved.change)])),
            ]
        wanted += [(name, int(rows[0])) for name, rows in self._special() if len(rows)]
        found: dict[int, str] = {}
        for name, at in wanted:
            found.setdefault(at, name)
        return tuple((name, at) for at, name in list(found.items())[: max(MOST_EXAMPLES, len(self.asked))])

    def _special(self) -> list[tuple[str, npt.NDArray[np.intp]]]:
        status, bits = self.moved.after.verdict.status, self.moved.after.outputs.bits
        return [
            ("bound", np.flatnonzero((status < REFUSED) & (bits != 0))),
            ("refused", np.flatnonzero(status >= REFUSED)),
        ]

    @cached_property
    def segments(self) -> dict[str, pd.DataFrame]:
        """Return premium before and after by each of the columns."""
        return {name: self.moved.by(name) for name in self.by}

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every reconciliation of the filing."""
        return tuple(_checks(self))


def filing(
    book: Any,
    new: Plan,
    current: Plan,
    *,
    study: str | Path | None = None,
    by: Sequence[str] = (),
    examples: Sequence[str] = (),
    facts: Mapping[Lang, Sequence[tuple[str, str]]] | None = None,
    digest: str = "",
    synthetic: bool = False,
) -> Filing:
    """Set a new edition against the current one.

    Parameters
    ----------
    book : whatever `rate` takes
        Read with the columns of the current plan; both plans must be able to price it.
    new, current : Plan
    study : folder of the study behind the new edition; default the one that its folder lies in, if any
    by : level or text columns whose segments are shown; default sector, size, what the changed tables ask for
    examples : keys of policies to work out beside those that are chosen

    Raises
    ------
    ModelError
        RM872, RM873, RM874 as `filing_study.read_study`.
    BookError, PlanError
        As `rate`; RM321 no policy of that key; RM322 no such column.

    Examples
    --------
    >>> import ratemod as rm
    >>> plan = rm.load_plan("jilin-spli/2025-04")
    >>> province = rm.synthesize(enterprises=200, years=2, seed=1)
    >>> found = filing(province.renewals, plan.replace({"constants.no_certificate": "1.20"}), plan)
    >>> [(change.path, change.old, change.new) for change in found.changes]
    [('constants.no_certificate', '1.1', '1.2')]
    >>> all(check.holds for check in found.checks)
    True
    """
    folder = study if study is not None else study_beside(new)
    kept = None if folder is None else read_study(folder, new, current)
    before, after = (rate(book, plan, lang="en", trace=True) for plan in (current, new))
    free = None
    if caps_of(current) or caps_of(new):
        loose = (rate(book, uncapped(plan), lang="en", trace=False) for plan in (current, new))
        free = compare(*loose)
    moved = compare(before, after)
    made = Filing(moved, free, kept, (), tuple(examples), facts, digest, synthetic or bool(kept and kept.is_synthetic))
    return replace(made, by=tuple(by) or default_segments(made))


def default_segments(found: Filing) -> tuple[str, ...]:
    """Return the columns that winners and losers are told by: sector and size, the changed tables' levels, places."""
    plan, table = found.current, found.moved.before.book.table
    names = list(default_by(plan))
    changed = {change.table for change in found.changes if change.table}
    for step in plan.steps:
        if step.operation.table in changed:
            names += [name for axis, name in axes_read(plan, step) if axis.kind == "level"]
    names = [name for name in names if name in plan.columns]
    names += [name for name in PLACES if name in table.column_names and len(table[name].unique()) <= MOST_LEVELS]
    return tuple(dict.fromkeys(names))


def policies_by_row(rated: Rated, step: Step) -> npt.NDArray[np.int64] | None:
    """Return how many priced rows read each row of a step's table, (rows,) int64; None where that is not told apart."""
    from ratemod.rating.rational import from_floats
    from ratemod.rating.working import Exact, axis_slots

    table = rated.plan.tables[step.operation.table]
    found = grid(table, step.operation.by, rated.plan.level_columns)
    if found is None:
        return None
    state, inputs = Exact(rated.coding.inputs), rated.coding.inputs
    for axis in found.axes:
        if axis.bound in inputs.codes:
            continue
        if axis.bound in inputs.numbers:
            places = rated.plan.columns[axis.bound].decimals
            state.values[axis.bound] = from_floats(np.asarray(inputs.numbers[axis.bound], float), places)
        elif axis.bound in rated.outputs.steps:
            state.values[axis.bound] = from_floats(rated.outputs.steps[axis.bound], 9)
        else:
            return None
    slots = tuple(axis_slots(axis, state) for axis in found.axes)
    rows = found.row_of[slots] if slots else np.full(inputs.n, found.row_of[()])
    good = (rows >= 0) & (rated.verdict.status < REFUSED)
    return np.bincount(rows[good], minlength=len(table.rows)).astype(np.int64)


def _checks(found: Filing) -> list[Check]:
    moved, checks = found.moved, []
    totals = moved.totals
    for side, rated in (("before", moved.before), ("after", moved.after)):
        counts = rated.counts
        parts = sum(counts[name] for name in STATUS)
        checks.append(Check("rows", {"plan": rated.plan.id}, counts["rows"], parts))
        whole = int(rated.outputs.premium_fen[moved.both].sum())
        checks.append(Check("both", {"plan": rated.plan.id}, totals[f"premium_{side}_fen"], whole, money=True))
        only = moved.lost if side == "before" else moved.gained
        alone = int(rated.outputs.premium_fen[only].sum())
        checks.append(Check("premium", {"plan": rated.plan.id}, rated.premium_fen, whole + alone, money=True))
        for name, frame in found.segments.items():
            said = {"plan": rated.plan.id, "column": name}
            checks.append(Check("segments", said, int(frame[f"premium_{side}_fen"].sum()), whole, money=True))
    moves = totals["cheaper"] + totals["dearer"] + totals["unchanged"]
    checks.append(Check("moves", {}, moves, totals["policies"]))
    for name, one in (("bands", moved), ("bands_free", found.free)):
        if one is not None:
            checks.append(Check(name, {}, int(one.bands()["policies"].sum()), one.totals["policies"]))
    for _, at in found.examples:
        for rated in (moved.before, moved.after):
            if rated.verdict.status[at] < REFUSED:
                exact, charged = rated.explain(at), int(rated.outputs.premium_fen[at])
                said = {"key": exact.key, "plan": rated.plan.id}
                checks.append(Check("exact", said, exact.premium_fen or 0, charged, money=True))
    return checks + _study_checks(found)


def _study_checks(found: Filing) -> list[Check]:
    """Return what the study said of this very book, against what the book is priced at; nothing for another book."""
    if found.study is None:
        return []
    record, moved = found.study.record, found.moved
    inputs, results = record["inputs"], record["results"]
    if not found.digest or found.digest not in (inputs.get("book"), inputs.get("renewals")):
        return []
    uncapped = moved if found.free is None else found.free  # the study's premium at current rates has no cap in force
    pairs = (("study_before", uncapped.before, "current_premium_fen"), ("study_after", moved.after, "premium_fen"))
    return [
        Check(name, {"plan": side.plan.id}, side.premium_fen, int(results[key]), money=True)
        for name, side, key in pairs
    ]
