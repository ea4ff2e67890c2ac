"""The tables hang together, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import BookError, ModelError
from ratemod.synth import hazards, levels, write
from ratemod.synth.calendar import NO_DATE
from ratemod.synth.enterprises import Window
from ratemod.synth.province import BY_BLOCK, TABLES, Province, load_province, synthesize
from ratemod.synth.stream import BLOCK
from ratemod.vocabulary.codes import credit_code, division, industry, size_class


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def frames(small: Province) -> dict[str, pd.DataFrame]:
    return {name: small.table(name).to_pandas() for name in TABLES}


def test_same_seed_same_bytes_whatever_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "ROW_GROUP", 3000)  # several row groups, cut inside blocks
    many = 2 * BLOCK + 100
    for batch in (1, BLOCK, 3 * BLOCK):
        synthesize(many, 2, seed=9, out=tmp_path / str(batch), batch=batch, mess=40)
    first, second, third = (digests(tmp_path / str(batch)) for batch in (1, BLOCK, 3 * BLOCK))
    assert first == second == third
    assert len(first) == len(TABLES) + 2
    assert digests(_made(tmp_path / "other", 10))["policies.parquet"] != first["policies.parquet"]


def _made(folder: Path, seed: int) -> Path:
    synthesize(200, 2, seed=seed, out=folder)
    return folder


def test_memory_and_file_hold_the_same(tmp_path: Path) -> None:
    held = synthesize(300, 3, seed=4)
    synthesize(300, 3, seed=4, out=tmp_path)
    stored = load_province(tmp_path)
    for name in TABLES:
        assert stored.table(name).to_pylist() == held.table(name).to_pylist(), name


def test_csv_holds_the_same(tmp_path: Path) -> None:
    held = synthesize(60, 3, seed=4)
    synthesize(60, 3, seed=4, out=tmp_path, format="csv")
    stored = load_province(tmp_path)
    for name in TABLES:
        a, b = held.table(name).to_pandas().astype(str), stored.table(name).to_pandas().astype(str)
        pd.testing.assert_frame_equal(
            a.replace({"None": "", "nan": "", "<NA>": ""}),
            b.replace({"None": "", "nan": "", "<NA>": ""}),
            check_dtype=False,
        )


def test_a_small_province_begins_a_larger_one() -> None:
    few, more = synthesize(70, 3, seed=5), synthesize(BLOCK + 5, 3, seed=5)
    for name in BY_BLOCK:
        a = few.table(name).to_pylist()
        assert more.table(name).slice(0, len(a)).to_pylist() == a, name


@pytest.mark.parametrize("seed", [0, 1])
def test_a_block_without_claims_has_the_same_columns(seed: int, small: Province) -> None:
    few = synthesize(1, 1, seed=seed)
    for name in BY_BLOCK:
        assert few.table(name).schema == small.table(name).schema, name


def test_keys_are_unique_and_known(frames: dict[str, pd.DataFrame]) -> None:
    for name, key in (
        ("enterprises", "credit_code"),
        ("policies", "policy_no"),
        ("claims", "claim_no"),
        ("hazards", "hazard_id"),
        ("certificates", "certificate_no"),
        ("services", "service_no"),
        ("ledger", "entry_no"),
        ("renewals", "policy_no"),
        ("truth_claims", "claim_no"),
    ):
        assert frames[name][key].is_unique, name
    firms, policies = set(frames["enterprises"]["credit_code"]), set(frames["policies"]["policy_no"])
    assert len(firms) == 1500
    for name, frame in frames.items():
        if "credit_code" in frame:
            assert set(frame["credit_code"]) <= firms, name
    for name in ("claims", "services", "ledger", "endorsements", "coinsurance", "panel"):
        assert set(frames[name]["policy_no"]) <= policies, name
    assert set(frames["claims"]["claim_no"]) <= set(frames["truth_claims"]["claim_no"])
    assert set(frames["ledger"]["service_no"].dropna()) <= set(frames["services"]["service_no"])


def test_credit_codes_are_valid_and_hit_no_real_unit(frames: dict[str, pd.DataFrame]) -> None:
    codes = frames["enterprises"]["credit_code"].to_numpy(str)
    assert np.asarray(credit_code.is_valid(codes)).all()
    assert {code[2:8] for code in codes} == {"000000"}


def test_size_class_follows_the_official_rule(frames: dict[str, pd.DataFrame]) -> None:
    firms = frames["policies"]
    found = size_class.size_class(
        firms["industry_code"].to_numpy(str),
        firms["staff"].to_numpy(),
        firms["revenue_yuan"].to_numpy(),
        firms["assets_yuan"].to_numpy(),
    )
    assert (np.array(levels.SIZES)[found] == firms["size_class"].to_numpy(str)).all()
    assert "2672" not in set(firms["industry_code"])
    sector = industry.sector_of(firms["industry_code"].to_numpy(str))
    seller = firms["sector"] == "fireworks"
    assert (np.array(levels.SECTORS)[sector[~seller]] == firms["sector"][~seller].to_numpy(str)).all()
    assert set(firms.loc[seller, "industry_code"]) == {"52"}


def test_divisions_are_those_of_jilin(frames: dict[str, pd.DataFrame]) -> None:
    assert set(frames["enterprises"]["division_code"]) == set(levels.DIVISIONS) <= set(division.division_names())


def test_large_enterprises_have_better_certificates(province: Province) -> None:
    terms = province.table("truth_terms", ["size_class", "standardisation"]).to_pandas()
    good = terms["standardisation"].isin(["level_1", "level_2"]).groupby(terms["size_class"], observed=True).mean()
    assert good["micro"] < good["small"] < good["medium"] < good["large"]


def test_policies_run_a_year_and_cancel_only_on_closing(frames: dict[str, pd.DataFrame]) -> None:
    policies, firms = frames["policies"], frames["enterprises"].set_index("credit_code")
    start, end = (policies[name].astype("M8[ns]") for name in ("start_date", "end_date"))
    assert set((end - start).dt.days) <= {365, 366}
    assert (start.dt.strftime("%m-%d") == end.dt.strftime("%m-%d")).all()
    ended = policies[policies["cancelled_date"].notna()]
    assert len(ended) and (ended["cancel_reason"] == "enterprise_closed").all()
    closed = firms.loc[ended["credit_code"], "closed_date"].to_numpy()
    assert (ended["cancelled_date"].to_numpy() >= closed).all()
    following = policies.sort_values(["credit_code", "start_date"])
    again = following["credit_code"].eq(following["credit_code"].shift())
    assert (following["start_date"].eq(following["end_date"].shift()) == again).all(), "no gap between renewals"
    assert ((following["business"] == "renewal") == again).all()
    assert (policies["heads"] <= policies["staff"]).all()
    assert (policies["heads"] < policies["staff"]).any(), "some insure too few"


def test_claims_lie_in_cover_and_are_reported_in_time(frames: dict[str, pd.DataFrame]) -> None:
    claims = frames["claims"].merge(frames["policies"], on="policy_no", suffixes=("", "_p"))
    last = claims["cancelled_date"].fillna(claims["end_date"])
    assert ((claims["start_date"] <= claims["event_date"]) & (claims["event_date"] < last)).all()
    assert (claims["event_date"] <= claims["report_date"]).all()
    settled = claims["settlement_date"].notna()
    assert (claims.loc[settled, "report_date"] < claims.loc[settled, "settlement_date"]).all()
    assert ((claims["status"] == "closed") == settled).all()
    assert (claims.loc[settled, "case_reserve_fen"] == 0).all()
    assert (claims["deaths"] <= claims["heads"]).all()
    assert claims["report_date"].astype(str).max() <= "2024-12-31"
    assert len(frames["truth_claims"]) > len(claims), "some claims are not reported yet"


def test_payments_valuations_and_truth_add_up(frames: dict[str, pd.DataFrame]) -> None:
    claims, paid = frames["claims"].set_index("claim_no"), frames["payments"]
    assert (paid["amount_fen"] > 0).all()
    total = paid.groupby("claim_no")["amount_fen"].sum().reindex(claims.index, fill_value=0)
    assert (total == claims["paid_fen"]).all()
    valued = frames["valuations"]
    last = valued.groupby("claim_no").tail(1).set_index("claim_no").reindex(claims.index)
    assert (last["paid_fen"] == claims["paid_fen"]).all()
    assert (last["case_reserve_fen"] == claims["case_reserve_fen"]).all()
    assert set(valued["valuation_date"].astype(str)) == {f"{year}-12-31" for year in (2021, 2022, 2023, 2024)}
    for day, group in valued.groupby("valuation_date"):
        known = paid[paid["payment_date"] <= day].groupby("claim_no")["amount_fen"].sum()
        assert (known.reindex(group["claim_no"], fill_value=0).to_numpy() == group["paid_fen"].to_numpy()).all()
    truth = frames["truth_claims"].set_index("claim_no")["loss_fen"]
    closed = claims["status"] == "closed"
    assert (claims.loc[closed, "paid_fen"] == truth.reindex(claims.index[closed])).all()
    by_policy = frames["truth_terms"][["claims", "loss_fen", "catastrophe_loss_fen"]].sum()
    assert by_policy["loss_fen"] + by_policy["catastrophe_loss_fen"] == truth.sum()


def test_ledger_follows_premiums_and_services(frames: dict[str, pd.DataFrame]) -> None:
    ledger, policies = frames["ledger"], frames["policies"].set_index("policy_no")
    first = ledger[ledger["kind"] == "accrual"].groupby("policy_no")["amount_fen"].first()
    premium = policies["premium_fen"].reindex(first.index)
    assert (first == (premium * 15 + 50) // 100).all()
    assert set(ledger["policy_no"]) >= set(policies.index)
    services = frames["services"].set_index("service_no")
    payments = ledger[ledger["kind"] == "payment"].set_index("service_no")["amount_fen"]
    done = services["cost_fen"].dropna()
    assert set(payments.index) == set(done.index)
    assert (payments.reindex(done.index) == done).all()
    accounts = ledger[["debit_account", "credit_account"]].astype(str).agg(">".join, axis=1)
    assert set(accounts) == {
        "prevention_expense>prevention_fund",
        "prevention_fund>prevention_expense",
        "prevention_fund>bank",
    }


def test_coinsurance_shares_add_up(frames: dict[str, pd.DataFrame]) -> None:
    shares, policies = frames["coinsurance"], frames["policies"]
    groups = shares.groupby("policy_no")
    assert (groups["share_percent"].sum() == 100).all()
    assert (groups["leader"].apply(lambda flags: (flags == "yes").sum()) == 1).all()
    assert (groups["insurer"].nunique() == groups.size()).all()
    assert set(shares["policy_no"]) == set(policies.loc[policies["coinsured"] == "yes", "policy_no"])


def test_a_late_insurer_develops_more(province: Province) -> None:
    valued = province.table("valuations").to_pandas()
    valued["incurred"] = valued["paid_fen"] + valued["case_reserve_fen"]
    event = province.table("claims", ["claim_no", "event_date", "insurer"]).to_pandas()
    both = valued.merge(event, on="claim_no")
    both["age"] = both["valuation_date"].astype(str).str[:4].astype(int) - both["event_date"].astype(str).str[
        :4
    ].astype(int)
    both["late"] = both["insurer"] == "redpine"
    old = both["event_date"].astype(str) < "2024"
    total = both[old].pivot_table(index="late", columns="age", values="incurred", aggfunc="sum")
    factor = total[1] / total[0]
    assert factor[True] > 1.15 * factor[False]


def test_renewals_follow_from_the_registers(frames: dict[str, pd.DataFrame]) -> None:
    renewals = frames["renewals"].set_index("credit_code")
    claims, hazard = frames["claims"], frames["hazards"]
    assert set(renewals["start_date"].astype(str).str[:4]) == {"2025"}
    start = renewals["start_date"]
    held = frames["certificates"]
    held = held.merge(start.rename("start"), left_on="credit_code", right_index=True)
    valid = (held["issue_date"] <= held["start"]) & (held["start"] < held["expiry_date"])
    valid &= held["withdrawn_date"].isna() | (held["withdrawn_date"] > held["start"])
    level = held[valid].set_index("credit_code")["standardisation"].astype(str)
    assert level.index.is_unique
    assert (level.reindex(renewals.index, fill_value="none") == renewals["standardisation"].astype(str)).all()
    grades = frames["integrity"].merge(start.rename("start"), left_on="credit_code", right_index=True)
    grades = grades[grades["effective_date"] <= grades["start"]].sort_values("effective_date")
    grade = grades.groupby("credit_code")["integrity_grade"].last().astype(str)
    assert (grade.reindex(renewals.index) == renewals["integrity_grade"].astype(str)).all()
    major = hazard[hazard["grade"] == "major"].merge(start.rename("start"), left_on="credit_code", right_index=True)
    open_ = major[major["verified_date"].isna()]
    due = open_[["due_date", "extended_due_date"]].astype("M8[ns]").max(axis=1)
    late = (open_["start"].astype("M8[ns]") - due).dt.days
    late = late[(late > 0) & open_["rectified_date"].isna()].groupby(open_["credit_code"]).max()
    assert (late.reindex(renewals.index, fill_value=0) == renewals["hazard_overdue_days"]).all()
    refused = set(open_.loc[open_["refused_date"].notna(), "credit_code"])
    assert set(renewals.index[renewals["hazard_state"] == "refused"]) == refused
    recent = claims.merge(start.rename("start"), left_on="credit_code", right_index=True)
    since = recent["start"].astype("M8[ns]") - pd.DateOffset(years=3)
    recent = recent[recent["event_date"].astype("M8[ns]") >= since]
    count = recent.groupby("credit_code").size().reindex(renewals.index, fill_value=0)
    assert (count == renewals["claims_3_years"]).all()
    worse = recent[(recent["deaths"] > 0) | (recent["serious_injuries"] > 0)]
    general = worse[worse["accident_grade"] == "general"].groupby("credit_code").size()
    assert (general.reindex(renewals.index, fill_value=0) == renewals["general_accidents"]).all()
    old = renewals["business"] == "renewal"
    assert renewals.loc[old, "expiring_premium_yuan"].notna().all()
    assert renewals.loc[~old, "expiring_premium_yuan"].isna().all()


def test_nothing_after_the_valuation_day_is_known(frames: dict[str, pd.DataFrame]) -> None:
    ahead = {"end_date", "due_date", "extended_due_date", "expiry_date"}
    dates = 0
    for name, frame in frames.items():
        if name == "renewals" or name.startswith("truth_"):
            continue
        for column in set(frame) - ahead:
            if column.endswith("_date") or column == "date":
                dates += 1
                assert frame[column].dropna().astype(str).max() <= "2024-12-31", (name, column)
    assert dates > 15
    expiring = frames["policies"].set_index("policy_no")["premium_fen"]
    changes = frames["endorsements"]
    changes = changes[changes["kind"] == "headcount"].groupby("policy_no")["premium_change_fen"].sum()
    last = frames["policies"][frames["policies"]["start_date"].astype(str) >= "2024"].set_index("credit_code")
    total = (expiring.add(changes, fill_value=0)).reindex(last["policy_no"]).set_axis(last.index)
    old = frames["renewals"][frames["renewals"]["business"] == "renewal"].set_index("credit_code")
    assert (old["expiring_premium_yuan"] == total.reindex(old.index) / 100).all()


def test_all_bad_arguments_are_reported_at_once() -> None:
    with pytest.raises(ModelError) as found:
        synthesize(0, 0, seed=-1, first_year=1800, mess=3, batch=0)  # type: ignore[arg-type]
    assert {item.code for item in found.value.problems} == {
        "RM900",
        "RM901",
        "RM903",
        "RM908",
        "RM909",
        "RM910",
    }
    assert all(item.line(lang) for item in found.value.problems for lang in ("en", "zh"))


def test_unknown_tables_and_folders_are_refused(small: Province, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"RM906.*policies"):
        small.table("policy")
    with pytest.raises(ModelError, match="RM905"):
        load_province(tmp_path)
    with pytest.raises(ModelError, match="RM905"):
        Province(tmp_path).table("claims")


def test_an_unfinished_run_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, table: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(write.Writer, "_write", fail)
    monkeypatch.setattr(write, "ROW_GROUP", 10)
    with pytest.raises(BookError, match="disk full"):
        synthesize(100, 2, seed=1, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


days = st.integers(0, 400)
maybe = st.one_of(st.none(), days)


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.booleans(), days, days, maybe, maybe, maybe, maybe), max_size=12),
    on=st.tuples(days, days, days),
)
@settings(max_examples=150, deadline=None)
def test_hazard_state_equals_the_plain_rule(
    rows: list[tuple[int, bool, int, int, int | None, int | None, int | None, int | None]], on: tuple[int, int, int]
) -> None:
    def column(values: list[int | None]) -> np.ndarray:
        return np.array([NO_DATE if value is None else value for value in values], dtype=np.int32)

    firm, major, found, term, extra, rectified, verified, refused = (
        (list(part) for part in zip(*rows, strict=True)) if rows else ([], [], [], [], [], [], [], [])
    )
    due = [a + b for a, b in zip(found, term, strict=True)]
    extended = [None if b is None else a + b for a, b in zip(due, extra, strict=True)]
    register = hazards.Hazards(
        np.array(firm, dtype=np.int64),
        np.array(major, dtype=np.int8),
        column(found),
        column(found),
        column(due),
        column(extended),
        column(rectified),
        column(verified),
        column(refused),
    )
    state, overdue = hazards.state_on(register, np.array(on, dtype=np.int32))
    order = ["none", "verified", "open", "overdue", "refused"]
    for unit, day in enumerate(on):
        worst, late = "none", 0
        for k, owner in enumerate(firm):
            if owner != unit or not major[k] or found[k] > day:
                continue
            end = max(due[k], extended[k] if extended[k] is not None else due[k])
            if verified[k] is not None and verified[k] <= day:
                now = "verified" if day - verified[k] <= 365 else "none"
            else:
                now = "open"
                if end < day and not (rectified[k] is not None and rectified[k] <= day):
                    now, late = "overdue", max(late, day - end)
                if refused[k] is not None and refused[k] <= day:
                    now = "refused"
            worst = max(worst, now, key=order.index)
        assert levels.HAZARD_STATES[state[unit]] == worst
        assert overdue[unit] == late


def test_valuation_day_is_the_last_of_december() -> None:
    assert np.datetime64(Window(2021, 5).valuation, "D") == np.datetime64("2025-12-31")
