"""The targets of the project, held to what was measured: ratios within one run, met or missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Rows = list[dict[str, Any]]
Target = tuple[str, float, float, bool]  # what, found, target, whether more is better


def held_to(found: dict[str, Rows]) -> Rows:
    """Return one row per target that the results say something about."""
    return [
        {
            "target": what,
            "wanted": f"{'≥' if more else '≤'} {wanted:g}",
            "found": f"{value:.2f}",
            "met": "yes" if (value >= wanted if more else value <= wanted) else "**no**",
        }
        for what, value, wanted, more in _targets(found)
    ]


def _targets(found: dict[str, Rows]) -> Iterator[Target]:
    for title, rows in found.items():
        if title.startswith("File to file"):
            yield from _files(title, rows)
        elif title.startswith("Compute only"):
            yield from _compute(rows)
        elif title.startswith("Start"):
            yield "`ratemod --help` over `import numpy`", _of(rows, "ratemod --help", "× numpy", "command"), 3, False
        elif title.startswith("Cost against size"):
            yield from _slopes(rows)
        elif title.startswith(("glm", "mods", "packages", "what_if", "fund")):
            yield from _jobs(title, rows)


def _files(title: str, rows: Rows) -> Iterator[Target]:
    traced = "every step" in title
    wanted = {"DuckDB SQL": 1.1, "polars": 1.4} if traced else {"DuckDB SQL": 1.5, "polars": 2.0, "pandas": 6.0}
    for name, least in wanted.items():
        for column, unit in (("× ratemod", "seconds"), ("× ratemod, processor", "processor seconds")):
            yield f"{title}: {name}, {unit}", _of(rows, name, column), least, True
    for column, unit in (("× ratemod", "seconds"), ("× ratemod, processor", "processor seconds")):
        yield f"{title}: over pyarrow's own, {unit}", 1 / _of(rows, "pyarrow floor", column), 1.3, False


def _compute(rows: Rows) -> Iterator[Target]:
    yield "compute over touching the bytes", 1 / _of(rows, "touching the same bytes", "× ratemod"), 2.75, False
    yield "compute: DuckDB", _of(rows, "DuckDB", "× ratemod"), 8, True
    yield "compute: pandas", _of(rows, "pandas", "× ratemod"), 50, True
    floats = next((row for row in rows if "plain float" in row["contender"]), None)
    if floats is not None:
        yield "exact fen over plain floats", 1 / float(floats["× ratemod"]), 1.3, False


def _slopes(rows: Rows) -> Iterator[Target]:
    sizes = {row["rows"]: row for row in rows}
    if len(rows) > 1 and max(sizes) >= 10**7:
        peaks = [row["peak MiB"] for row in rows if row["rows"] >= 10**7]
        yield "peak MiB", float(max(peaks)), 700, False
        yield "peak at most rows over peak at 10 million", peaks[-1] / peaks[0], 1.1, False
        yield "slope of processor seconds, last step", float(rows[-1]["slope"]), 1.05, False


def _jobs(title: str, rows: Rows) -> Iterator[Target]:
    """Yield the targets of the other jobs: ratios that their own tables print."""
    wanted = {
        "glm": {"glum": 10.0 if "5000000" in title else 3.0},
        "mods": {"polars": 4.0, "pandas": 20.0},
        "packages": {"ratingmodels 0.9.2, texts": 1.0, "ratingmodels 0.9.2, categoricals": 1.0},
        "what_if": {"NumPy, whole columns": 15.0},
    }.get(title.split()[0], {})
    for row in rows:
        name = row.get("contender", "")
        ratio = next((row[column] for column in row if column.strip() in ("× ratemod", "x ratemod")), None)
        if name in wanted and ratio is not None:
            what = ", ".join(part for part in (title.rstrip(" 0123456789"), row.get("sweep", ""), name) if part)
            yield what, float(ratio.replace(",", "")), wanted[name], True
        if title.startswith("fund") and name == "ratemod" and "seconds" in row:
            yield f"{title}: seconds", float(row["seconds"]), 1.0, False


def _of(rows: Rows, name: str, column: str, by: str = "contender") -> float:
    return float(next(row[column] for row in rows if row[by] == name))
