"""The experience methods: one table that `rm.credibility`, `compare_schemes`, the command line and the docs ask.

A method may estimate a panel of firms and periods, learn a scheme of modifications from a history, or both. A new one
is a function in a module of its own and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ratemod.errors import ModelError, nearest, problem
from ratemod.experience.firm_years import FirmYears
from ratemod.experience.panel_methods import (
    Parts,
    by_buhlmann,
    by_buhlmann_straub,
    by_buhlmann_straub_iterative,
    by_hachemeister,
    by_hierarchy,
    by_limited_fluctuation,
    by_poisson_gamma,
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
    """

    name: str
    panel: Callable[..., Parts] | None = None
    scheme: Callable[[FirmYears, FirmYears], FittedScheme] | None = None
    needs_levels: bool = False
    counts: bool = False
    options: tuple[str, ...] = ()


METHODS: tuple[Method, ...] = (
    Method(name="limited_fluctuation", panel=by_limited_fluctuation,
           options=("full", "probability", "within", "variation", "variance_to_mean")),
    Method(name="buhlmann", panel=by_buhlmann),
    Method(name="merit", scheme=fit_merit),
    Method(name="loss_ratio_bands", scheme=fit_bands),
    Method(name="bonus_malus", scheme=fit_bonus_malus),
    Method(name="split", scheme=fit_split),
    Method(name="buhlmann_straub", panel=by_buhlmann_straub, scheme=fit_buhlmann_straub),
    Method(name="buhlmann_straub_iterative", panel=by_buhlmann_straub_iterative),
    Method(name="hierarchical", panel=by_hierarchy, needs_levels=True),
    Method(name="hachemeister", panel=by_hachemeister),
    Method(name="poisson_gamma", panel=by_poisson_gamma, scheme=fit_poisson_gamma, counts=True),
    Method(name="age_weights", scheme=fit_age_weights),
)  # fmt: skip
SCHEMES = {one.name: one.scheme for one in METHODS if one.scheme is not None}
PANELS = tuple(one.name for one in METHODS if one.panel is not None)


def panel_method(name: str) -> Method:
    """Return a method that estimates a panel.

    Raises
    ------
    ModelError
        RM648 no method of a panel has this name.
    """
    found = next((one for one in METHODS if one.name == name and one.panel is not None), None)
    if found is None:
        known = nearest(name, PANELS) or ", ".join(PANELS)
        raise ModelError(problem("RM648", name="method", value=name, known=known))
    return found
