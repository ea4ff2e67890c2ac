"""Properties are not timed: a deadline would assert wall time, and a busy machine would fail a sound program.

The suite draws the same examples every time; ``make fuzz`` draws others (`HYPOTHESIS_PROFILE=fuzz`), for as long as one
lets it.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("ratemod", deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ratemod"))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are tested as charts; drawn anew on pages tested for something else, they are most of the work."""
    picture = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">\n</svg>'
    monkeypatch.setattr("ratemod.charts.style.Chart._bytes", lambda *_: picture)
