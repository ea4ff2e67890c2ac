"""The experience methods: one table that `rm.credibility`, `compare_schemes`, the command line and the docs ask.

A method may estimate a panel of firms and periods, learn a scheme of modifications from a history, modify firms by a
rule that is given, or all of it. A new one is a function in a module of its own and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ratemod.experience.firm_years import FirmYears
from ratemod.experience.panel_methods import (
    Parts,
    by_buhlmann,
    by_buhlmann_straub,
    by_buhlmann_straub_iterative,
    by_hachemeister,
    by_hierarchy,
    by_hierarchy_iterative,
    by_hierarchy_ohlsson,
    by_limited_fluctuation,
    by_poisson_gamma,
    by_semiparametric_poisson,
)
from ratemod.experience.scheme_fits import (
    FittedScheme,
    fit_age_weights,
    fit_bands,
    fit_bonus_malus,
    fit_buhlmann_straub,
    fit_merit,
    fit_poisson_gamma,
    fit_split,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One experience method.

    Attributes
    ----------
    name : as in every call and on the command line
    panel : gives the parts of every firm of a panel; None where it is no credibility of a panel
    scheme : learns modifications from a past and the year after it; None where it is no scheme
    needs_levels, counts : whether the panel has levels above the firms, and whether its values are counts
    options : arguments of `panel` beside the panel
    functions : public names of `rm.experience` that do its work, the first the one to begin with
    rules : whether it rates by a rule that is given, as in `rm.experience_mod`
    """

    name: str
    panel: Callable[..., Parts] | None = None
    scheme: Callable[[FirmYears, FirmYears], FittedScheme] | None = None
    needs_levels: bool = False
    counts: bool = False
    options: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    rules: bool = False

    @property
    def commands(self) -> tuple[str, ...]:
        """Return the command lines that reach it."""
        doors = ((self.panel, f"credibility --method {self.name}"), (self.rules, "mods --rule RULE"),
                 (self.scheme, "mods --judge"))  # fmt: skip
        return tuple(words for there, words in doors if there)


METHODS: tuple[Method, ...] = (
    Method(name="limited_fluctuation", panel=by_limited_fluctuation,
           options=("full", "probability", "within", "variation", "variance_to_mean"),
           functions=("partial_credibility", "base_standard", "standard_pure_premium")),
    Method(name="buhlmann", panel=by_buhlmann, functions=("buhlmann",)),
    Method(name="merit", scheme=fit_merit, functions=("accident_factor", "claim_free_years", "japan_rate")),
    Method(name="loss_ratio_bands", scheme=fit_bands, functions=("Bands",)),
    Method(name="float", functions=("float_path", "work_injury_floor")),
    Method(name="bonus_malus", scheme=fit_bonus_malus, functions=("bonus_malus", "evolve", "optimal_relativities")),
    Method(name="split", scheme=fit_split, functions=("split_mod", "split_claims", "rule_named"), rules=True),
    Method(name="buhlmann_straub", panel=by_buhlmann_straub, scheme=fit_buhlmann_straub,
           functions=("buhlmann_straub", "buhlmann_straub_flat", "with_parameters")),
    Method(name="buhlmann_straub_iterative", panel=by_buhlmann_straub_iterative, functions=("buhlmann_straub",)),
    Method(name="hierarchical", panel=by_hierarchy, needs_levels=True, functions=("hierarchical",)),
    Method(name="hierarchical_ohlsson", panel=by_hierarchy_ohlsson, needs_levels=True, functions=("hierarchical",)),
    Method(name="hierarchical_iterative", panel=by_hierarchy_iterative, needs_levels=True,
           functions=("hierarchical",)),
    Method(name="hachemeister", panel=by_hachemeister, functions=("hachemeister", "premium_at")),
    Method(name="poisson_gamma", panel=by_poisson_gamma, scheme=fit_poisson_gamma, counts=True,
           functions=("posterior_mean", "shape_by_likelihood", "predictive_chances")),
    Method(name="semiparametric_poisson", panel=by_semiparametric_poisson, counts=True,
           functions=("semiparametric_poisson",)),
    Method(name="age_weights", scheme=fit_age_weights,
           functions=("age_weighted_modification", "estimate_age_weights")),
)  # fmt: skip
SCHEMES = {one.name: one.scheme for one in METHODS if one.scheme is not None}
PANELS = {one.name: one for one in METHODS if one.panel is not None}
