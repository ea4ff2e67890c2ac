"""The registry: each method is found by its name in Python and on the command line; shipped plans by theirs."""

from __future__ import annotations

import pandas as pd
import pytest

import ratemod as rm
from ratemod.cli import build_parser, main
from ratemod.errors import ModelError
from ratemod.experience import ncci, rule_named, washington
from ratemod.experience.credibility import Method as PanelName
from ratemod.experience.methods import METHODS, PANELS, SCHEMES

FIRMS = "firm,expected_losses_yuan,expected_primary_losses_yuan\nA,90000,40000\n"
CLAIMS = "firm,claim_no,event_date,paid_yuan\nA,C1,2024-03-01,250000\n"


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_a_method_is_reached_by_every_door_that_it_names(method):
    assert method.functions and all(name in rm.experience.__all__ for name in method.functions)
    assert bool(method.panel) == (method.name in PANELS) and bool(method.scheme) == (method.name in SCHEMES)
    for said in method.commands:
        command, *words = said.split()
        more = ["--exposure", "firms.csv"] if command == "mods" else []
        assert build_parser("en").parse_args([command, "list.csv", *more, *words]) is not None


def test_the_names_of_the_argument_are_those_of_the_registry():
    assert PanelName.__args__ == tuple(PANELS)


def test_a_shipped_form_is_made_of_numbers_by_name():
    made = rule_named("ncci(split = 18500, average_cost_per_case=11.9)")
    direct = ncci(18_500.0, 11.9)
    assert (made.split, made.rounding, made.places) == (direct.split, direct.rounding, direct.places)
    assert made.most(9e5) == direct.most(9e5)
    assert (
        rule_named("washington(primary_credibility=0.5，excess_credibility=0.1)").primary_credibility
        == washington(0.5, 0.1).primary_credibility
    )


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ("ncci", "RM690", "average_cost_per_case"),
        ("ncci(split=18500)", "RM690", "average_cost_per_case"),
        ("ncci(splitt=18500, average_cost_per_case=11.9)", "RM690", "splitt"),
        ("ncci(split=much, average_cost_per_case=11.9)", "RM690", "much"),
        ("ncci(split=18500, split=17000, average_cost_per_case=11.9)", "RM690", "17000"),
        ("ncci(18500, 11.9)", "RM690", "18500"),
        ("illustrative(split=1)", "RM690", "split"),
        ("ncci(split=-1, average_cost_per_case=11.9)", "RM676", "split"),
        ("nccii(split=18500)", "RM603", "ncci"),
        ("my plan", "RM603", "illustrative"),
    ],
)
def test_what_a_form_lacks_is_said(said, code, told):
    with pytest.raises(ModelError) as caught:
        rule_named(said)
    assert caught.value.problems[0].code == code and told in caught.value.problems[0].line("en")


def test_the_command_line_takes_a_form_with_its_numbers(tmp_path, capsys):
    for name, held in (("firms.csv", FIRMS), ("claims.csv", CLAIMS)):
        (tmp_path / name).write_text(held, encoding="utf-8")
    rule = "ncci(split=18500, average_cost_per_case=11.9)"
    words = ["mods", str(tmp_path / "claims.csv"), "--exposure", str(tmp_path / "firms.csv"), "--rule", rule]
    assert main([*words, "--effective", "2026-01-01", "--lang", "en", "-o", str(tmp_path / "mods.csv")]) == 0
    frames = [pd.read_csv(tmp_path / name) for name in ("claims.csv", "firms.csv")]
    direct = rm.experience_mod(*frames, ncci(18_500.0, 11.9), effective="2026-01-01").frame()
    assert pd.read_csv(tmp_path / "mods.csv")["mod"].tolist() == direct["mod"].tolist()
    capsys.readouterr()
