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


# The longest files, to begin with: at the end one worker would wait for another that has one of them still before it.
LONGEST = (
    "docs/test_pages.py", "exhibits/test_live_workbook.py", "rating/test_fast_is_exact.py",
    "rating/test_cluster.py", "notebooks/test_notebooks.py", "exhibits/test_filing.py",
    "exhibits/test_second_opinion.py", "fund/test_fund_year.py", "registers/test_commands.py",
    "study/test_fit_command.py", "study/test_fit.py", "plan/test_level_files.py", "whatif/test_position.py",
    "whatif/test_equals_full_re_rate.py", "whatif/test_scenario_files.py", "registers/test_counterfactuals.py",
    "plans/test_schemes.py", "cli/test_every_command.py", "docs/test_readme.py", "fund/test_evaluation.py",
    "fund/test_commands.py", "rating/test_messy_list.py", "experience/test_compare_schemes.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay whole and in order but for the longest, which come first; `make test` hands them out so."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get("/".join(item.path.parts[-2:]), len(place)))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are tested as charts; drawn anew on pages tested for something else, they are most of the work."""
    picture = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">\n</svg>'
    monkeypatch.setattr("ratemod.charts.style.Chart._bytes", lambda *_: picture)
