"""Every other planted parameter is found again within its sampling error: population, severity, market, prevention."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from ratemod.synth import levels
from ratemod.synth.province import Province
from ratemod.synth.truth import Truth

TRUTH = Truth()
Check = tuple[str, float, float, float]


def share(name: str, hits: pd.Series, truth: float) -> Check:
    """Return a share, its planted value and the binomial error of the planted value."""
    return name, float(hits.mean()), truth, float(np.sqrt(max(truth * (1 - truth), 1e-9) / len(hits)))


def shares(name: str, drawn: pd.Series, codes: tuple[object, ...], truth: tuple[float, ...]) -> Iterator[Check]:
    whole = sum(truth)
    for code, part in zip(codes, truth, strict=True):
        yield share(f"{name}={code}", drawn == code, part / whole)


def middle(name: str, values: pd.Series, truth: float) -> Check:
    """Return a mean, its planted value and its standard error."""
    return name, float(values.mean()), truth, float(values.std() / np.sqrt(len(values)))


def spread(name: str, values: pd.Series, truth: float) -> Check:
    """Return a standard deviation (of normal values), its planted value and its standard error."""
    return name, float(values.std()), truth, truth / np.sqrt(2 * len(values))


def agree(checks: Iterator[Check], most_error: float = 0.25) -> None:
    found = pd.DataFrame(checks, columns=["name", "estimate", "truth", "error"])
    z = (found["estimate"] - found["truth"]) / found["error"]
    assert len(found) and z.abs().max() < 4.2, found[z.abs() > 3]
    assert (found["error"] <= most_error * found["truth"].abs() + 0.02).all(), "an estimate too wide to test anything"


@pytest.fixture(scope="session")
def tables(province: Province) -> dict[str, pd.DataFrame]:
    names = (
        "enterprises",
        "policies",
        "claims",
        "truth_claims",
        "truth_terms",
        "services",
        "hazards",
        "certificates",
        "integrity",
        "blacklist",
        "endorsements",
        "valuations",
        "truth_enterprises",
    )
    return {name: province.table(name).to_pandas() for name in names}


def test_population(tables: dict[str, pd.DataFrame]) -> None:
    people, firms, policies = TRUTH.population, tables["enterprises"], tables["policies"]

    def checks() -> Iterator[Check]:
        yield from shares("sector", firms["sector"], levels.SECTORS, people.sector_mix)
        # Enterprises on one site share its division, so only those that stand alone are independent.
        alone = firms[firms["site_no"].isna()]
        yield from shares("division", alone["division_code"], levels.DIVISIONS, people.division_mix)
        yield share("sited", firms["site_no"].notna(), people.sited_share)
        yield share("insured fully", tables["truth_enterprises"]["staff_uninsured_share"] == 0, people.insured_fully)
        start = policies.groupby("credit_code")["start_date"].min().astype(str)
        joined = firms["credit_code"].map(start)
        later = joined.isna() | (joined >= "2022")
        # Whoever closed before joining never shows, so the chance is a little lower than planted.
        survived = np.exp(-people.closing_rate * 1.5)
        name, rate, planted, error = share(
            "joins in the second year", joined[later].str[:4] == "2022", people.joining_rate * survived
        )
        yield name, rate, planted, float(np.hypot(error, 0.003))
        first = firms["credit_code"].isin(policies.loc[policies["start_date"].astype(str) < "2022", "credit_code"])
        yield share("insured in the first year", first, people.first_year_share)
        years = (policies["end_date"].astype("M8[ns]") - policies["start_date"].astype("M8[ns]")).dt.days / 365
        ended = policies["cancelled_date"].notna()
        seen = policies["start_date"].astype(str) < "2025"
        expected = 1 - np.exp(-people.closing_rate * years[seen].mean())
        yield share("closed", ended[seen], float(expected))
        head = np.log(firms["revenue_yuan"] / firms["staff"])
        for sector, median in zip(levels.SECTORS, people.revenue_per_head_yuan, strict=True):
            large = (firms["sector"] == sector) & (firms["staff"] > 20)
            if large.sum() > 200:
                yield middle(f"revenue per head {sector}", head[large], np.log(median))
                yield spread(f"revenue spread {sector}", head[large], people.revenue_log_deviation)

    agree(checks())


def test_staff_and_its_drift(tables: dict[str, pd.DataFrame]) -> None:
    people, policies = TRUTH.population, tables["policies"].sort_values(["credit_code", "start_date"])
    staff = np.log(policies["staff"])
    # Enterprises that were large a year ago: rounding to whole persons does not matter, and what follows is free.
    step = staff.diff()[policies["credit_code"].eq(policies["credit_code"].shift()) & (policies["staff"].shift() > 60)]

    def checks() -> Iterator[Check]:
        for index, sector in enumerate(levels.SECTORS):
            mine = policies["sector"] == sector
            moves = step[mine.reindex(step.index)]
            if len(moves) > 200:
                yield middle(f"drift {sector}", moves, people.staff_drift_log[index])
                yield spread(f"walk {sector}", moves, people.staff_walk_log)
            first = staff[mine & policies["start_date"].astype(str).str.startswith("2021")]
            # Shares below whole numbers of persons are exact although staff is rounded and at least 2.
            for persons in (10, 40, 150):
                z = (np.log(persons - 0.5) - people.staff_log_mean[index]) / people.staff_log_deviation[index]
                if 0.01 < _normal_cdf(z) < 0.99:
                    yield share(f"staff {sector} under {persons}", np.exp(first).round() < persons, _normal_cdf(z))

    agree(checks(), most_error=1.0)


def test_certificates_and_integrity(tables: dict[str, pd.DataFrame]) -> None:
    people, terms = TRUTH.population, tables["truth_terms"]
    first = terms[terms["year"] == 2021]
    grades = tables["integrity"].sort_values(["credit_code", "effective_date"])

    def checks() -> Iterator[Check]:
        held = tables["certificates"].sort_values(["credit_code", "issue_date"])
        same = held["credit_code"].eq(held["credit_code"].shift())
        place = {name: k for k, name in enumerate(levels.STANDARDISATION)}
        levels_held = held["standardisation"].map(place).astype(int)
        yield share(
            "certificate better", levels_held.diff()[same & (levels_held.shift() < 3)] > 0, people.certificate_better
        )
        gap = held["issue_date"].astype("M8[ns]") - held["expiry_date"].shift().astype("M8[ns]")
        # Expired so early that even a late successor is known by the valuation day.
        early = held["expiry_date"].shift().astype(str) < "2025-05"
        yield share("certificate late", gap[same & early].dt.days > 0, people.certificate_late)
        old = held["issue_date"].astype(str) < "2022-12-01"
        yield share("certificate withdrawn", held.loc[old, "withdrawn_date"].notna(), people.certificate_withdrawn)
        worst = grades[grades["integrity_grade"] == "dishonest"].drop_duplicates("credit_code")
        worst = worst[worst["effective_date"].astype(str) < "2025-11-30"]
        yield share("listed", worst["credit_code"].isin(tables["blacklist"]["credit_code"]), people.listed_share)
        yield from shares(
            "integrity",
            grades.groupby("credit_code")["integrity_grade"].first().astype(str),
            levels.INTEGRITY,
            people.integrity_mix,
        )
        # A step off either end of the scale leaves the grade where it is: only the inner grades show the rate.
        before = grades["integrity_grade"].astype(str)
        inner = before.isin(["A", "B", "C"]) & ~grades["credit_code"].duplicated()
        nxt = grades["credit_code"].eq(grades["credit_code"].shift(-1))
        later = grades["effective_date"].shift(-1).astype(str).str.startswith("2021")
        yield share("integrity change", (nxt & later)[inner], people.integrity_change)
        for size, mix in zip(levels.SIZES, people.standardisation_mix, strict=True):
            held = first.loc[first["size_class"] == size, "standardisation"]
            if len(held) > 400:
                # Some certificates were withdrawn or renewed late by then, so the mix holds within some per cent.
                for level, part in zip(levels.STANDARDISATION, mix, strict=True):
                    assert abs((held == level).mean() - part) < 0.08

    agree(checks())


def test_kinds_and_victims_of_accidents(tables: dict[str, pd.DataFrame]) -> None:
    plan = TRUTH.severity
    claims = tables["claims"][tables["claims"]["event_no"].str[0] == "E"]
    claims = claims.merge(tables["policies"][["policy_no", "size_class", "heads", "limit_yuan"]], on="policy_no")
    tilt = np.array(plan.size_tilt)[claims["size_class"].map({s: k for k, s in enumerate(levels.SIZES)}).astype(int)]
    sector = claims["sector"].map({s: k for k, s in enumerate(levels.SECTORS)}).astype(int)
    disabled = claims["disability_grade"].notna()

    def checks() -> Iterator[Check]:
        for index, name in enumerate(levels.SECTORS):
            mine = sector == index
            for label, hit, chance in (
                ("death", claims["deaths"] > 0, plan.death_chance),
                ("disability", disabled, plan.disability_chance),
            ):
                expected = chance[index] * tilt[mine]
                if expected.sum() < 6:
                    continue  # too rare here to test; the pooled check below has them
                error = np.sqrt((expected * (1 - expected)).sum())
                yield f"{label} {name}", float(hit[mine].sum() / expected.sum()), 1.0, error / expected.sum()
        expected = np.array(plan.death_chance)[sector] * tilt
        yield "deaths", float((claims["deaths"] > 0).sum() / expected.sum()), 1.0, 1 / np.sqrt(expected.sum())
        for size in range(3):
            mine = tilt == plan.size_tilt[size]
            expected = np.array(plan.disability_chance)[sector[mine]] * plan.size_tilt[size]
            yield (
                f"size {size}",
                float(disabled[mine].sum() / expected.sum()),
                1.0,
                np.sqrt((expected * (1 - expected)).sum()) / expected.sum(),
            )
        yield from shares("grade", claims.loc[disabled, "disability_grade"], tuple(range(1, 11)), plan.grade_mix)
        many = claims[disabled & (claims["heads"] > 1)]
        yield share("second disabled", many["serious_injuries"] + many["minor_injuries"] > 1, plan.further_disabled)
        light = claims[~disabled & (claims["deaths"] == 0) & (claims["heads"] > 1)]
        yield share("second minor", light["minor_injuries"] > 1, plan.further_minor)
        fatal = claims.loc[(claims["deaths"] > 0) & (claims["heads"] >= 10), "deaths"]
        yield from list(shares("deaths", fatal, tuple(range(1, 10)), plan.deaths_mix))[:2]
        falls = claims.loc[claims["sector"] == "construction", "cause"] == "falls"
        yield share("falls", falls, 0.482)

    agree(checks(), most_error=1.0)


def test_what_disability_pays(tables: dict[str, pd.DataFrame]) -> None:
    plan = TRUTH.severity
    claims = tables["claims"].merge(tables["truth_claims"][["claim_no", "loss_fen"]], on="claim_no")
    claims = claims.merge(tables["policies"][["policy_no", "limit_yuan"]], on="policy_no")
    disabled = claims[claims["disability_grade"].notna()]
    assert ((disabled["serious_injuries"] > 0) == (disabled["disability_grade"] <= plan.serious_grade)).all()
    victims = disabled["serious_injuries"] + disabled["minor_injuries"]
    share = np.array(plan.grade_share)[disabled["disability_grade"].astype(int) - 1]
    medical = disabled["loss_fen"] / 100 - share * disabled["limit_yuan"] * victims
    assert (medical > 0).all()
    within = medical <= plan.medical_limit_share * disabled["limit_yuan"] * victims + 0.01
    # Only third-party losses go beyond the medical sub-limit, and not all of them do.
    assert 1 - plan.third_party_chance * 1.3 < within.mean() < 1 - plan.third_party_chance * 0.5
    top = (medical - plan.medical_limit_share * disabled["limit_yuan"] * victims) / disabled["limit_yuan"]
    assert top.max() <= plan.third_party_cap


def test_size_of_losses(tables: dict[str, pd.DataFrame]) -> None:
    plan, terms = TRUTH.severity, tables["truth_terms"]
    some = terms[terms["claims"] > 0]
    done = tables["truth_claims"]
    losses = done.loc[done["catastrophe"] == "no", "loss_fen"] / 100
    minor = tables["claims"].merge(done[["claim_no", "kind", "loss_fen"]], on="claim_no")
    minor = minor.merge(tables["truth_enterprises"], on="credit_code")
    minor = minor[(minor["kind"] == "minor") & (minor["minor_injuries"] == 1)]
    year = minor["policy_no"].str[2:6].astype(int) - 2021
    log = np.log(minor["loss_fen"] / 100) - plan.medical_trend_log * year - np.log(minor["severity_effect"])
    mean, deviation = np.log(plan.medical_minor_yuan), plan.medical_log_deviation

    def checks() -> Iterator[Check]:
        for sector in levels.SECTORS:
            mine = some["sector"] == sector
            expected = (some["claims"] * some["mean_loss_yuan"])[mine].sum()
            error = losses.std() * np.sqrt(some.loc[mine, "claims"].sum())
            yield f"mean loss {sector}", some.loc[mine, "loss_fen"].sum() / 100 / expected, 1.0, error / expected
        # Quantiles well below the medical sub-limit see neither it nor third-party losses.
        for z in (-1.3, -0.7, 0.0):
            yield share(
                f"medical quantile {z}", log < mean + deviation * z, _normal_cdf(z) * (1 - plan.third_party_chance)
            )
        for offset, part in (("early", year <= 1), ("late", year >= 3)):
            low = log[part] < mean
            yield share(f"inflation {offset}", low, 0.5 * (1 - plan.third_party_chance))
        effect = np.log(tables["truth_enterprises"]["severity_effect"])
        yield spread("enterprise effect", effect, plan.enterprise_log_deviation)

    agree(checks())


def test_third_party_losses(tables: dict[str, pd.DataFrame]) -> None:
    plan, done = TRUTH.severity, tables["truth_claims"]
    minor = tables["claims"].merge(done[["claim_no", "kind", "loss_fen"]], on="claim_no")
    minor = minor.merge(tables["policies"][["policy_no", "limit_yuan"]], on="policy_no")
    minor = minor[minor["kind"] == "minor"]
    loss = minor["loss_fen"] / 100
    # Two victims cost at most 20 % of the limit; what goes beyond is third-party loss.
    bound = np.maximum(4 * plan.medical_limit_share * minor["limit_yuan"], plan.third_party_least_yuan)
    beyond = plan.third_party_chance * (plan.third_party_least_yuan / bound) ** plan.third_party_tail
    medical = 2 * plan.medical_limit_share * minor["limit_yuan"]
    less = plan.third_party_chance * (plan.third_party_least_yuan / (bound - medical)) ** plan.third_party_tail
    hits, slack = float((loss > bound).sum()), 4 * np.sqrt(less.sum())
    assert beyond.sum() > 20
    assert beyond.sum() - slack < hits < less.sum() + slack


def test_market(tables: dict[str, pd.DataFrame]) -> None:
    market, policies = TRUTH.market, tables["policies"].sort_values(["credit_code", "start_date"])
    first = policies[~policies["credit_code"].duplicated()]
    again = policies["credit_code"].eq(policies["credit_code"].shift())
    appetite = np.array(market.appetite)
    appetite = appetite / appetite.sum(axis=0)
    everyone = tables["truth_claims"]
    insurer = everyone["claim_no"].str[6:8].astype(int) - 1
    wait = (everyone["report_date"].astype("M8[ns]") - everyone["event_date"].astype("M8[ns]")).dt.days
    settle = (everyone["settlement_date"].astype("M8[ns]") - everyone["report_date"].astype("M8[ns]")).dt.days - 1

    def checks() -> Iterator[Check]:
        for k, sector in enumerate(levels.SECTORS):
            drawn = first.loc[first["sector"] == sector, "insurer"].astype(str)
            if len(drawn) > 1000:
                yield from shares(f"appetite {sector}", drawn, levels.INSURERS, tuple(appetite[:, k]))
        moved = policies["insurer"].astype(str) != policies["insurer"].astype(str).shift()
        stay = (appetite**2).sum(axis=0)[
            policies["sector"].map({s: k for k, s in enumerate(levels.SECTORS)}).astype(int)
        ]
        yield share("switching", moved[again], market.switching_rate * float(1 - stay[again].mean()))
        for index, size in enumerate(levels.SIZES[:3]):
            early = policies["start_date"].astype(str).str.startswith("2021") & (policies["size_class"] == size)
            yield from shares(
                f"limit {size}", policies.loc[early, "limit_yuan"], market.limits_yuan, market.limit_mix[index]
            )
            yield share(
                f"coinsured {size}",
                policies.loc[policies["size_class"] == size, "coinsured"] == "yes",
                market.coinsured[index],
            )
        for late, factor in ((False, 1.0), (True, market.late_report_factor)):
            mine = (insurer == market.late_insurer) == late
            # Lags are cut to whole days: a quantile at a whole day is exact.
            day = round(market.report_lag_days * factor)
            yield share(f"report lag late={late}", wait[mine] < day, 0.5)
            for index, kind in enumerate(levels.KINDS[:2]):
                grow = market.late_settle_factor if late else 1.0
                day = market.settle_lag_days[index] * grow
                drawn = settle[mine & (everyone["kind"] == kind)]
                yield share(f"settlement lag {kind} late={late}", drawn < day, 0.5)
                one = day * np.exp(market.settle_log_deviation)
                yield share(
                    f"settlement spread {kind} late={late}",
                    drawn < np.ceil(one),
                    _normal_cdf(np.log(np.ceil(one) / day) / market.settle_log_deviation),
                )
        changes = tables["endorsements"]
        yield share(
            "headcount change",
            policies["policy_no"].isin(changes.loc[changes["kind"] == "headcount", "policy_no"])[
                policies["start_date"].astype(str) < "2025"
            ],
            market.headcount_changes,
        )

    agree(checks(), most_error=1.0)


def _normal_cdf(z: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(z))


def test_case_reserves_of_the_late_insurer(tables: dict[str, pd.DataFrame]) -> None:
    market = TRUTH.market
    valued = (
        tables["valuations"]
        .merge(tables["truth_claims"][["claim_no", "loss_fen", "settlement_date"]], on="claim_no")
        .sort_values(["claim_no", "valuation_date"])
    )
    valued["age"] = valued.groupby("claim_no").cumcount()
    still = valued[valued["settlement_date"] > valued["valuation_date"]]
    need = still["loss_fen"] - still["paid_fen"]
    # Reserves are held in steps of 100 yuan, so small ones are left out.
    still, need = still[need > 5_000_000], need[need > 5_000_000]
    late = still["claim_no"].str[6:8].astype(int) - 1 == market.late_insurer
    ratio = still["case_reserve_fen"] / need

    def checks() -> Iterator[Check]:
        for age, part in enumerate(market.late_reserve_share):
            mine = ratio[late & (still["age"] == age)]
            yield middle(f"late, year end {age + 1}", mine, part)
            yield spread(f"spread, year end {age + 1}", np.log(mine), market.reserve_log_deviation)
        yield middle("others", ratio[~late & (still["age"] == 0)], 1.0)

    agree(checks())


def test_tariff(tables: dict[str, pd.DataFrame], province: Province) -> None:
    # Premiums are no random draws: given the rating factors, their ratios are the planted ones exactly.
    market = TRUTH.market
    policies = tables["policies"].merge(
        tables["truth_terms"][["policy_no", "standardisation", "hazard_state"]], on="policy_no"
    )
    policies = policies[policies["premium_fen"] > 100 * market.minimum_premium_yuan]
    policies["rate"] = policies["premium_fen"] / policies["heads"]
    policies["ten"] = policies["heads"] >= 10
    keys = ["sector", "size_class", "limit_yuan", "insurer", "standardisation", "hazard_state", "ten"]
    start = policies["start_date"].astype(str)
    new = policies[(policies["business"] == "new") & (policies["heads"] > 1)]
    early = new[start[new.index] < "2022-07-01"].groupby(keys, observed=True)["rate"].median()
    middle_years = new[(start[new.index] >= "2022-07-01") & (start[new.index] < "2024-04-01")]
    both = pd.concat([early, middle_years.groupby(keys, observed=True)["rate"].median()], axis=1).dropna()
    np.testing.assert_allclose(both.iloc[:, 1] / both.iloc[:, 0], market.rate_changes[0][3], rtol=2e-3)
    wide = early.unstack("insurer").dropna(thresh=2)
    base = wide["birch"].dropna()
    for name, factor in zip(levels.INSURERS, market.insurer_factor, strict=True):
        ratio = (wide[name] / base).dropna()
        assert len(ratio) > 20
        np.testing.assert_allclose(ratio, factor / market.insurer_factor[0], rtol=2e-3)
    changes = province.table("rate_changes").to_pandas()
    assert changes["factor"].tolist() == [change[3] for change in market.rate_changes]


def test_prevention(tables: dict[str, pd.DataFrame]) -> None:
    plan, services, hazards = TRUTH.prevention, tables["services"], tables["hazards"]
    early = services["planned_date"].astype(str) < "2025-06"
    terms, policies = tables["truth_terms"], tables["policies"]
    complete = policies["policy_no"].isin(policies.loc[policies["end_date"].astype(str) < "2025-12-31", "policy_no"])
    micro = policies[complete & (policies["size_class"].isin(["micro", "small"])) & policies["cancelled_date"].isna()]
    micro = micro.merge(terms[["policy_no", "random_effect"]], on="policy_no")
    planned = micro["policy_no"].map(services.groupby("policy_no").size()).fillna(0)
    campaign = np.array(plan.service_programme)
    year = micro["policy_no"].str[2:6].astype(int) - 2021
    insurer = micro["insurer"].map({name: k for k, name in enumerate(levels.INSURERS)}).astype(int)
    size = micro["size_class"].map({"micro": 0, "small": 1}).astype(int)
    mean = np.array(plan.services_per_term)[size] * campaign[insurer, year]
    mean = np.minimum(mean * micro["random_effect"] ** plan.service_selection, 8.0)

    def checks() -> Iterator[Check]:
        yield from shares("service", services["service_type"].astype(str), levels.SERVICES, plan.service_mix)
        kept = services.loc[
            early & ~services["policy_no"].isin(policies.loc[policies["cancelled_date"].notna(), "policy_no"]),
            "delivered_date",
        ]
        yield share("delivered", kept.notna(), plan.service_delivered)
        for k in range(6):
            mine = insurer == k
            yield (
                f"services of {levels.INSURERS[k]}",
                planned[mine].sum() / mean[mine].sum(),
                1.0,
                1 / np.sqrt(mean[mine].sum()),
            )
        for low, high in ((0, 0.5), (0.5, 1.2), (1.2, 20)):
            mine = micro["random_effect"].between(low, high)
            yield (
                f"selection {low}-{high}",
                planned[mine].sum() / mean[mine].sum(),
                1.0,
                1 / np.sqrt(mean[mine].sum()),
            )
        small = services.merge(policies[["policy_no", "size_class"]], on="policy_no")
        small = small[(small["size_class"] == "small") & small["cost_fen"].notna()]
        for kind, cost in zip(levels.SERVICES, plan.service_cost_yuan, strict=True):
            yield middle(
                f"cost {kind}", np.log(small.loc[small["service_type"] == kind, "cost_fen"] / 100), np.log(cost)
            )
        old = hazards[hazards["found_date"].astype(str) < "2024"]
        due = old[["due_date", "extended_due_date"]].astype("M8[ns]").max(axis=1)
        done = old["rectified_date"].astype("M8[ns]")
        yield share("in time", done <= due, plan.rectified_in_time)
        yield share("late", done > due, plan.rectified_late)
        yield share("refused", old["refused_date"].notna(), plan.refused)
        yield share("extended", old["extended_due_date"].notna(), plan.extended)
        ratio = (hazards["grade"] == "general").sum() / (hazards["grade"] == "major").sum()
        yield (
            "general per major",
            ratio,
            plan.general_hazards,
            ratio * np.sqrt(1 / (hazards["grade"] == "general").sum() + 1 / (hazards["grade"] == "major").sum()),
        )

    agree(checks())


def test_hazards_by_size_and_certificate(tables: dict[str, pd.DataFrame]) -> None:
    plan, policies = TRUTH.prevention, tables["policies"]
    policies = policies.merge(tables["truth_terms"][["policy_no", "standardisation"]], on="policy_no")
    whole = policies[policies["cancelled_date"].isna() & (policies["start_date"].astype(str) < "2025-01-01")]
    major = tables["hazards"][tables["hazards"]["grade"] == "major"]
    joined = major.merge(whole[["credit_code", "policy_no", "start_date", "end_date"]], on="credit_code")
    inside = (joined["found_date"] >= joined["start_date"]) & (joined["found_date"] < joined["end_date"])
    count = whole["policy_no"].map(joined[inside].groupby("policy_no").size()).fillna(0)
    level = whole["standardisation"].map({name: k for k, name in enumerate(levels.STANDARDISATION)}).astype(int)
    size = whole["size_class"].map({name: k for k, name in enumerate(levels.SIZES)}).astype(int)
    mean = np.array(plan.hazards_per_term)[size] * np.exp(plan.hazard_standardisation_log * level)

    def checks() -> Iterator[Check]:
        for name, group in (("size", size), ("certificate", level)):
            for k in range(4):
                mine = group == k
                yield f"{name} {k}", count[mine].sum() / mean[mine].sum(), 1.0, 1 / np.sqrt(mean[mine].sum())

    agree(checks())


def test_catastrophes_strike_several_policies_of_one_site(tables: dict[str, pd.DataFrame]) -> None:
    claims = tables["claims"]
    struck = claims[claims["event_no"].str[0] == "S"].merge(
        tables["enterprises"][["credit_code", "site_no"]], on="credit_code"
    )
    events = struck.groupby("event_no")
    assert len(events) >= TRUTH.severity.scheduled_catastrophes
    assert (events["credit_code"].nunique() >= 2).any()
    assert (events["site_no"].nunique() == 1).all()
    assert (events["event_date"].nunique() == 1).all()
    deaths = events["deaths"].sum()
    graded = events["accident_grade"].agg(lambda grades: set(grades.astype(str)))
    for event, total in deaths.items():
        expected = "general" if total < 3 else "larger" if total < 10 else "major" if total < 30 else "extraordinary"
        assert graded[event] == {expected}
