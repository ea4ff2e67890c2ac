"""A whole fund year of the shipped province through the command line, reconciled from verb to verb to the fen."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ratemod.cli import main
from ratemod.errors import catalogue
from tests.fund.test_commands import PROVINCE

ROOT = Path(__file__).parents[2]
YEAR = 2025


SHEETS = {
    said["en"]: code.removeprefix("UI_fund_sheet_")
    for code, said in catalogue().items()
    if code.startswith("UI_fund_sheet_")
}


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """Run every verb once; return the sheets of what each wrote, and what it printed."""
    folder = tmp_path_factory.mktemp("year")
    found = {}
    for verb, words in {
        "levy": [],
        "duties": [],
        "evaluate": ["--permutations", "3", "--report", str(folder / "report.html")],
        "scorecard": [],
        "allocate": [],
        "subsidy": ["--budget", "200000"],
    }.items():
        out, said = folder / f"{verb}.xlsx", io.StringIO()
        with contextlib.redirect_stdout(said):
            assert main(["fund", verb, "--province", PROVINCE, "--out", str(out), "--lang", "en", *words]) == 0
        sheets = pd.read_excel(out, sheet_name=None, engine="calamine")
        found[verb] = {SHEETS.get(name, name): by_code(table) for name, table in sheets.items()}
        found[f"{verb}_said"] = said.getvalue()
    found["ledger"] = {}
    for name, words in {
        "journal": [],  # a hundred thousand lines are for programs; the rest is asked for in SQL
        "statement": ["--sql", "SELECT * FROM statement"],
        "flags": ["--sql", "SELECT * FROM flags"],
    }.items():
        out, said = folder / f"{name}.parquet", io.StringIO()
        with contextlib.redirect_stdout(said):
            assert main(["fund", "ledger", "--province", PROVINCE, "--out", str(out), "--lang", "en", *words]) == 0
        found["ledger"][name] = pq.read_table(out).to_pandas()
        found["ledger_said"] = found.get("ledger_said", said.getvalue())
    found["report"] = (folder / "report.html").read_text(encoding="utf-8")
    return found


def by_code(table: pd.DataFrame) -> pd.DataFrame:
    """Return a sheet whose insurers, which people read by name, are the codes of the province's list of them."""
    listed = pq.read_table(Path(PROVINCE) / "insurers.parquet").to_pandas().astype(str)
    if "Insurer" not in table:
        return table
    code = dict(zip(listed["name"], listed["insurer"]))
    assert set(table["Insurer"]) <= set(code), "a code where a name belongs"
    return table.assign(Insurer=table["Insurer"].map(code))


def by(table: pd.DataFrame, value: str, *keys: str) -> dict:
    """Return whole sums by group."""
    return table.groupby(list(keys) or ["Insurer"])[value].sum().astype("int64").to_dict()


def test_levy_is_accrual_is_the_ledger_the_insurers_kept(year):
    levy, journal = year["levy"]["levy"], year["ledger"]["journal"]
    fund = journal[(journal["account"] == "prevention_fund") & journal["kind"].isin(["accrual", "release"])]
    accrued = by(fund.assign(fen=fund["credit_fen"] - fund["debit_fen"]).astype({"insurer": str}), "fen", "insurer")
    kept = pq.read_table(Path(PROVINCE) / "ledger.parquet").to_pandas()
    kept["fen"] = kept["amount_fen"].where(kept["kind"] == "accrual", -kept["amount_fen"])
    theirs = by(kept[kept["kind"] != "payment"].astype({"insurer": str}), "fen", "insurer")
    assert by(levy, "Levy, fen") == accrued == theirs
    policy = fund.assign(fen=fund["credit_fen"] - fund["debit_fen"]).groupby("policy_no")["fen"].sum()
    own = levy.set_index("Policy number")["Levy, fen"]
    assert policy.reindex(own.index).fillna(0).eq(own).all()


def test_services_are_the_fund_used_are_the_payments_of_the_bank(year):
    state = year["ledger"]["statement"]
    now = state[state["fund_year"] == YEAR].set_index("insurer")
    kept = pq.read_table(Path(PROVINCE) / "ledger.parquet").to_pandas()
    paid = kept[(kept["kind"] == "payment") & (pd.to_datetime(kept["date"]).dt.year == YEAR)].astype({"insurer": str})
    services = pq.read_table(Path(PROVINCE) / "services.parquet").to_pandas().astype({"insurer": str})
    done = services[pd.to_datetime(services["delivered_date"]).dt.year == YEAR]
    evaluated = year["evaluate"]["by_insurer"]
    assert (
        by(evaluated, "Cost, fen")
        == now["used_fen"].to_dict()
        == now["paid_fen"].to_dict()
        == by(paid, "amount_fen", "insurer")
        == by(done, "cost_fen", "insurer")
    )
    assert by(evaluated, "Delivered") == done.groupby("insurer").size().to_dict()
    for name in ("by_provider", "by_sector", "by_service_type"):
        assert year["evaluate"][name]["Cost, fen"].sum() == now["used_fen"].sum()


def test_every_year_hands_on_what_it_has(year):
    state = year["ledger"]["statement"].sort_values(["insurer", "fund_year"])
    own = state["opening_fen"] + state["accrued_fen"] - state["released_fen"] - state["used_fen"]
    assert (own - state["forfeited_fen"] == state["closing_fen"]).all()
    for _, rows in state.groupby("insurer"):
        assert rows["opening_fen"].tolist() == [0, *rows["closing_fen"].tolist()[:-1]]
    entry = year["ledger"]["journal"].groupby("entry_no")[["debit_fen", "credit_fen"]].sum()
    assert (entry["debit_fen"] == entry["credit_fen"]).all()


def test_duties_are_the_same_wherever_they_are_told(year):
    rows, card = year["duties"]["duties"], year["scorecard"]["indicators"]
    for table, own in (
        (year["duties"]["statement"], rows),
        (year["evaluate"]["duties"], rows[pd.to_datetime(rows["Due"]).dt.year == YEAR]),
    ):
        assert table.set_index("Insurer")["Owed"].to_dict() == own.groupby("Insurer").size().to_dict()
        for state in ("met", "late", "missing"):
            told = table.set_index("Insurer")[state.capitalize()]
            assert told[told > 0].to_dict() == own[own["Status"] == state].groupby("Insurer").size().to_dict()
    due = rows[rows["Status"].isin(["met", "late", "missing"]) & (pd.to_datetime(rows["Due"]).dt.year <= YEAR)]
    scored = card[card["Indicator"] == "duty_met"]
    assert scored["Of"].sum() == len(due)
    assert scored["Count"].sum() == (due["Status"] == "met").sum()


def test_flags_are_the_same_wherever_they_are_told(year):
    flags, told = year["ledger"]["flags"], year["evaluate"]["flags"].set_index("Rule")["Flags"]
    of_the_year = flags[flags["fund_year"] == YEAR]  # what an evaluation tells is of its year
    assert of_the_year.groupby("rule").size().to_dict() == told[told > 0].to_dict()
    card = year["scorecard"]["indicators"]
    clean = card[card["Indicator"] == "clean_payments"]
    causes = {"budget": ["insurer", "fund_year"], "related": ["insurer", "fund_year", "provider"]}
    once = [  # what passes a budget, or goes to one related party, is one event a year
        rows.drop_duplicates(causes.get(str(check), ["payment_no"])) for check, rows in flags.groupby("check")
    ]
    assert clean["Of"].sum() - clean["Count"].sum() == pd.concat(once)["payment_no"].nunique()


def test_next_year_stays_within_its_levy_and_beats_money_by_premium(year):
    statement = year["allocate"]["statement"]
    assert (statement["Spent, fen"] <= statement["Budget, fen"]).all()
    assert by(year["allocate"]["visits"], "Cost, fen") == statement.set_index("Insurer")["Spent, fen"].to_dict()
    best, plain = (float(part) for part in re.findall(r"\d+\.\d+", line(year["allocate_said"])))
    assert best > 1.2 * plain
    granted = year["subsidy"]["subsidies"]["Granted, fen"].sum()
    assert granted <= 200_000 * 100


def line(said: str) -> str:
    """Return the line that compares with money by premium."""
    return next(one for one in said.splitlines() if one.startswith("Expected accidents"))


def test_the_report_tells_the_effect_and_that_nothing_is_real(year):
    said = year["evaluate_said"]
    assert "Synthetic data" in year["report"] and "illustrative" in year["report"]
    assert re.search(r"changed the rate of claims by -2\d% \(95 % interval -3\d% to -1\d%\)", said)
    for verb in ("levy", "duties", "ledger", "evaluate", "scorecard", "allocate", "subsidy"):
        assert re.search(r"\d+ sums", year[f"{verb}_said"]), verb
