"""What the verbs of the fund share: the province they read, the output they write, the proof they print."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import day, table_arguments
from ratemod.errors import BookError, Lang, Problem, problem, text

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.reading.folder import Folder

PROVINCE = Path("data") / "province"
BOOK = ("policies", "endorsements", "receipts", "coinsurance", "insurers")
PAPERS = (*BOOK, "services", "contracts", "budgets", "fund_payments", "parties", "service_bodies")
DONE, SOME_REFUSED = 0, 3


def province_arguments(parser: argparse.ArgumentParser, lang: Lang, lists: Sequence[str] = ()) -> None:
    """Add the folder, lists that stand for those of the folder, and the output."""
    from ratemod.vocabulary.table import table

    parser.add_argument("--province", metavar="DIR", type=Path, help=text("UI_help_fund_province", lang))
    parser.add_argument("--out", metavar="FILE", type=Path, help=text("UI_help_fund_out", lang))
    for name in lists:
        said = text("UI_help_fund_list", lang, label=table(name).label(lang))
        word = name.replace("_", "-")
        parser.add_argument(f"--{word}", dest=f"list_{name}", metavar="FILE", type=Path, help=said)
    table_arguments(parser, lang)


def rules_argument(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add the file of rules."""
    parser.add_argument("--rules", metavar="FILE", type=Path, help=text("UI_help_fund_rules", lang))


def day_argument(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Add the day of the state."""
    parser.add_argument("--at", metavar="DATE", type=day(lang), help=text("UI_help_fund_at", lang))


def lists_of(args: argparse.Namespace) -> Folder:
    """Return the lists given one by one, and those of the folder for the rest.

    Lists of one's own without a folder stand alone: nothing is added to them from the shipped province.
    """
    from ratemod.reading.folder import Folder, open_folder

    own = {name.removeprefix("list_"): file for name, file in vars(args).items() if name.startswith("list_") and file}
    if args.province is None and own:
        return Folder(next(iter(own.values())).parent, own)
    place = args.province or PROVINCE
    return Folder(place, {**open_folder(place).files, **own})


def illustrative(lists: Folder, lang: Lang) -> list[str]:
    """Return the words on numbers that no source states, and on data that are invented."""
    from ratemod.study.history import is_synthetic

    invented = [text("UI_disclosure_synthetic", lang)] if is_synthetic(lists.path) else []
    return [text("UI_fund_illustrative", lang), *invented]


def priced_renewals(tables: Folder) -> Rated:
    """Return next year's book of a folder, priced under the example plan in force when it begins.

    Raises
    ------
    BookError
        RM960 no renewal has a date on which it begins.
    """
    from ratemod.plan.editions import load_plan
    from ratemod.rating.rate import rate
    from ratemod.reading.read import read_book
    from ratemod.reading.shared_table import read_shared

    renewals = tables.table("renewals")
    starts = read_shared(renewals, "policies", ("start_date",))
    days = starts.cells["start_date"].values[starts.good]
    if not len(days):
        raise BookError([problem("RM960", file=str(renewals)), *starts.refused])
    plan = load_plan("jilin-spli", at=datetime.date(1970, 1, 1) + datetime.timedelta(days=int(days.min())))
    return rate(read_book(renewals, plan.columns, shared="renewals"), plan)


def insureds_of(tables: Folder) -> tuple[Any, Any, tuple[Problem, ...]]:
    """Return the insureds to be served, the money to serve them, and what is to be said of rows that were left out.

    A folder that lists them (`insureds`), with what each may cost, and the budgets is asked for nothing else; of any
    other the renewals are priced and levied, and what each may cost is estimated from the panel of policy years.
    """
    from ratemod.fund.expected import with_expected
    from ratemod.fund.levy import levy
    from ratemod.registers.coded_book import arrow_column

    if "insureds" in tables:
        return tables.table("insureds"), tables.table("budgets"), ()
    panel = tables.table("panel")
    rated = priced_renewals(tables)
    book, heads = rated.table, arrow_column(rated.plan.columns["heads"], rated.coding.inputs.numbers["heads"])
    book = book.set_column(book.column_names.index("heads"), "heads", heads)  # as understood: 百人 too
    book = book.filter(book["premium_fen"].is_valid())
    return with_expected(book, panel), levy(rated), rated.problems


def report(
    title: str,
    tables: Sequence[tuple[str, Any]],
    shown: Any,
    proved: int,
    refused: Sequence[Problem],
    args: argparse.Namespace,
    lang: Lang,
    lines: Sequence[str] = (),
) -> int:
    """Print the statement, write the file, say what was proved and what was left out; return the exit code."""
    from ratemod.document.terminal import problems_text
    from ratemod.fund.fund_document import called, fund_text, write_fund
    from ratemod.fund.of_folder import names_of
    from ratemod.reading.spoken import settled

    names = names_of(lists_of(args))
    settled()
    print(text(title, lang) + "\n")
    print(fund_text(called(shown, names), lang, 40))
    for line in lines:
        print("\n" + line)
    print("\n" + text("UI_fund_proved", lang, count=proved))
    if refused:
        print("\n" + problems_text(refused, lang))
    if args.out:
        print(text("UI_fund_written", lang, path=str(write_fund(tables, args.out, lang, names=names))))
    return SOME_REFUSED if refused else DONE
