"""The study behind an edition, read back from its folder and held against the edition before it is quoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.errors import ModelError, PlanError, Problem, problem
from ratemod.plan.edit import numbers
from ratemod.plan.model import Plan, plain
from ratemod.rules.json_file import read_json

if TYPE_CHECKING:
    import pandas as pd

RECORD = Path("study") / "record.json"
FRAMES = (
    "indication", "summary", "trends", "years", "relativities", "actual_expected", "selections", "merges", "refused",
)  # fmt: skip
OPTIONAL = (
    "triangle_counts", "triangle_incurred", "development", "mack", "tests", "lift", "lorenz", "gini", "severity",
    "accounts", "uncertainty", "held_out", "warnings", "recovery",
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class KeptStudy:
    """A study as it was kept.

    Attributes
    ----------
    record : mapping
        Inputs by digest, assumptions, judgements, results: ``study/record.json``.
    frames : name -> pandas.DataFrame
    axes : factors whose relativities the edition uses
    plan : Plan
        The plan that was studied.
    """

    record: Mapping[str, Any]
    frames: Mapping[str, pd.DataFrame]
    axes: tuple[str, ...]
    plan: Plan

    @property
    def is_synthetic(self) -> bool:
        """Whether the history was drawn from known parameters."""
        return bool(self.record["synthetic"])


def study_beside(plan: Plan) -> Path | None:
    """Return the folder of the study that a plan's folder lies in, or None."""
    folder = Path(plan.folder).parent.parent if plan.folder else None
    return folder if folder is not None and (folder / RECORD).is_file() else None


def read_study(folder: str | Path, new: Plan, current: Plan) -> KeptStudy:
    """Return the study of an edition.

    Parameters
    ----------
    folder : of the study, as `ratemod fit` writes it
    new, current : Plan

    Raises
    ------
    ModelError
        RM872 a file that is missing or cannot be read; RM873 the study started from another plan than `current`;
        RM874 a number of the edition is not the one that the study selected, all of them at once.
    """
    root = Path(folder)
    try:
        record = read_json(root / RECORD)
        cells = {cell["path"]: cell["selected"] for cell in record["results"]["cells"]}
        started, frames = str(record["plan"]), _frames(root / RECORD.parent)
    except (PlanError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(problem("RM872", folder=str(folder), why=str(error))) from None
    wrong: list[Problem] = []
    if started != current.id:
        wrong.append(problem("RM873", folder=str(folder), started=started, current=current.id))
    held = numbers(new)
    for path, selected in cells.items():
        said = _normal(selected)
        if held.get(path) != said:
            wrong.append(problem("RM874", path=path, selected=said, found=held.get(path, "-")))
    if wrong:
        raise ModelError(wrong)
    tables = {path.removeprefix("tables.").partition("[")[0] for path in cells}
    axes = [axis.name for name in current.tables if name in tables for axis in current.tables[name].axes]
    return KeptStudy(record, frames, tuple(dict.fromkeys(axes)), current)


def _frames(folder: Path) -> dict[str, pd.DataFrame]:
    import pandas as pd

    names = [*FRAMES, *(name for name in OPTIONAL if (folder / f"{name}.csv").is_file())]
    read = {"keep_default_na": False, "na_values": [""]}
    return {name: pd.read_csv(folder / f"{name}.csv", **read) for name in names}  # type: ignore[call-overload]


def _normal(number: str) -> str:
    from decimal import Decimal

    return str(plain(Decimal(number)))
