"""``ratemod demo``: a shipped book under a shipped plan, shown from end to end."""

from __future__ import annotations

import argparse
import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ratemod.errors import BookError, Lang, text

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

PLAN, AT = "jilin-spli", "2026-01-01"
MOST_REFUSED = 20


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("ratemod-demo"), help=text("UI_help_demo_out", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price the demonstration book, explain one premium, list what was refused, say where the files are."""
    from ratemod.commands.common import facts, open_plan, price
    from ratemod.commands.project import settle
    from ratemod.commands.rate import arguments as arguments_of_rate
    from ratemod.commands.rate import full_facts, write
    from ratemod.rating.summary import default_by
    from ratemod.rating.target import check_target, whole_file, write_problem
    from ratemod.rating.worksheet_words import worksheet_text
    from ratemod.report.rated_text import rated_text

    folder: Path = args.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BookError(write_problem(error, str(folder))) from None
    given = folder / "renewals.xlsx"
    targets = [check_target(folder / name, [given]) for name in ("priced.xlsx", "priced.csv", "priced.parquet")]
    with resources.as_file(resources.files("ratemod") / "demo" / "renewals.xlsx") as shipped, whole_file(given) as part:
        shutil.copyfile(shipped, part)
    as_typed = argparse.ArgumentParser()
    arguments_of_rate(as_typed, lang)
    told = as_typed.parse_args([str(given), "--plan", PLAN, "--at", AT, "--business", "renewal", "--no-project"])
    settle(told, lang)
    rated = price(told, open_plan(told), lang, trace=False)
    by = default_by(rated.plan)
    files = [str(given)]
    for target in targets:
        files += write(rated, target, lang, by, full_facts(told, lang), [given])
    parts = [
        rated_text(rated, by, lang, facts(told, lang)),
        heading("UI_demo_explain", lang),
        worksheet_text(rated.explain(telling_key(rated)), lang),
        heading("UI_demo_refused", lang),
        refused_text(rated, lang),
        text("UI_files", lang) + "\n" + "\n".join(f"  {file}" for file in files),
        text("UI_demo_next", lang, plan=PLAN, at=AT),
    ]
    print("\n\n".join(parts))
    return 0


def heading(code: str, lang: Lang) -> str:
    """Return a heading between parts of the demonstration."""
    from ratemod.document.terminal import display_width

    said = text(code, lang)
    return f"{said}\n{'═' * display_width(said)}"


def telling_key(rated: Rated) -> str:
    """Return the key of a priced row that shows most: the first whose premium was bound, else the first priced."""
    rows = rated.table.select([rated.plan.key, "status", "bounds"]).to_pylist()
    priced = [row for row in rows if row["status"] in ("rated", "referred")]
    bound = [row for row in priced if row["bounds"]]
    return str((bound or priced)[0][rated.plan.key])


def refused_text(rated: Rated, lang: Lang) -> str:
    """Return the rows that were not priced with their reasons, at most `MOST_REFUSED`."""
    from ratemod.document.terminal import table_text
    from ratemod.report.priced_columns import refused_view

    columns = {column.name: column.values for column in refused_view(rated, lang)}
    names = ("row", rated.plan.key or "row", "status", "reason")
    picked = [columns[name].slice(0, MOST_REFUSED).to_pylist() for name in names]
    rows = [["" if cell is None else str(cell) for cell in row] for row in zip(*picked)]
    headers = [text(f"UI_{name}", lang) for name in ("row", "key", "status", "reason")]
    said = table_text(headers, rows, [True, False, False, False], widest=90)
    more = len(columns["row"]) - MOST_REFUSED
    return f"{said}\n{text('RM002', lang, more=more)}" if more > 0 else said
