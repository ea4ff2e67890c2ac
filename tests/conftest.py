"""Properties are not timed: a deadline would assert wall time, and a busy machine would fail a sound program.

The suite draws the same examples every time; ``make fuzz`` draws others (`HYPOTHESIS_PROFILE=fuzz`), for as long as one
lets it.
"""

import os

from hypothesis import settings

settings.register_profile("ratemod", deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ratemod"))
