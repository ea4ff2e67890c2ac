"""The charts that practitioners expect, under one roof; every one returns a `Chart`.

>>> from ratemod import charts
>>> chart = charts.waterfall(["Base premium", "Hazards"], [29400, 35280])
>>> chart.frame["change_yuan"].tolist()
[29400.0, 5880.0]
"""

from __future__ import annotations

from ratemod.charts.development import development_curves as development_curves
from ratemod.charts.development import triangle_heat_map as triangle_heat_map
from ratemod.charts.model import actual_expected as actual_expected
from ratemod.charts.model import lift as lift
from ratemod.charts.model import lorenz as lorenz
from ratemod.charts.model import quintiles as quintiles
from ratemod.charts.model import relativities as relativities
from ratemod.charts.model import severity_fit as severity_fit
from ratemod.charts.money import dislocation as dislocation
from ratemod.charts.money import fund_flow as fund_flow
from ratemod.charts.money import waterfall as waterfall
from ratemod.charts.style import PALETTE as PALETTE
from ratemod.charts.style import Chart as Chart
from ratemod.charts.tiles import division_tiles as division_tiles
