"""The batch function, and Spark: the same bytes as a single machine, refused rows kept, totals exact."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.books import table as seeded

import ratemod as rm
from ratemod import cluster
from ratemod.plan.grid import grid
from ratemod.rating.cluster import Broadcast, _map

ROWS = 3_000


@pytest.fixture(scope="module")
def plan():
    return rm.load_plan("jilin-spli", at="2026-01-01")


@pytest.fixture(scope="module")
def book(plan) -> pa.Table:
    """Rows with a sector nobody knows, an empty cell, a key that stands twice, and a unit with two limits."""
    table = seeded(plan, ROWS, seed=11)
    cells = {name: table[name].to_pylist() for name in table.column_names}
    cells["sector"][5] = "farming"
    cells["size_class"][700] = None
    cells["policy_no"][2_900] = cells["policy_no"][3]
    cells["credit_code"][2_000] = cells["credit_code"][9]
    cells["limit_yuan"][2_000], cells["limit_yuan"][9] = 400_000, 500_000
    cells["insurer"] = [("甲", "乙", "丙")[at % 3] for at in range(ROWS)]
    kinds = {field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type for field in table.schema}
    return pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in cells.items()})


@pytest.fixture(scope="module")
def single(plan, book, tmp_path_factory) -> pa.Table:
    folder = tmp_path_factory.mktemp("single")
    pq.write_table(book, folder / "book.parquet")
    done = rm.rate_file(folder / "book.parquet", plan, folder / "out.parquet", lang="en")
    assert done.counts["refused"] == 6
    return pq.read_table(done.target)


def canonical(table: pa.Table) -> bytes:
    """Return the Parquet bytes of a table with plain texts, in the order of its keys and units."""
    columns = [column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    plain = pa.table(dict(zip(table.column_names, columns))).replace_schema_metadata(None)
    plain = plain.cast(pa.schema([pa.field(field.name, field.type) for field in plain.schema]))
    plain = plain.sort_by([("credit_code", "ascending"), ("policy_no", "ascending")]).combine_chunks()
    out = io.BytesIO()
    pq.write_table(plain, out)
    return out.getvalue()


@pytest.mark.parametrize("size", [1, 333, ROWS])
def test_batches_together_are_the_single_machine(plan, book, single, size):
    book = book if size > 1 else book.slice(0, 12)
    single = single if size > 1 else single.slice(0, 12)
    broken = cluster.broken_keys(plan, book)
    batches = [cluster.rate_batch(plan, batch, broken=broken) for batch in book.to_batches(max_chunksize=size)]
    assert {batch.schema for batch in batches} == {cluster.batch_schema(plan, book.schema)}
    found = pa.Table.from_batches(batches)
    if size > 1:
        assert canonical(found) == canonical(single)
        assert found["status"].to_pylist().count("refused") == 6
    else:
        assert found["premium_fen"].to_pylist()[:3] == single["premium_fen"].to_pylist()[:3]


def test_other_steps_and_columns(plan, book):
    found = cluster.rate_batch(plan, book.to_batches()[0], steps=("base_rate",), carry=("heads",))
    assert {"base_rate", "heads", "policy_no"} <= set(found.schema.names)
    assert "total_float" not in found.schema.names


def test_a_batch_without_a_needed_column_is_refused(plan, book):
    with pytest.raises(rm.BookError) as error:
        cluster.rate_batch(plan, book.drop_columns(["heads"]).to_batches()[0])
    assert error.value.problems[0].code == "RM301"


PLANS = ["jilin-spli/2025-04", "jilin-spli/2020-11", "shandong-construction", "work-injury", "zhongshan-general"]


@pytest.mark.parametrize("name", PLANS)
def test_plans_travel(name):
    """The wildcard of a table is one object, told by identity: a copy of it would answer no cell."""
    plan = rm.load_plan(name)
    other = pickle.loads(pickle.dumps(plan))
    assert other.fingerprint == plan.fingerprint
    for step in plan.steps:
        read = step.operation
        if read.table:
            here, there = (grid(one.tables[read.table], read.by, one.columns) for one in (plan, other))
            values = here.values(plan.tables[read.table].column(read.column))
            assert np.array_equal(values, there.values(other.tables[read.table].column(read.column)), equal_nan=True), (
                step.name
            )


def test_a_plan_that_changed_on_the_way_is_noticed(plan, book):
    job = Broadcast(plan, "0" * 12, (), (), "en")
    with pytest.raises(rm.BookError) as error:
        list(_map(SimpleNamespace(value=job), iter(book.to_batches())))
    assert error.value.problems[0].code == "RM349"


# ---------------------------------------------------------------- Spark


@pytest.fixture(scope="module")
def spark():
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java here: Spark is not tested")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed: Spark is not tested")
    root = Path(__file__).parents[2]
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root / "src"), str(root)])
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    try:
        session = (
            sql.SparkSession.builder.master("local[2]")
            .appName("ratemod tests")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
            .getOrCreate()
        )
    except Exception as error:  # a Java that is too old, a sandbox without sockets
        pytest.skip(f"Spark does not start here: {str(error).splitlines()[0]}")
    yield session
    session.stop()


def test_spark_gives_the_same_bytes(spark, plan, book, single):
    for partitions in (3,):
        frame = spark.createDataFrame(book).repartition(partitions)
        rated = cluster.rate_spark(frame, plan)
        assert canonical(rated.toArrow()) == canonical(single)


def test_spark_adds_fen_exactly(spark, plan, book, single):
    totals = cluster.spark_totals(cluster.rate_spark(spark.createDataFrame(book).repartition(2), plan))
    names, fen, fund = (single[name].to_pylist() for name in ("insurer", "premium_fen", "fund_fen"))
    for row in totals.to_pylist():
        mine = [at for at, name in enumerate(names) if name == row["insurer"]]
        assert row["rows"] == len(mine)
        assert row["premium_fen"] == sum(fen[at] or 0 for at in mine)
        assert row["fund_fen"] == sum(fund[at] or 0 for at in mine)
        assert row["priced"] == sum(fen[at] is not None for at in mine)
    assert [row["insurer"] for row in totals.to_pylist()] == sorted({*names})
