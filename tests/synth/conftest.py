from __future__ import annotations

import pytest

from ratemod.synth.province import Province, synthesize


@pytest.fixture(scope="session")
def province() -> Province:
    """Large enough that planted parameters can be re-estimated, small enough to be drawn in seconds."""
    return synthesize(49_152, 5, seed=20_260_101)


@pytest.fixture(scope="session")
def small() -> Province:
    return synthesize(1500, 4, seed=3)
