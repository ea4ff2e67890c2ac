"""JSON from a file that a user names: ordinary, bounded and of bounded depth, as every file of rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ratemod.errors import PlanError, problem
from ratemod.rules.opened import opened
from ratemod.rules.read import MOST_DEPTH


def read_json(path: str | Path, shown: str = "") -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    PlanError
        RM017 to RM022 as `opened`; RM030 it is no JSON; RM024 its brackets stand one in another without end.
    """
    shown = shown or str(path)
    try:
        return json.loads(opened(Path(path), shown))
    except ValueError as error:
        raise PlanError(problem("RM030", file=shown, why=str(error))) from None
    except RecursionError:
        raise PlanError(problem("RM024", file=shown, most=MOST_DEPTH)) from None
