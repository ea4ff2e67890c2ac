"""The charts that practitioners expect, under one roof; every one returns a `Chart`.

>>> from ratemod.exhibits import charts
>>> chart = charts.waterfall(["Base premium", "Hazards"], [29400, 35280])
>>> chart.frame["change_yuan"].tolist()
[29400.0, 5880.0]
"""

from __future__ import annotations

from ratemod.exhibits.chart_style import PALETTE as PALETTE
from ratemod.exhibits.chart_style import Chart as Chart
from ratemod.exhibits.charts_development import development_curves as development_curves
from ratemod.exhibits.charts_development import triangle_heat_map as triangle_heat_map
from ratemod.exhibits.charts_model import actual_expected as actual_expected
from ratemod.exhibits.charts_model import lift as lift
from ratemod.exhibits.charts_model import lorenz as lorenz
from ratemod.exhibits.charts_model import quintiles as quintiles
from ratemod.exhibits.charts_model import relativities as relativities
from ratemod.exhibits.charts_model import severity_fit as severity_fit
from ratemod.exhibits.charts_money import dislocation as dislocation
from ratemod.exhibits.charts_money import fund_flow as fund_flow
from ratemod.exhibits.charts_money import waterfall as waterfall
from ratemod.exhibits.charts_tiles import division_tiles as division_tiles
