"""Properties are not timed: a deadline would assert wall time, and a busy machine would fail a sound program."""

from hypothesis import settings

settings.register_profile("ratemod", deadline=None)
settings.load_profile("ratemod")
