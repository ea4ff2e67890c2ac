"""Every result of the shared reference, through public names alone; skipped where the reference is not beside us.

Each file is walked by one function; `Results` marks what was read, and what was not must stand in `NOT_READ` with why.
`test_reference_file.py` does the same for experience_rating.json.
"""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import pytest

import ratemod as rm

FOLDERS = [parent / "shared" / "reference" for parent in Path(__file__).parents]
FOLDERS += [Path(__file__).parents[3].parent / "shared" / "reference"]
HERE = next((folder for folder in FOLDERS if (folder / "vectors").is_dir()), None)

# What no function is to reproduce: said of the source, derived by others, or an input that another entry repeats.
NOT_READ = {
    "bonus_malus_and_full_credibility": ("limited_fluctuation.683",),  # a puzzle of the source
    "ratemaking": (
        "boor_buhlmann_offbalance.process_variance_printed",  # printed rounded; K follows from it and is given
        "boor_buhlmann_offbalance.VHM",
        "boor_buhlmann_offbalance.printed.additional",  # of a refinement that the paper does not define in full
    ),
    "severity_aggregate_actuar": (),
    "textbook_severity_aggregate": (),
    "glm_R": (),
}


class Results:
    """One file of reference results, and which of its numbers were read."""

    def __init__(self, name):
        self.data = json.loads((HERE / "vectors" / f"{name}.json").read_text(encoding="utf-8"))
        self.read = set()

    def __call__(self, *path):
        node = self.data
        for step in path:
            node = node[step]
        self.read.add(tuple(map(str, path)))
        return node

    def same(self, found, *path, rtol=1e-12, atol=0.0):
        wanted = self(*path)
        wanted = np.array([np.nan if one is None else one for one in np.ravel(np.array(wanted, dtype=object))], float)
        np.testing.assert_allclose(np.ravel(np.asarray(found, float)), wanted, rtol=rtol, atol=atol, err_msg=str(path))

    def unread(self):
        def leaves(node, path):
            inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
            if inner is not None:
                for key, value in inner:
                    yield from leaves(value, (*path, str(key)))
            elif isinstance(node, int | float) and not isinstance(node, bool):
                yield path

        done = self.read
        return [".".join(leaf) for leaf in leaves(self.data, ())
                if not any(leaf[:n] in done for n in range(1, len(leaf) + 1))]  # fmt: skip


def exact(said):
    return float(Fraction(str(said)))


def allocation(results):
    votes = results("largest_remainder", "cases")[0]["votes"]
    for case in results("largest_remainder", "cases"):
        assert rm.fund.apportion(case["seats"], case["votes"]).tolist() == case["result"]
    assert rm.fund.apportion(21, votes).tolist() == results("apportionment_pkg", "hamilton")
    names = {"dhondt": "dhondt", "saintelague": "sainte_lague", "huntington": "huntington", "adams": "adams",
             "dean": "dean"}  # fmt: skip
    for said, method in names.items():
        assert rm.fund.divide_by_divisor(21, votes, method).tolist() == results("apportionment_pkg", said)
    mean, covariance, level = results("euler", "mu"), np.array(results("euler", "cov")), results("euler", "p")
    sd = rm.fund.euler_sd(covariance)
    results.same(sd, "euler", "euler_sd")
    results.same(sd.sum(), "euler", "sd")
    var, tvar = (f(mean, covariance, level) for f in (rm.fund.euler_var_normal, rm.fund.euler_tvar_normal))
    results.same(var, "euler", "VaR_contrib")
    results.same(var.sum(), "euler", "VaR")
    results.same(tvar, "euler", "TVaR_contrib")
    results.same(tvar.sum(), "euler", "TVaR")

    def spread(them):
        return float(covariance[np.ix_(sorted(them), sorted(them))].sum())

    by_sd = rm.fund.shapley(range(3), lambda them: spread(them) ** 0.5)
    results.same(list(by_sd.values()), "euler", "shapley_sd")
    results.same(list(rm.fund.shapley(range(3), spread).values()), "euler", "shapley_var_equals_cov")


def bonus_malus_and_full_credibility(results):
    at = "denuit_minus1_plus2_6levels"
    system = rm.experience.bonus_malus(np.ones(6), down=1, up=2)
    matrix = rm.experience.transition_matrix(system, results(at, "lam"))
    results.same(matrix, at, "P", atol=1e-16)
    stationary = rm.experience.stationary(system, results(at, "lam"))
    results.same(stationary, at, "stationary")
    results.same(stationary, at, "published_stationary", atol=5.01e-7, rtol=0)
    fifth = np.linalg.matrix_power(matrix, 5)
    results.same(fifth, at, "P5")
    results.same(fifth, at, "published_P5", atol=5.01e-7, rtol=0)
    at = "limited_fluctuation"
    for name in results.data[at]:
        if name.startswith("P"):
            chance, within = (float(part[1:]) for part in name.split("_"))
            base = rm.experience.base_standard(chance, within)
            results.same(base, at, name, "lambda_full")
            assert ceil(base) == results(at, name, "ceil")
            results.same(base**0.5 * within, at, name, "z")
            if results(at, name, "with_1645") is not None:
                results.same(rm.experience.base_standard(within=within, quantile=1.645), at, name, "with_1645")
    base = rm.experience.base_standard(0.9, 0.05)
    results.same(rm.experience.standard_severity(base, 10**0.5), at, "severity_cv3_P.9_k.05")
    results.same(rm.experience.partial_credibility(300, 1082), at, "square_root_rule_n=300_std=1082")


def credibility_hachemeister_actuar(results):
    values = np.array(results("hachemeister", "ratios"), float)
    weights = np.array(results("hachemeister", "weights"), float)
    made = {
        "buhlmann_unweighted": rm.experience.buhlmann(values),
        "bs_unbiased": rm.experience.buhlmann_straub(values, weights),
        "bs_iterative_tol1e14": rm.experience.buhlmann_straub(values, weights, estimator="iterative"),
    }
    for name, found in made.items():
        results.same(found.premium, name, "premiums")
        results.same(found.collective, name, "means", "portfolio")
        results.same(found.firm_mean, name, "means", "state")
        results.same(found.weight, name, "weights", "state")
        results.same(found.z.sum(), name, "weights", "portfolio")
        results.same(found.z, name, "cred")
        variances = "iterative" if "iterative" in name else "unbiased"
        results.same([found.between, found.within], name, variances)
    name, tree = "hier_Buhlmann-Gisler", rm.experience.hierarchical(values, weights, [[0, 1, 0, 1, 1]])
    results.same(tree.collective, name, "means", "portfolio")
    for level, of in zip(tree.levels, ("cohort", "state")):
        results.same(level.premium, name, "premiums", of)
        results.same(level.premium, name, "predict", of)
        results.same(level.mean, name, "means", of)
        results.same(level.weight, name, "weights", of)
        results.same(level.z, name, "cred", of)
    results.same(tree.levels[0].z.sum(), name, "weights", "portfolio")
    results.same([*(level.between for level in tree.levels), tree.within], name, "unbiased")
    name, line = "reg_barycenter", rm.experience.hachemeister(values, weights)
    results.same(rm.experience.premium_at(line, [1, 13]), name, "premiums")
    # actuar's first column of the orthogonal design is negative; premiums do not depend on it.
    results.same(line.collective * [-1, 1], name, "portfolio")
    results.same(line.own.T * [[-1], [1]], name, "contracts")
    results.same(np.diag(line.between), name, "unbiased", "portfolio")
    results.same(line.within, name, "unbiased", "state")
    cred = np.array(results(name, "cred"))
    np.testing.assert_allclose(line.z.T, [cred[0, 0], cred[1, 1]], rtol=1e-12)
    name = "bayes_poisson_gamma"
    claims, shape, rate = (results(name, key) for key in ("x", "shape", "rate"))
    found = rm.experience.posterior_mean([sum(claims)], [float(len(claims))], float(shape), float(rate))
    results.same(found, name, "premium")
    results.same(rm.experience.credibility_factor([len(claims)], rate), name, "cred")
    results.same(shape / rate, name, "means")
    results.same([shape / rate**2, shape / rate], name, "unb")


def glm_R(results):
    family, cells = rm.ratemaking.family, rm.ratemaking.cells

    def table(file, columns):
        path = HERE / "data" / f"{file}.csv"
        if not path.is_file():
            pytest.skip(f"{path.name} is not beside this checkout")
        with path.open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        levels = [tuple(dict.fromkeys(row[name] for row in rows)) for name in columns]
        codes = [[known.index(row[name]) for row in rows] for name, known in zip(columns, levels)]
        factors = [cells.Factor(name, known) for name, known in zip(columns, levels)]
        return factors, codes, lambda name: np.array([float(row[name]) for row in rows])

    def agree(name, fit, near=1e-8):
        said = [each.replace("[", "").replace("]", "").replace("intercept", "(Intercept)") for each in fit.design.names]
        for key, found, error in (("coef", fit.coefficient, near), ("se", fit.standard_error, 1e-7)):
            assert sorted(said) == sorted(results(name, key))
            np.testing.assert_allclose(found, [results(name, key)[each] for each in said], rtol=1e-7, atol=error)
        results.same(fit.deviance, name, "deviance", rtol=1e-9)
        results.same(fit.null_deviance, name, "null.deviance", rtol=1e-9)
        results.same(fit.residual_df, name, "df.residual")
        results.same(results(name, "n") - 1, name, "df.null")
        results.same(fit.pearson, name, "pearson", rtol=1e-7)
        results.same(fit.dispersion, name, "dispersion", rtol=1e-7)
        if results(name, "aic") != "NA":
            results.same(fit.aic, name, "aic")

    def first(factors):
        return {factor.name: factor.levels[0] for factor in factors}

    names = ["District", "Group", "Age"]
    factors, codes, column = table("mass_insurance", names)
    made = cells.collapse(factors, codes, column("Holders"), column("Claims"))
    agree("mass_insurance_poisson", rm.ratemaking.fit_glm(made, names, family.poisson(), reference=first(factors)))
    names = ["Kilometres", "Zone", "Bonus", "Make"]
    factors, codes, column = table("swedish_motor_1977_motorins", names)
    for key in ("Insured", "Claims", "Payment"):
        results.same(column(key).sum(), "sweden77_totals", key)
    assert len(column("Insured")) == results("sweden77_totals", "n")
    for name, key, law in (("sweden77_freq_poisson", "Claims", family.poisson()),
                           ("sweden77_pp_tweedie15", "Payment", family.tweedie(1.5))):  # fmt: skip
        made = cells.collapse(factors, codes, column("Insured"), column(key), power=1.5)
        agree(name, rm.ratemaking.fit_glm(made, names, law, reference=first(factors)))
    names = ["zon", "mcklass", "va", "bk"]
    factors, codes, column = table("ohlsson_mccase_tariff_cells", names)
    sums = {"duration": column("duration").sum(), "claims": column("antskad").sum(), "cost": column("skadkost").sum()}
    for key, value in sums.items():
        results.same(value, "ohlsson_totals", key)
    often = cells.collapse(factors, codes, column("duration"), column("antskad"))
    assert len(often.weight) == results("ohlsson_totals", "cells")
    fit = rm.ratemaking.fit_glm(often, names, family.poisson())
    agree("ohlsson_freq_poisson", fit)
    reference = {factor.name: factor.levels[at] for factor, at in zip(factors, fit.design.reference)}
    dear = cells.collapse(factors, codes, column("antskad"), column("skadkost"))
    # R stops on the deviance, which leaves its coefficients about 1e-7 short where scoring converges slowly.
    agree("ohlsson_sev_gamma", rm.ratemaking.fit_glm(dear, names, family.gamma(), reference=reference), near=2e-7)
    names = ["Age", "Vehicle_Use"]
    factors, codes, column = table("auto_collision_uk_mildenhall", names)
    made = cells.collapse(factors, codes, column("Claim_Count"), column("Claim_Count") * column("Severity"))
    law, base = family.poisson(overdispersed=True), {"Age": "A", "Vehicle_Use": "Business"}
    agree("autocollision_sev_poisson_minbias", rm.ratemaking.fit_glm(made, names, law, reference=base))


def ratemaking(results):
    at = "boor_buhlmann_offbalance"
    losses, exposure = np.array(results(at, "losses")), 25 * 1.2 ** np.arange(15)
    z = rm.experience.credibility_factor(exposure, results(at, "K"))
    results.same(z, at, "Z")
    results.same(losses.sum() / exposure.sum(), at, "overall_rate")
    found = rm.ratemaking.off_balance_complement(losses, exposure, z, results(at, "overall_rate"))
    results.same(found.credibility_rate, at, "cred_rate")
    results.same(found.factor, at, "offbalance_factor_F", rtol=1e-11)
    results.same(found.final_rate, at, "final_rate")
    for key, value in (("r", found.credibility_rate), ("final", found.final_rate), ("Zpct", 100 * z)):
        results.same(value[: len(results(at, "printed", key))], at, "printed", key, rtol=0, atol=0.5)
    results.same(results(at, "K"), at, "printed", "K", rtol=0, atol=0.005)
    at, changes = "parallelogram", None
    for place, case in enumerate(results(at, "cases")):
        changes = changes if case["changes"] == "same" else case["changes"]
        edges = [f"{year}-01-01" for year in range(2010, 2016)]
        made = rm.ratemaking.parallelogram(*zip(*changes), edges, term_months=case["term_months"])
        results.same(made.factor, at, "cases", place, "olf")
    edges = [f"{year}-01-01" for year in range(2006, 2017)]
    days, moved = ["2010-07-01", "2011-01-01", "2012-07-01", "2013-04-01"], [0.035, 0.05, 0.10, -0.01]
    made = rm.ratemaking.parallelogram(days, moved, edges, basis="day")
    results.same(made.factor, at, "daily_variants", "olf", rtol=0, atol=5.01e-7)
    for key, upright in (("vertical_line", {"in_force_changes": [True]}), ("diag_daily", {})):
        day, change = [results(at, key, "date")], [results(at, key, "change")]
        made = rm.ratemaking.parallelogram(day, change, ["2017-01-01", "2018-01-01"], basis="day", **upright)
        results.same(made.factor, at, key, "olf")
    at = "soa_c_q2"
    base = rm.experience.base_standard(results(at, "p"), results(at, "k"), quantile=results(at, "z"))
    law = rm.ratemaking.distribution.pareto(float(results(at, "pareto_alpha")), results(at, "theta"))
    second, mean = (float(rm.ratemaking.distribution.limited_moment(law, np.inf, order)) for order in (2, 1))
    cv = (second / mean**2 - 1) ** 0.5
    results.same(rm.experience.standard_pure_premium(base, cv), at, "expected_claims")
    at = "wm_indication_recalled"
    pure, ratio = results(at, "pure_premium"), results(at, "loss_ratio")
    loads = [rm.ratemaking.Loadings({"v": one["V"]}, one["Q"]) for one in (pure, ratio)]
    rate = rm.ratemaking.indicated_rate(pure["L_EL"], 1, loads[0], fixed_per_exposure=pure["F"])
    results.same(rate.value, at, "pure_premium", "rate")
    change = rm.ratemaking.indicated_change(ratio["LR"], 1, loads[1], fixed_expense=ratio["F"])
    results.same(change.value, at, "loss_ratio", "change")
    at = "wm_minbias_recalled"
    cost, units = np.array(results(at, "loss_cost")), np.array(results(at, "exposure"))
    start = [[1, 1], results(at, "start_territory")]
    once = rm.ratemaking.minimum_bias(cost, units, base=results(at, "base"), start=start, iterations=1)
    results.same(once.relativities, at, "iter1")
    done = rm.ratemaking.minimum_bias(cost, units, base=results(at, "base"))
    gender, territory = done.relativities
    results.same(gender[0] / gender[1], at, "converged_gender_rel", rtol=1e-9)
    results.same(territory[0] / territory[1], at, "converged_territory_rel", rtol=1e-9)
    _, base = rm.ratemaking.rebase(gender, done.base, reference=1)
    _, base = rm.ratemaking.rebase(territory, base, reference=1)
    results.same(base, at, "rebased_base", rtol=1e-9)
    way = results(at, "one_way")
    means = [*((units * cost).sum(a) / units.sum(a) for a in (1, 0)), [(units * cost).sum() / units.sum()]]
    wanted = [way[key] for key in ("male", "female", "urban", "rural", "total")]
    np.testing.assert_allclose(np.concatenate(means), wanted, rtol=1e-12)


def triangle_of(results, name):
    return np.array([[np.nan if cell is None else cell for cell in row] for row in results("triangles", name)], float)


def reserving_chainladder_R(results):
    for case in results.data:
        if case == "triangles":
            continue
        square = triangle_of(results, case.split("_")[0])
        last = "log-linear" if case.endswith("loglinear") else "mack"
        found = rm.ratemaking.mack(square, alpha=0 if case.endswith("simple") else 1, last_sigma=last)
        assert results(case, "f")[-1] == 1
        results.same([*found.factor, 1.0], case, "f")
        results.same(found.factor_se, case, "f.se")
        results.same(found.sigma, case, "sigma")
        results.same(found.total_standard_error, case, "Total.Mack.S.E")
        rows, printed = found.frame(), results(case, "byOrigin")
        to_date = rows["latest"] / rows["ultimate"]
        for key, value in (("Latest", rows["latest"]), ("Ultimate", rows["ultimate"]), ("IBNR", rows["unpaid"]),
                           ("Mack.S.E", rows["standard_error"]), ("Dev.To.Date", to_date)):  # fmt: skip
            np.testing.assert_allclose(value, [row[key] for row in printed], rtol=1e-11, atol=1e-9)
        np.testing.assert_allclose(rows["cv"][1:], [row["CV(IBNR)"] for row in printed[1:]], rtol=1e-11)
        sums, error = rows[["latest", "ultimate", "unpaid"]].sum(), float(found.total_standard_error)
        totals = {"Latest:": sums["latest"], "Dev:": sums["latest"] / sums["ultimate"], "Ultimate:": sums["ultimate"],
                  "IBNR:": sums["unpaid"], "Mack S.E.:": error, "CV(IBNR):": error / sums["unpaid"]}  # fmt: skip
        assert list(totals) == list(results(case, "Totals"))
        for key, value in totals.items():
            results.same(value, case, "Totals", key)


def reserving_bf_capecod(results):
    square = triangle_of(Results("reserving_chainladder_R"), "RAA")

    def of(name, method, **more):
        premium = np.full(10, float(results(name, "premium")))
        found = rm.ratemaking.reserve(square, method, base=premium, **more)
        results.same(found.unpaid, name, "ibnr", rtol=1e-11, atol=1e-9)
        results.same(found.unpaid.sum(), name, "total")
        return found

    found = of("bf_raa", "bornhuetter_ferguson", expected_ratio=results("bf_raa", "apriori"))
    results.same(found.to_ultimate[::-1], "bf_raa", "cdf")
    more = {"trend": float(results("capecod_raa", "trend")), "decay": float(results("capecod_raa", "decay"))}
    results.same(of("capecod_raa", "cape_cod", **more).expected_ratio[0], "capecod_raa", "elr")
    ratio, rounds = results("benktander_raa_n2", "apriori"), results("benktander_raa_n2", "n_iters")
    of("benktander_raa_n2", "benktander", expected_ratio=ratio, iterations=rounds)


def severity_aggregate_actuar(results):
    law, agg = rm.ratemaking.distribution, rm.ratemaking.aggregate
    for name, case in results.data["lev"].items():
        given = [results("lev", name, key) for key in case
                 if key in ("meanlog", "sdlog", "shape", "shape1", "shape2", "mean", "dispersion", "scale")
                 and not (key == "mean" and "gauss" not in name)]  # fmt: skip
        make = {"lognormal": law.lognormal, "pareto": law.pareto, "gamma": law.gamma, "burr": law.burr,
                "invgauss": law.inverse_gaussian}[name.split("_")[0]]  # fmt: skip
        severity, limits = make(*map(float, given)), results("lev", name, "limits")
        results.same(law.limited_moment(severity, limits), "lev", name, "lev")
        if "lev2" in case:
            results.same(law.limited_moment(severity, limits, 2), "lev", name, "lev2")
        if "mean" in case:
            results.same(law.mean(severity), "lev", name, "mean")
        factors = rm.ratemaking.increased_limit_factors(severity, limits, 100_000)
        results.same(factors, "lev", name, "ilf_base100k")
        results.same(rm.ratemaking.excess_ratio(severity, limits), "lev", name, "excess_ratio", rtol=1e-11, atol=1e-14)
        results.same(rm.ratemaking.loss_elimination_ratio(severity, limits), "lev", name, "LER")
    at = "panjer_poisson10"
    counts = {at: agg.poisson(results(at, "lambda")),
              "panjer_binom": agg.binomial(*(results("panjer_binom", key) for key in ("size", "prob")))}  # fmt: skip
    for name, count in counts.items():
        whole = agg.compound(results(name, "severity"), count, 300)
        points = len(results.data[name]["pmf"])
        for made in (agg.panjer, agg.transform):
            chances = made(results(name, "severity"), count, points)
            results.same(chances, name, "pmf", rtol=1e-8, atol=1e-13)
        results.same(whole @ np.arange(300), name, "mean")
    whole = agg.compound(results(at, "severity"), counts[at], 300)
    results.same(np.cumsum(whole)[:61], at, "cdf")
    for key in ("quantile", "VaR"):
        levels = [float(said.strip(" %")) / 100 for said in results(at, key)]
        assert agg.quantiles(whole, levels).tolist() == list(results(at, key).values())
    for said, value in results(at, "TVaR").items():
        assert agg.tail_value_at_risk(whole, float(said.strip("%")) / 100)[1] == pytest.approx(value, rel=1e-12)
    at = "discretise_gamma2_1000"
    many = (results(at, "to") - results(at, "from")) // results(at, "step")
    for method in ("rounding", "unbiased", "upper", "lower"):
        found = agg.discretise(law.gamma(2.0, 1000.0), results(at, "step"), many, method)
        results.same(found[: len(results(at, method))], at, method, rtol=1e-11)


def textbook_credibility_ratemaking(results):
    experience, at = rm.experience, "limited_fluctuation"
    base = experience.base_standard(within=results(at, "k"), quantile=results(at, "y"))
    results.same(base, at, "lambda")
    found = {
        "poisson_freq": experience.standard_frequency(base),
        "nb_beta1": experience.standard_frequency(base, 2.0),
        "binom_q25": experience.standard_frequency(base, 0.75),
        "exposures_freq_0.2": experience.standard_frequency(base) / 0.2,
        "aggregate_pareto3": experience.standard_pure_premium(base, 3**0.5),
        "severity_pareto3": experience.standard_severity(base, 3**0.5),
    }
    for key, value in found.items():
        assert ceil(value) == results(at, "printed", key)
    z = experience.partial_credibility(1000, results(at, "printed", "aggregate_pareto3"))
    results.same(z, at, "printed", "Z_1000_of_6147", rtol=0, atol=0.005)
    at = "buhlmann_straub_fleet"
    vehicles = np.array([results(at, "vehicles")], float)
    sums = experience.firm_sums(np.array([results(at, "claims")]) / vehicles, vehicles)
    fleet = experience.with_parameters(sums, results(at, "EPV"), results(at, "VHM"), 0.5)
    results.same(fleet.k, at, "K")
    wanted = [exact(results(at, key)) for key in ("Z", "per_vehicle", "year4_18_vehicles")]
    np.testing.assert_allclose([fleet.z[0], fleet.premium[0], 18 * fleet.premium[0]], wanted, rtol=1e-12)
    results.same(18 * fleet.premium[0], at, "printed_year4", rtol=0, atol=0.005)
    plain = experience.buhlmann(results("buhlmann_nonparam", "x"))
    wanted = [exact(results("buhlmann_nonparam", key)) for key in ("EPV", "VHM", "K", "Z")]
    np.testing.assert_allclose([plain.within, plain.between, plain.k, plain.z[0]], wanted, rtol=1e-12)
    np.testing.assert_allclose(plain.premium, [exact(one) for one in results("buhlmann_nonparam", "premiums")])
    none = experience.buhlmann(results("buhlmann_negative_vhm", "x"))
    results.same(none.within, "buhlmann_negative_vhm", "EPV")
    assert none.between == 0 and none.z.tolist() == [0, 0]
    assert none.warnings[0].args["estimate"] == str(exact(results("buhlmann_negative_vhm", "VHM")))
    first, second, third = results("indication")
    load = rm.ratemaking.Loadings
    rate = rm.ratemaking.indicated_rate(first["frequency"] * first["severity"], 1, load({"v": first["V"]}, first["Q"]),
                                        fixed_per_exposure=first["fixed"])  # fmt: skip
    assert rate.value == pytest.approx(first["rate_exact"], rel=1e-12)
    assert round(rate.value, 2) == first["rate_printed"]
    change = rm.ratemaking.indicated_change(second["loss_ratio"], 1, load({"v": second["V"]}, second["Q"]),
                                            fixed_expense=second["fixed_ratio"])  # fmt: skip
    assert 1 + change.value == pytest.approx(second["ICF"], rel=1e-12)
    change = rm.ratemaking.indicated_change(third["losses"], third["on_level_premium"],
                                            load({"v": third["V"]}, third["Q"]),
                                            fixed_expense=third["fixed"])  # fmt: skip
    lines = {line.name: line.value for line in change.lines}
    assert change.value == pytest.approx(third["change_exact"], rel=1e-12)
    assert round(change.value, 3) == third["change_printed"]
    assert round(lines["required premium"], 2) == third["required_premium_printed"]
    assert round(lines["target loss ratio"], 3) == third["target_LR_printed"]
    at = "earning"
    start, until = [results(at, "effective")], np.datetime64(results(at, "asof")) + 1
    assert results(at, "premium") == results(at, "written")
    earned = rm.ratemaking.earned_exposure(start, ["2003-03-01"], [results(at, "premium")], ["2002-01-01", until],
                                           basis="month")  # fmt: skip
    results.same(earned, at, "earned")
    held = rm.ratemaking.in_force(start, ["2003-03-01"], [900.0], [results(at, "asof")])
    results.same(held, at, "inforce")
    four = results(at, "policies_2019")
    start, end = ([f"{year}-{day}" for day in four["effective"]] for year in (2019, 2020))
    years = ["2019-01-01", "2020-01-01", "2021-01-01"]
    earned = rm.ratemaking.earned_exposure(start, end, np.ones(4), years, basis="month")
    assert earned.T.tolist() == [four["earned_2019"], four["earned_2020"]]
    assert (1 - earned[:, 0]).tolist() == four["unearned_end_2019"]
    assert earned[:, 0].sum() == four["earned_2019_total"]
    held = [rm.ratemaking.in_force([a], [b], [1.0], ["2020-01-01"]).item() for a, b in zip(start, end)]
    assert held == four["inforce_2020_01_01"]
    written = rm.ratemaking.policy_period_exposure(start, start, end, np.ones(4), years, "2020-12-31", basis="month")
    assert written.tolist() == [four["written_2019_total"], 0]
    by_amount_and_territory(results)
    at = "bms_malaysia"
    system = experience.bonus_malus(results(at, "levels")[::-1], down=1, up=None)
    frequency, alike = results(at, "lambda"), np.full(6, 1 / 6)
    stationary = experience.stationary(system, frequency)[::-1]
    results.same(stationary, at, "stationary")
    # the last is printed as what the others, rounded, leave of 1
    results.same(stationary, at, "stationary_printed", rtol=0, atol=1.4e-4)
    results.same(100 * experience.premium_path(system, frequency, 20, alike)[1:], at, "premium_by_year")
    # printed from rounded chances, so up to three units of the last digit away
    results.same(experience.distance_path(system, frequency, 5, alike)[1:], at, "tv_printed", rtol=0, atol=3e-4)
    at = "optimal_relativities_m1"
    system = experience.bonus_malus(np.ones(7), up=1)
    best = experience.optimal_relativities(system, results(at, "lambda"), results(at, "w"), 1.5)
    for key, value in (("PrL", best.share), ("constrained", best.balanced), ("unconstrained", best.by_money)):
        results.same(value[::-1], at, "computed", key, rtol=1e-7)
        results.same(100 * value[::-1], at, "printed_pct", key, rtol=0, atol=0.25)
    results.same(best.share @ best.by_money, at, "computed", "E_unconstrained", rtol=1e-7)
    results.same(100 * best.share @ best.by_money, at, "printed_pct", "E_unconstrained", rtol=0, atol=0.25)
    results.same(best.mean_risk[::-1], at, "computed", "pitrebois_norberg_E_theta_given_L(not printed)", rtol=1e-7)


def by_amount_and_territory(results):
    at, cells = "wm_aoi_territory", rm.ratemaking.cells
    rows = results(at, "rows")
    amount, place = cells.Factor("aoi", ("Low", "Medium", "High")), cells.Factor("terr", ("1", "2", "3"))
    codes = [[amount.levels.index(row[0]) for row in rows], [row[1] - 1 for row in rows]]
    units, loss = (np.array([row[column] for row in rows], float) for column in (2, 3))
    law = rm.ratemaking.family.poisson(overdispersed=True)
    made = cells.collapse([amount, place], codes, units, loss)
    fit = rm.ratemaking.fit_glm(made, ["aoi", "terr"], law, reference={"aoi": "Medium", "terr": "1"})
    value = dict(zip(fit.design.names, np.exp(fit.coefficient)))
    want = results(at, "computed_here_not_published", "min_bias_multiplicative(exposure weights)")
    assert value["intercept"] == pytest.approx(want["base(Medium,terr1)"], rel=1e-9)
    for axis in ("aoi", "terr"):
        for level, relativity in want[axis].items():
            assert value.get(f"{axis}[{level}]", 1.0) == pytest.approx(relativity, rel=1e-9)
    alone = cells.collapse([amount], codes[:1], units, loss)
    cost = alone.total / alone.weight
    results.same(cost, at, "printed_univariate", "loss_per_exposure", rtol=0, atol=5.01e-4)
    results.same(cost / cost[1], at, "printed_univariate", "relativity", rtol=0, atol=5.01e-4)


def textbook_severity_aggregate(results):
    law, agg, at = rm.ratemaking.distribution, rm.ratemaking.aggregate, "lda_3_4_1"
    given = results(at, "inputs")
    spread = rm.ratemaking.layer(law.exponential(given["exp_mean"]), [given["deductible"]], [np.inf]).variance_per_loss
    results.same(spread, at, "exact", "var_YL")
    results.same(spread, at, "printed", "var_YL", rtol=0, atol=0.5)
    at = "lda_3_4_3"
    now = law.quantile(law.exponential(1.0), results(at, "inputs", "LER_now"))
    then = rm.ratemaking.loss_elimination_ratio(law.exponential(1.0), now * results(at, "inputs", "deductible_ratio"))
    results.same(then, at, "exact", "LER_next")
    results.same(then, at, "printed", "LER_next", rtol=0, atol=5e-3)
    at = "lda_3_4_5"
    given = results(at, "inputs")
    parts = [rm.ratemaking.layer(law.exponential(given["exp_mean"]), [given["deductible"]], [given["max_payment"]],
                                 trend=trend) for trend in (1.0, 1 + given["trend"])]  # fmt: skip
    loss, payment = [one.per_loss.item() for one in parts], [one.per_payment.item() for one in parts]
    results.same(loss, at, "exact", "E_YL")
    results.same(payment, at, "exact", "E_YP")
    results.same(payment[1] / payment[0] - 1, at, "exact", "increase", rtol=1e-10)
    printed = results(at, "printed")
    for key, value in zip(("E_YL_06", "E_YL_07", "E_YP_06", "E_YP_07"), [*loss, *payment]):
        assert value == pytest.approx(printed[key], abs=2e-3)
    assert payment[1] / payment[0] - 1 == pytest.approx(printed["increase"], abs=5e-4)
    at = "lda_10_4_4"
    split = rm.ratemaking.split_by_layer(results(at, "inputs", "claims"), results(at, "inputs", "cuts"))
    results.same(split.T, at, "printed", "per_claim")
    results.same(split.sum(axis=0), at, "printed", "totals")
    at = "lda_5_2_1"
    people, top, q = (np.array(column) for column in zip(*results(at, "inputs", "groups")))
    mean, variance = (one.sum() for one in agg.moments(people * q, people * q * (1 - q), top / 2, top**2 / 12))
    results.same(mean, at, "exact", "mean")
    results.same(variance, at, "exact", "var")
    results.same(mean, at, "printed", "mean")
    results.same(variance, at, "printed", "var", rtol=0, atol=0.5)
    fixed = [one.sum() for one in agg.moments(people * q, people * q * (1 - q), top, 0.0)]
    results.same(fixed[0], at, "printed", "fixed_mean")
    results.same(fixed[1], at, "printed", "fixed_var")
    above = rm.ratemaking.approximate_survival([3500.0], mean, variance)
    results.same(above, at, "printed", "P_gt_3500_normal", rtol=0, atol=5e-4)
    at = "lda_5_4_1"
    chances = agg.panjer([0, *[0.25] * 4], agg.negative_binomial(1, results(at, "inputs", "geometric_mean")), 4)
    results.same(chances, at, "printed", "f")
    results.same(chances.sum(), at, "printed", "F3")
    at = "lda_5_3_6"
    sizes, beta = results(at, "inputs", "X"), results(at, "inputs", "geometric_beta")
    severity = [sizes.get(str(5 * at_), 0) for at_ in range(5)]
    whole = agg.compound(severity, agg.negative_binomial(1, beta), 400)
    over = agg.stop_loss(whole, [0, *map(float, results(at, "printed", "stop_loss"))], 5.0)
    results.same(over[0], at, "printed", "E_S", rtol=1e-9)
    results.same(over[1:], at, "exact", "stop_loss", rtol=1e-9)
    np.testing.assert_allclose(over[1:], list(results(at, "printed", "stop_loss").values()), rtol=0, atol=6e-4)
    results.same(over[0] - over[3], at, "printed", "E_S_min_15", rtol=0, atol=5e-4)
    at = "bahnemann_6_3_6_4"
    given, severity = results(at, "inputs"), law.lognormal(*map(float, results(at, "inputs", "lognormal")))
    limits, expense = np.array(given["limits"]), given["alae_per_claim"]
    results.same(law.limited_moment(severity, limits), at, "LEV")
    fixed = rm.ratemaking.increased_limit_factors(severity, limits, limits[0], expense_per_claim=expense)
    results.same(fixed, at, "ILF_fixed_alae")
    results.same(rm.ratemaking.increased_limit_factors(severity, limits, limits[0]), at, "ILF_proportional_alae")
    premium = (law.limited_moment(severity, limits) + expense) * given["frequency"] * given["exposure"]
    premium = premium / (1 - given["variable_expense"])
    results.same(premium, at, "premium")
    results.same(np.diff(premium, prepend=0.0), at, "layer_premium", rtol=1e-11)
    counts = {
        "kpw_9_5": (agg.empirical([0.05, 0.1, 0.15, 0.2, 0.25, 0.15, 0.06, 0.03, 0.01]),
                    [0, 0.15, 0.2, 0.25, 0.125, 0.075, 0.05, 0.05, 0.05, 0.025, 0.025]),
        "bahnemann_4_4": (agg.poisson(1.75), [0, 0.2, 0.4, 0.2, 0.15, 0.05]),
        "kpw_9_34": (agg.poisson(5), [0, 0.8, 0, 0, 0, 0.16, 0, 0, 0, 0, 0.04]),
    }  # fmt: skip
    for name, (count, severity) in counts.items():
        whole, x = agg.compound(severity, count, 200), np.arange(200)
        results.same(whole[: len(results(name, "pmf"))], name, "pmf", rtol=1e-9, atol=1e-12)
        results.same(whole @ x, name, "mean")
        results.same(whole @ x**2 - (whole @ x) ** 2, name, "var", rtol=1e-11)
        if name == "kpw_9_5":
            results.same(agg.stop_loss(whole, 25.0 * np.arange(8), 25.0), name, "stop_loss_premium_units25_d0_to_7")
    results.same(whole[6], "kpw_9_34", "P_600")
    at = "table_M_kpw_9_34"
    ratios = [row["r"] for row in results(at, "rows")]
    charge, savings = agg.insurance_charge(whole, ratios)
    np.testing.assert_allclose(charge, [row["charge"] for row in results(at, "rows")], rtol=1e-11)
    np.testing.assert_allclose(savings, [row["savings"] for row in results(at, "rows")], rtol=1e-11, atol=1e-13)
    results.same(whole @ x, at, "E")


WALKS = (allocation, bonus_malus_and_full_credibility, credibility_hachemeister_actuar, glm_R, ratemaking,
         reserving_bf_capecod, reserving_chainladder_R, severity_aggregate_actuar, textbook_credibility_ratemaking,
         textbook_severity_aggregate)  # fmt: skip


@pytest.mark.skipif(HERE is None, reason="the shared reference is not beside this checkout")
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_every_result(walk):
    results = Results(walk.__name__)
    walk(results)
    left = [leaf for leaf in results.unread() if not leaf.startswith(NOT_READ.get(walk.__name__, ("-",)) or ("-",))]
    assert not left


@pytest.mark.skipif(HERE is None, reason="the shared reference is not beside this checkout")
def test_every_file_is_walked():
    files = {path.stem for path in (HERE / "vectors").glob("*.json")}
    assert files == {walk.__name__ for walk in WALKS} | {"experience_rating"}
