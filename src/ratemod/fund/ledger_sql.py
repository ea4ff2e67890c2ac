"""A ledger for anyone who asks their own questions in SQL: views in an embedded DuckDB, nothing written, no files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import ModelError, problem
from ratemod.fund.fund_table import day_column
from ratemod.fund.ledger import FundLedger

if TYPE_CHECKING:
    import duckdb

VIEWS = ("journal", "statement", "flags", "services", "payments", "levy", "levy_movements")


def views(ledger: FundLedger) -> dict[str, pa.Table]:
    """Return the tables behind the views, by name (`VIEWS`)."""
    done, paid = ledger.papers.services, ledger.papers.payments
    return {
        "journal": _plain(ledger.table),
        "statement": ledger.statement_table(),
        "flags": ledger.flags,
        "services": _table(done.values),
        "payments": _table({name: column for name, column in paid.values.items() if name != "service"}),
        "levy": _plain(ledger.levied.table),
        "levy_movements": _plain(ledger.levied.movement_table()),
    }


def sql_connection(ledger: FundLedger) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection in memory with one view a table: `VIEWS`.

    Raises
    ------
    ModelError
        RM738 when DuckDB is not installed (``pip install ratemod[sql]``).

    Notes
    -----
    The connection can neither read nor write files, nor load extensions: what is asked stays within the ledger.
    """
    try:
        import duckdb
    except ImportError:
        raise ModelError(problem("RM738")) from None
    connection = duckdb.connect(":memory:")
    for name, table in views(ledger).items():
        connection.register(name, table)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def ask(ledger: FundLedger, sql: str) -> pa.Table:
    """Return the answer to a question in SQL.

    Raises
    ------
    ModelError
        RM738 no DuckDB, RM739 DuckDB refuses the question; its own words are kept.
    """
    connection = sql_connection(ledger)
    import duckdb

    try:
        relation = connection.sql(sql)
        answer = pa.table({}) if relation is None else relation.to_arrow_table()
    except duckdb.Error as error:
        raise ModelError(problem("RM739", why=str(error).strip().splitlines()[0], views=", ".join(VIEWS))) from None
    finally:
        connection.close()
    return answer


def _table(values: Any) -> pa.Table:
    return pa.table(
        {
            name: day_column(column)
            if name == "date" or name.endswith("_date")
            else pa.array(column.tolist(), pa.string())
            if column.dtype == object
            else pa.array(column)
            for name, column in values.items()
        }
    )


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with texts in place of levels."""
    return pa.table(
        {
            name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for name, column in zip(table.column_names, table.columns)
        }
    )
