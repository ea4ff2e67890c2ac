from __future__ import annotations

import dataclasses

from ratemod.synth.calibration import calibration
from ratemod.synth.province import Province, synthesize
from ratemod.synth.truth import Truth


def test_the_province_agrees_with_what_was_published(province: Province) -> None:
    report = calibration(province)
    assert report.holds, report.text()
    verdicts = report.frame().set_index("name")["verdict"]
    assert (verdicts == "holds").sum() >= 10
    assert (verdicts.loc[["RM934", "RM936", "RM937", "RM938", "RM939"]] == "holds").all()
    assert report.frame()["source"].str.len().min() > 10


def test_a_wrong_level_is_seen() -> None:
    truth = Truth()
    double = tuple(2 * rate for rate in truth.frequency.claims_per_1000_heads)
    wrong = dataclasses.replace(truth, frequency=dataclasses.replace(truth.frequency, claims_per_1000_heads=double))
    report = calibration(synthesize(4000, 3, seed=1, planted=wrong))
    assert not report.holds
    off = {figure.name for figure in report.figures if figure.verdict == "off"}
    assert off == {"RM935", "RM936"}, "premium follows the planted level, so the loss ratio still holds"


def test_a_tiny_province_is_too_thin_to_tell(small: Province) -> None:
    figures = {figure.name: figure.verdict for figure in calibration(small).figures}
    assert figures["RM941"] == "thin"
    assert figures["RM944"] == figures["RM945"] == figures["RM946"] == "holds"


def test_the_report_reads_in_both_languages(small: Province) -> None:
    report = calibration(small)
    assert "claims per 1,000 head-years" in report.text("en")
    assert "每千人年赔案数" in report.text("zh")
