"""What an actuary gives `rate_model` every day: numbers for levels, no factor, categories, rows with holes."""

import time

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import BookError, ModelError

ROWS = pd.DataFrame({"fleet": [0, 0, 1, 1] * 20, "use": ["home", "work"] * 40, "n": [1, 2, 2, 3] * 20, "w": 1.0})


def relativity(model):
    shown = model.frame()
    return dict(zip(shown.level, shown.relativity))


def test_a_reference_is_a_level_whatever_its_type():
    for level in (1, 1.0, "1", np.int64(1)):
        model = rm.rate_model(ROWS, total="n", weight="w", factors=["fleet"], reference={"fleet": level})
        assert relativity(model) == pytest.approx({"0": 0.6, "1": 1.0})
    with pytest.raises(ModelError, match=r"RM532.*'7'"):
        rm.rate_model(ROWS, total="n", weight="w", factors=["fleet"], reference={"fleet": 7})
    with pytest.raises(ModelError, match=r"RM527.*did you mean 'fleet'"):
        rm.rate_model(ROWS, total="n", weight="w", factors=["fleet"], reference={"flet": 1})


def test_the_model_of_one_mean():
    model = rm.rate_model(ROWS, total="n", weight="w", factors=[])
    assert model.base_rate == pytest.approx(2.0)
    assert model.predict(ROWS).shape == (80,) and np.allclose(model.predict(ROWS), 2.0)
    assert model.frame().empty and "no factors" in repr(model)
    assert model.fit.deviance == pytest.approx(model.fit.null_deviance)


def test_an_interaction_brings_its_columns():
    both = rm.rate_model(
        ROWS.assign(n=np.arange(80) % 7), total="n", weight="w", factors=["use"], interactions=[("use", "fleet")]
    )
    assert both.fit.design.terms == (("use",), ("fleet",), ("use", "fleet"))


def test_levels_keep_the_order_that_the_frame_declares():
    import polars as pl

    sizes = ["micro", "small", "medium", "large"]
    rows = pl.DataFrame({"size": sizes * 20, "n": [4, 3, 2, 1] * 20, "w": [1.0] * 80})
    enum = rows.with_columns(pl.col("size").cast(pl.Enum(sizes)))
    assert rm.rate_model(enum, total="n", weight="w", factors=["size"]).frame().level.tolist() == sizes
    ordered = rows.to_pandas().assign(size=pd.Categorical(sizes * 20, sizes, ordered=True))
    assert rm.rate_model(ordered, total="n", weight="w", factors=["size"]).frame().level.tolist() == sizes


def test_intervals_are_named_by_their_ends():
    values = [10, 30, 70, 200] * 20
    bands = pd.cut(values, [0, 20, 50, 100, 250])
    left = pd.Series(pd.arrays.IntervalArray(pd.cut(values, [0, 20, 50, 100, 250], right=False)))
    for band, first in ((bands, "(0, 20]"), (left, "[0, 20)")):
        rows = pd.DataFrame({"band": band, "n": [1, 2, 3, 4] * 20, "w": 1.0})
        model = rm.rate_model(rows, total="n", weight="w", factors=["band"])
        assert model.frame().level.tolist()[0] == first
        assert [name.split(",")[0].strip("[(") for name in model.frame().level] == ["0", "20", "50", "100"]
        assert model.predict(rows.head(4)) == pytest.approx([1, 2, 3, 4])


def test_rows_that_cannot_be_used_come_back_and_the_rest_is_fitted():
    rows = ROWS.astype({"n": object, "w": object, "use": object})
    rows.loc[3, "use"], rows.loc[5, "n"], rows.loc[7, "w"] = None, "many", -1.0
    rows.loc[9, ["n", "w"]], rows.loc[10, ["n", "w"]] = [2, 0.0], [0, 0.0]
    model = rm.rate_model(rows, total="n", weight="w", factors=["use"])
    done = model.rows.accounts
    assert (done.rows, done.used, done.refused, done.without_weight) == (80, 75, 4, 1)
    assert done.refused_total == 3 + 3 + 2 and dict(done.by_column) == {"use": 1, "n": 1, "w": 2}
    refused = model.refused
    assert refused.row.tolist() == [4, 6, 8, 10] and refused.code.tolist() == ["RM490", "RM491", "RM492", "RM493"]
    assert "4 refused with n 8" in repr(model) and "75 of 80 rows" in repr(model)
    rest = rm.rate_model(ROWS.drop(index=[3, 5, 7, 9, 10]), total="n", weight="w", factors=["use"])
    assert model.fit.coefficient == pytest.approx(rest.fit.coefficient)
    level = rm.rate_model(rows, total="n", weight="w", factors=["use"], missing="level")
    assert level.frame().level.tolist() == ["home", "work", "(missing)"]
    assert relativity(level)["(missing)"] * level.base_rate == pytest.approx(3.0)
    assert level.predict(pd.DataFrame({"use": [None, "home"]}))[0] == pytest.approx(3.0)


def test_a_column_that_names_the_rows_is_refused_by_name():
    rows = pd.DataFrame({"policy": [f"P{i}" for i in range(400)], "n": 1.0, "w": 1.0})
    with pytest.raises(ModelError, match="RM480 policy has 400 different values in 400 row"):
        rm.rate_model(rows, total="n", weight="w", factors=["policy"])
    wide = pd.DataFrame({"a": np.arange(20_000) % 100, "b": np.arange(20_000) // 200, "n": 1.0, "w": 1.0})
    with pytest.raises(ModelError, match=r"RM481.*a:b"):
        rm.rate_model(wide, total="n", weight="w", factors=["a", "b"], interactions=[("a", "b")])


def test_many_levels_are_those_of_the_rows_and_quick():
    levels, others = 3_000, 70
    draw = np.random.default_rng(1)
    code, other = np.arange(3 * levels) % levels, draw.integers(0, others, 3 * levels)
    rows = pd.DataFrame({"a": code, "b": other, "n": draw.poisson(3.0, 3 * levels) + 1.0, "w": 1.0})
    start = time.process_time()
    model = rm.rate_model(rows, total="n", weight="w", factors=["a", "b"])
    assert time.process_time() - start < 60
    mean = model.predict(rows)
    for name in ("a", "b"):  # the score equations of a Poisson: every margin is met
        gap = pd.Series(rows.n - mean).groupby(rows[name]).sum()
        assert np.abs(gap).max() < 1e-7
    # The standard error of a level of `a` by Schur complement over `a`, computed here from the margins alone.
    keep = [j for j, name in enumerate(model.fit.design.names) if not name.startswith("a[")]
    held = np.zeros((levels, others))
    np.add.at(held, (code, other), mean)
    full = np.diag(held.sum(0)) - held.T @ (held / held.sum(1)[:, None])
    base = int(model.fit.design.factors[1].levels[model.fit.design.reference[1]])
    inside = np.delete(np.delete(full, base, 0), base, 1)
    assert model.fit.standard_error[keep[1:]] == pytest.approx(np.sqrt(np.diag(np.linalg.inv(inside))), rel=1e-8)


def test_aliased_columns_are_named_among_many_levels():
    rows = pd.DataFrame({"a": np.arange(900) % 300, "n": 1.0 + np.arange(900) % 2, "w": 1.0})
    with pytest.raises(ModelError, match="RM537 b"):
        rm.rate_model(rows.assign(b=rows.a // 100), total="n", weight="w", factors=["a", "b"])


def test_an_unreadable_table_is_refused_whole():
    with pytest.raises(BookError, match="RM565"):
        rm.rate_model({"a": [None], "n": [1], "w": [1]}, total="n", weight="w", factors=["a"])
    with pytest.raises(BookError, match="RM496"):
        rm.rate_model({"a": ["x"], "n": [0], "w": [0]}, total="n", weight="w", factors=["a"])
