"""Change any number: overlays, grids, solve, dislocation, attribution."""
