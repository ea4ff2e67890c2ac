"""Premiums for compulsory work-safety liability insurance: exact, explained, fast on whole provinces.

>>> import ratemod as rm
>>> plan = rm.load_plan("jilin-spli", at="2026-01-01")
>>> plan.standing
'example'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ratemod.version import VERSION

__version__ = VERSION

# Public name -> the module that defines it; loaded on first use, so that `import ratemod` costs nothing.
_WHERE = {
    "load_plan": "ratemod.plan.editions",
    "shipped": "ratemod.plan.editions",
    "Plan": "ratemod.plan.model",
    "differences": "ratemod.plan.edit",
    "check_plan": "ratemod.rating.cases",
    "read_book": "ratemod.rating.read",
    "load_project": "ratemod.reading.project",
    "rate": "ratemod.rating.rate",
    "Rated": "ratemod.rating.rated",
    "experience_mod": "ratemod.experience.mods",
    "compare": "ratemod.whatif.dislocation",
    "what_if": "ratemod.whatif.sweep",
    "solve": "ratemod.whatif.solve",
    "unknown": "ratemod.whatif.solve",
    "scenario": "ratemod.whatif.scenario",
    "attribute": "ratemod.whatif.attribution",
    "panel": "ratemod.whatif.panel",
    "live": "ratemod.whatif.live",
    "ladder": "ratemod.whatif.live",
    "rate_model": "ratemod.ratemaking.rate_model",
    "RateModel": "ratemod.ratemaking.rate_model",
    "with_models": "ratemod.study.models_into_plan",
    "fit": "ratemod.study.fit",
    "Study": "ratemod.study.fit",
    "Assumptions": "ratemod.study.assumptions",
    "rate_file": "ratemod.rating.stream",
    "rate_folder": "ratemod.rating.partitions",
    "verify": "ratemod.rating.manifest",
    "rate_batch": "ratemod.rating.cluster",
    "synthesize": "ratemod.synth.province",
    "Province": "ratemod.synth.province",
    "calibration": "ratemod.synth.calibration",
    "load_province": "ratemod.synth.province",
    "credibility": "ratemod.experience.credibility",
    "bonus_malus": "ratemod.experience.bonus_malus",
    "read_register": "ratemod.registers.register",
    "read_registers": "ratemod.registers.derive",
    "derive_columns": "ratemod.registers.derive",
    "authority_report": "ratemod.registers.authority_report",
    "coverage": "ratemod.registers.participation",
    "controllable_premium": "ratemod.registers.controllable",
    "premium_movement": "ratemod.registers.movement",
    "levy": "ratemod.fund.levy",
    "allocate": "ratemod.fund.allocate",
    "duties": "ratemod.fund.duties",
    "subsidise": "ratemod.fund.subsidy",
    "fund_ledger": "ratemod.fund.ledger",
    "disclosure": "ratemod.publication.disclosure",
    "evaluate_services": "ratemod.fund.evaluation",
    "scorecard": "ratemod.fund.scorecard",
    "Problem": "ratemod.errors",
    "RatemodError": "ratemod.errors",
    "PlanError": "ratemod.errors",
    "BookError": "ratemod.errors",
    "ModelError": "ratemod.errors",
}

# Packages whose faces list every further public name: `rm.ratemaking.mack`.
_FACES = ("experience", "fund", "ratemaking", "registers")

__all__ = [*_WHERE, *_FACES, "__version__"]

if TYPE_CHECKING:
    from ratemod import experience as experience
    from ratemod import fund as fund
    from ratemod import ratemaking as ratemaking
    from ratemod import registers as registers
    from ratemod.errors import BookError as BookError
    from ratemod.errors import ModelError as ModelError
    from ratemod.errors import PlanError as PlanError
    from ratemod.errors import Problem as Problem
    from ratemod.errors import RatemodError as RatemodError
    from ratemod.experience.bonus_malus import bonus_malus as bonus_malus
    from ratemod.experience.credibility import credibility as credibility
    from ratemod.experience.mods import experience_mod as experience_mod
    from ratemod.fund.allocate import allocate as allocate
    from ratemod.fund.duties import duties as duties
    from ratemod.fund.evaluation import evaluate_services as evaluate_services
    from ratemod.fund.ledger import fund_ledger as fund_ledger
    from ratemod.fund.levy import levy as levy
    from ratemod.fund.scorecard import scorecard as scorecard
    from ratemod.fund.subsidy import subsidise as subsidise
    from ratemod.plan.edit import differences as differences
    from ratemod.plan.editions import load_plan as load_plan
    from ratemod.plan.editions import shipped as shipped
    from ratemod.plan.model import Plan as Plan
    from ratemod.publication.disclosure import disclosure as disclosure
    from ratemod.ratemaking.rate_model import RateModel as RateModel
    from ratemod.ratemaking.rate_model import rate_model as rate_model
    from ratemod.rating.cases import check_plan as check_plan
    from ratemod.rating.cluster import rate_batch as rate_batch
    from ratemod.rating.manifest import verify as verify
    from ratemod.rating.partitions import rate_folder as rate_folder
    from ratemod.rating.rate import rate as rate
    from ratemod.rating.rated import Rated as Rated
    from ratemod.rating.read import read_book as read_book
    from ratemod.rating.stream import rate_file as rate_file
    from ratemod.reading.project import load_project as load_project
    from ratemod.registers.authority_report import authority_report as authority_report
    from ratemod.registers.controllable import controllable_premium as controllable_premium
    from ratemod.registers.derive import derive_columns as derive_columns
    from ratemod.registers.derive import read_registers as read_registers
    from ratemod.registers.movement import premium_movement as premium_movement
    from ratemod.registers.participation import coverage as coverage
    from ratemod.registers.register import read_register as read_register
    from ratemod.study.assumptions import Assumptions as Assumptions
    from ratemod.study.fit import Study as Study
    from ratemod.study.fit import fit as fit
    from ratemod.study.models_into_plan import with_models as with_models
    from ratemod.synth.province import Province as Province
    from ratemod.synth.province import synthesize as synthesize
    from ratemod.whatif.attribution import attribute as attribute
    from ratemod.whatif.dislocation import compare as compare
    from ratemod.whatif.live import ladder as ladder
    from ratemod.whatif.live import live as live
    from ratemod.whatif.panel import panel as panel
    from ratemod.whatif.scenario import scenario as scenario
    from ratemod.whatif.solve import solve as solve
    from ratemod.whatif.solve import unknown as unknown
    from ratemod.whatif.sweep import what_if as what_if


def __getattr__(name: str) -> Any:
    if name in _FACES:
        return import_module(f"ratemod.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'ratemod' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
