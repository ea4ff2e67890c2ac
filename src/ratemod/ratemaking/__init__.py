"""From loss history to rates: exposure, on-level, trend, development, models, limits, selection."""
