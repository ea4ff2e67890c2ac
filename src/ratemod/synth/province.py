"""A whole province: drawn block by block, kept in memory or written to a folder in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ratemod.errors import BookError, ModelError, Problem, nearest, problem
from ratemod.rules.options import strict
from ratemod.synth import block as one_block
from ratemod.synth import frame, fund_tables, levels, renewals, tables, truth, truth_tables
from ratemod.synth.calendar import day
from ratemod.synth.enterprises import NUMBERS, Window
from ratemod.synth.stream import BLOCK
from ratemod.synth.write import FORMATS, Format, Writer
from ratemod.whole_file import file_set, write_problem

MOST_YEARS, FIRST_YEARS = 40, (1990, 2100)

BY_BLOCK: Mapping[str, Callable[[one_block.Block], frame.Table]] = {
    "enterprises": tables.enterprises,
    "policies": tables.policies,
    "endorsements": tables.endorsements,
    "coinsurance": tables.coinsurance,
    "claims": tables.claims,
    "payments": tables.payments,
    "valuations": tables.valuations,
    "hazards": tables.hazard_register,
    "certificates": tables.certificates,
    "integrity": tables.integrity,
    "blacklist": tables.blacklist,
    "services": fund_tables.services,
    "ledger": fund_tables.ledger,
    "panel": truth_tables.panel,
    "renewals": renewals.renewals,
    "truth_enterprises": truth_tables.enterprises,
    "truth_terms": truth_tables.terms,
    "truth_claims": truth_tables.claims,
}
WHOLE = ("insurers", "rate_changes", "truth_parameters")
TABLES = (*BY_BLOCK, *WHOLE)


@dataclass(frozen=True, slots=True)
class Province:
    """A synthetic province: its tables, in memory or in a folder.

    Attributes
    ----------
    folder : Path or None
        Where the tables are, if they were written.
    format : "parquet" or "csv"
    held : mapping of table name to pyarrow.Table
        The tables, if they are in memory.
    """

    folder: Path | None = None
    format: Format = "parquet"
    held: Mapping[str, frame.Table] = field(default_factory=dict)

    @strict
    def table(self, name: str, columns: list[str] | None = None) -> frame.Table:
        """Return one table, or some of its columns.

        Parameters
        ----------
        name : one of `TABLES`
        columns : list of str, optional

        Raises
        ------
        ModelError
            RM905 when the folder lacks the table, RM906 when no province has it.
        """
        if name not in TABLES:
            raise ModelError(problem("RM906", value=name, nearest=nearest(name, TABLES)))
        if self.folder is None:
            return self.held[name] if columns is None else self.held[name].select(columns)
        path = self.folder / f"{name}.{self.format}"
        if not path.exists():
            raise ModelError(problem("RM905", path=str(self.folder), name=name))
        return _read(path, self.format, columns)

    @property
    def renewals(self) -> frame.Table:
        """Return the renewal book: what a plan prices."""
        return self.table("renewals")


def _read(path: Path, format: Format, columns: list[str] | None) -> frame.Table:
    """Read one table; codes that look like numbers stay text."""
    if format == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return file.read(columns)
    import pyarrow as pa
    import pyarrow.csv as pc

    texts = {name: pa.string() for name in ("division_code", "industry_code", "credit_code", "level")}
    options = pc.ConvertOptions(
        column_types=texts, include_columns=columns or [], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    return pc.read_csv(path, convert_options=options)


def load_province(folder: str | os.PathLike[str]) -> Province:
    """Open a province that `synthesize` wrote.

    Raises
    ------
    ModelError
        RM905 when the folder holds no enterprises table.
    """
    place = Path(folder)
    for format in FORMATS:
        if (place / f"enterprises.{format}").exists():
            return Province(place, format)
    raise ModelError(problem("RM905", path=str(place), name="enterprises"))


@strict
def synthesize(
    enterprises: int = 3000,
    years: int = 5,
    seed: int = 2026,
    *,
    first_year: int = 2021,
    out: str | os.PathLike[str] | None = None,
    format: Format = "parquet",
    mess: int = 0,
    batch: int = 4 * BLOCK,
    planted: truth.Truth | None = None,
) -> Province:
    """Make a synthetic province whose true parameters are known.

    Parameters
    ----------
    enterprises : int
        How many; a smaller province with the same seed is the beginning of a larger one.
    years : int
        Years of history. Valuation day is the last 31 December; the renewal book is for the year after.
    seed : int >= 0
        The same seed gives the same bytes, whatever `batch`.
    first_year : int
        Calendar year in which the first policies start.
    out : path, optional
        Folder to write to, one file per table, in bounded memory. Without it the tables are kept in memory.
    format : "parquet" or "csv"
    mess : int
        How many errors to plant into a text copy of the renewals (``renewals_messy.csv``), with a key of what was
        planted where (``mess_key.csv``). Needs `out`.
    batch : int
        About how many enterprises are in work at one time.
    planted : Truth, optional
        Other parameters than the default ones.

    Returns
    -------
    Province

    Raises
    ------
    ModelError
        RM900 to RM903, RM908 to RM910: all bad arguments at once. RM904 when the renewals cannot take the errors.
    BookError
        RM801, RM802, RM805, RM806: where the folder cannot be made.

    Examples
    --------
    >>> province = synthesize(50, 3, seed=1)
    >>> province.table("enterprises").num_rows
    50
    """
    _check(enterprises, years, seed, first_year, format, mess, batch, out)
    plan, window = planted or truth.Truth(), Window(first_year, years)
    drawn = _blocks(plan, window, seed, enterprises, max(batch // BLOCK, 1))
    if out is None:
        return Province(held=_in_memory(drawn) | _whole(plan, window))
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BookError(write_problem(error, str(folder))) from None
    _to_folder(drawn, _whole(plan, window), folder, format)
    province = Province(folder, format)
    if mess:
        from ratemod.synth import mess as dirt

        dirt.write(province.renewals, mess, seed, folder)
    return province


def _check(
    enterprises: int, years: int, seed: int, first_year: int, format: str, mess: int, batch: int, out: Any
) -> None:
    """Raise one error with all bad arguments."""
    found: list[Problem] = []
    if not 1 <= enterprises <= NUMBERS:
        found.append(problem("RM900", value=enterprises, most=NUMBERS))
    if not 1 <= years <= MOST_YEARS:
        found.append(problem("RM901", value=years, most=MOST_YEARS))
    if seed < 0:
        found.append(problem("RM903", value=seed))
    if mess and out is None:
        found.append(problem("RM908"))
    if not FIRST_YEARS[0] <= first_year <= FIRST_YEARS[1]:
        found.append(problem("RM909", value=first_year, least=FIRST_YEARS[0], most=FIRST_YEARS[1]))
    if batch < 1:
        found.append(problem("RM910", value=batch))
    if found:
        raise ModelError(found)


def _blocks(
    plan: truth.Truth, window: Window, seed: int, enterprises: int, ahead: int
) -> Iterator[dict[str, frame.Table]]:
    """Yield the tables of each block in order; at most `ahead` blocks are in work."""
    many = -(-enterprises // BLOCK)

    def make(number: int) -> dict[str, frame.Table]:
        drawn = one_block.draw(plan, window, seed, number, min(BLOCK, enterprises - number * BLOCK))
        return {name: build(drawn) for name, build in BY_BLOCK.items()}

    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, ahead)) as pool:
        numbers = iter(range(many))
        waiting = [pool.submit(make, number) for number in islice(numbers, ahead)]
        while waiting:
            done = waiting.pop(0).result()
            waiting += [pool.submit(make, number) for number in islice(numbers, 1)]
            yield done


def _in_memory(drawn: Iterator[dict[str, frame.Table]]) -> dict[str, frame.Table]:
    """Return whole tables."""
    import pyarrow as pa

    parts: dict[str, list[frame.Table]] = {name: [] for name in BY_BLOCK}
    for block in drawn:
        for name, table in block.items():
            parts[name].append(table)
    return {name: pa.concat_tables(pieces).combine_chunks() for name, pieces in parts.items()}


def _to_folder(
    drawn: Iterator[dict[str, frame.Table]], whole: Mapping[str, frame.Table], folder: Path, format: Format
) -> None:
    """Write all tables, each under a temporary name until it is whole."""
    writers: dict[str, Writer] = {}
    with file_set() as files:

        def add(name: str, table: frame.Table) -> None:
            if name not in writers:
                writers[name] = Writer(files.new(folder / f"{name}.{format}"), format, table.schema)
            writers[name].add(table)

        try:
            for block in drawn:
                for name, table in block.items():
                    add(name, table)
            for name, table in whole.items():
                add(name, table)
        except BaseException:
            for writer in writers.values():
                writer.abandon()
            raise
        for writer in writers.values():
            writer.close()


def _whole(plan: truth.Truth, window: Window) -> dict[str, frame.Table]:
    """Return the tables that are not by enterprise: insurers, rate changes, planted parameters."""
    import pyarrow as pa

    changes = [
        (window.first_year + year, month, of_month, factor)
        for year, month, of_month, factor in plan.market.rate_changes
        if year < window.years
    ]
    listed = truth.rows(plan)
    return {
        "insurers": pa.table({"insurer": list(levels.INSURERS), "name": list(levels.INSURER_NAMES)}),
        "rate_changes": pa.table(
            {
                "effective_date": pa.array([day(*when) for *when, _ in changes], pa.int32()).cast(pa.date32()),
                "factor": pa.array([factor for *_, factor in changes], pa.float64()),
            }
        ),
        "truth_parameters": pa.table({key: [row[key] for row in listed] for key in listed[0]}),
    }
