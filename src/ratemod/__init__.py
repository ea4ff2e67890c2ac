"""Premiums for compulsory work-safety liability insurance: exact, explained, fast on whole provinces.

>>> import ratemod as rm
>>> plan = rm.load_plan("jilin-spli", at="2026-01-01")
>>> plan.standing
'example'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> the module that defines it; loaded on first use, so that `import ratemod` costs nothing.
_WHERE = {
    "load_plan": "ratemod.plan.editions",
    "shipped": "ratemod.plan.editions",
    "Plan": "ratemod.plan.model",
    "differences": "ratemod.plan.edit",
    "check_plan": "ratemod.rating.cases",
    "read_book": "ratemod.rating.read",
    "rate": "ratemod.rating.rate",
    "Rated": "ratemod.rating.rated",
    "rate_file": "ratemod.rating.stream",
    "rate_folder": "ratemod.rating.partitions",
    "verify": "ratemod.rating.manifest",
    "rate_batch": "ratemod.rating.cluster",
    "synthesize": "ratemod.synth.province",
    "Province": "ratemod.synth.province",
    "calibration": "ratemod.synth.calibration",
    "load_province": "ratemod.synth.province",
    "Problem": "ratemod.errors",
    "RatemodError": "ratemod.errors",
    "PlanError": "ratemod.errors",
    "BookError": "ratemod.errors",
    "ModelError": "ratemod.errors",
}

__all__ = [*_WHERE, "__version__"]

if TYPE_CHECKING:
    from ratemod.errors import BookError as BookError
    from ratemod.errors import ModelError as ModelError
    from ratemod.errors import PlanError as PlanError
    from ratemod.errors import Problem as Problem
    from ratemod.errors import RatemodError as RatemodError
    from ratemod.plan.edit import differences as differences
    from ratemod.plan.editions import load_plan as load_plan
    from ratemod.plan.editions import shipped as shipped
    from ratemod.plan.model import Plan as Plan
    from ratemod.rating.cases import check_plan as check_plan
    from ratemod.rating.cluster import rate_batch as rate_batch
    from ratemod.rating.manifest import verify as verify
    from ratemod.rating.partitions import rate_folder as rate_folder
    from ratemod.rating.rate import rate as rate
    from ratemod.rating.rated import Rated as Rated
    from ratemod.rating.read import read_book as read_book
    from ratemod.rating.stream import rate_file as rate_file
    from ratemod.synth.province import Province as Province
    from ratemod.synth.province import synthesize as synthesize


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ratemod' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
