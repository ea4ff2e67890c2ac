"""Published schemes and peers' examples, encoded by the documented format alone, to the last printed digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratemod.rating.cases import check_plan

SCHEMES = sorted(path.parent for path in (Path(__file__).parent / "schemes").glob("*/*/plan.toml"))


@pytest.mark.parametrize("folder", SCHEMES, ids=lambda folder: folder.parent.name)
def test_a_scheme_gives_the_printed_figures(folder):
    report = check_plan(folder)
    assert report.problems == ()
    assert report.passed >= 2
    assert {item.code for item in report.warnings} <= {"RM163"}
