"""From loss history to rates: exposure, on-level, trend, development, models, limits, selection."""

from ratemod.face import show

show(__name__)
