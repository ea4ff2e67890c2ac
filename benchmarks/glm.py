"""A Poisson frequency model of six factors, fitted on cells, beside glum, scikit-learn and statsmodels on rows.

``python -m benchmarks.glm [--rows N] [--repeats K]``. Every contender runs in a process of its own, in turn, so
that its peak memory is its own; the data are drawn from a seed before the clock starts, as integer codes, which is
what each of them takes at best: glum and ratemod codes, the others the columns of a design matrix. Coefficients are
compared with Newton's method on cells at a tolerance of 1e-14 before anything is reported.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from statistics import median
from typing import Any

import numpy as np

LEVELS = {"sector": 8, "size_class": 4, "division": 10, "standardisation": 4, "hazard_state": 5, "year": 5}
CONTENDERS = ("ratemod", "glum", "scikit-learn", "statsmodels")
STATSMODELS_MOST = 1_000_000


def drawn(rows: int) -> tuple[dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return codes, exposure in head-years and claim counts, from a fixed seed."""
    rng = np.random.default_rng(20260101)
    codes = {name: rng.integers(0, n, rows).astype(np.int64) for name, n in LEVELS.items()}
    weight = rng.lognormal(2.5, 1.0, rows)
    log_mean = np.full(rows, np.log(0.0025))
    for j, (name, n) in enumerate(LEVELS.items()):
        log_mean += (np.linspace(-0.4, 0.4, n) * (-1) ** j)[codes[name]]
    return codes, weight, rng.poisson(weight * np.exp(log_mean)).astype(np.float64)


def ratemod(codes: dict[str, Any], weight: Any, counts: Any) -> tuple[float, Any]:
    """Collapse and fit."""
    from ratemod.ratemaking.cells import Factor, collapse
    from ratemod.ratemaking.family import poisson
    from ratemod.ratemaking.glm import fit_glm

    factors = [Factor(name, tuple(map(str, range(n)))) for name, n in LEVELS.items()]
    start = time.perf_counter()
    fit = fit_glm(
        collapse(factors, list(codes.values()), weight, counts),
        list(LEVELS),
        poisson(),
        reference=dict.fromkeys(LEVELS, "0"),
    )
    return time.perf_counter() - start, fit.coefficient


def glum(codes: dict[str, Any], weight: Any, counts: Any) -> tuple[float, Any]:
    """Fit on rows with glum's categorical columns."""
    import pandas as pd
    from glum import GeneralizedLinearRegressor

    frame = pd.DataFrame({name: pd.Categorical.from_codes(code, range(LEVELS[name])) for name, code in codes.items()})
    start = time.perf_counter()
    model = GeneralizedLinearRegressor(family="poisson", alpha=0, drop_first=True, gradient_tol=1e-8)
    model.fit(frame, counts / weight, sample_weight=weight)
    return time.perf_counter() - start, np.concatenate([[model.intercept_], model.coef_])


def dummies(codes: dict[str, Any]) -> Any:
    """Return a sparse design without first levels."""
    from scipy import sparse

    rows = np.arange(len(next(iter(codes.values()))))
    parts = [
        sparse.csr_matrix((np.ones(len(rows)), (rows, code)), shape=(len(rows), LEVELS[name]))[:, 1:]
        for name, code in codes.items()
    ]
    return sparse.hstack(parts, format="csr")


def scikit_learn(codes: dict[str, Any], weight: Any, counts: Any) -> tuple[float, Any]:
    """Fit on rows with a sparse design and Newton's method."""
    from sklearn.linear_model import PoissonRegressor

    matrix = dummies(codes)
    start = time.perf_counter()
    model = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-9, max_iter=100)
    model.fit(matrix, counts / weight, sample_weight=weight)
    return time.perf_counter() - start, np.concatenate([[model.intercept_], model.coef_])


def statsmodels(codes: dict[str, Any], weight: Any, counts: Any) -> tuple[float, Any]:
    """Fit on rows with a dense design."""
    import statsmodels.api as sm

    matrix = np.column_stack([np.ones(len(weight)), dummies(codes).toarray()])
    start = time.perf_counter()
    model = sm.GLM(counts, matrix, family=sm.families.Poisson(), exposure=weight).fit(tol=1e-12)
    return time.perf_counter() - start, model.params


def one(name: str, rows: int) -> dict[str, Any]:
    """Run one contender in this process."""
    codes, weight, counts = drawn(rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = {"ratemod": ratemod, "glum": glum, "scikit-learn": scikit_learn, "statsmodels": statsmodels}[name]
    seconds, found = run(codes, weight, counts)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "mib": (after - before) / 1024, "coefficient": [float(value) for value in found]}


def compare(rows: int, repeats: int) -> list[dict[str, Any]]:
    """Return one row a contender: seconds, ratio, memory beyond the data, distance from the exact coefficients."""
    found: dict[str, list[dict[str, Any]]] = {}
    for turn in range(repeats):
        for name in CONTENDERS:
            if name == "statsmodels" and (rows > STATSMODELS_MOST or turn):
                continue
            out = subprocess.run(
                [sys.executable, "-m", "benchmarks.glm", "--one", name, "--rows", str(rows)],
                capture_output=True,
                text=True,
                check=False,
            )
            if out.returncode == 0:
                found.setdefault(name, []).append(json.loads(out.stdout.splitlines()[-1]))
            else:
                print(f"{name}: {out.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    exact = np.array(found["ratemod"][0]["coefficient"])
    ours = median(item["seconds"] for item in found["ratemod"])
    return [
        {
            "contender": name,
            "rows": rows,
            "seconds": round(median(item["seconds"] for item in runs), 3),
            "x ratemod": round(median(item["seconds"] for item in runs) / ours, 1),
            "MiB beyond the data": round(max(item["mib"] for item in runs)),
            "largest error of a coefficient": f"{np.abs(np.array(runs[0]['coefficient']) - exact).max():.1e}",
        }
        for name, runs in found.items()
    ]


def main() -> None:
    """Run it and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=CONTENDERS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(args.one, args.rows)))
        return
    from benchmarks.report import markdown

    print(markdown("Poisson frequency, six factors", compare(args.rows, args.repeats)))


if __name__ == "__main__":
    main()
