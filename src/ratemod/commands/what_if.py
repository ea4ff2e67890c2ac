"""``ratemod what-if``: change numbers of a plan and see what the book does."""

from __future__ import annotations

import argparse
from pathlib import Path

from ratemod.commands.common import book_arguments, open_plan, read_list, unpriced
from ratemod.commands.pairs import pairs_of
from ratemod.errors import Lang, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument(
        "--set", dest="settings", metavar="PATH=VALUE", action="append", default=[], help=text("UI_help_set", lang)
    )
    parser.add_argument(
        "--scenario", metavar="NAME|FILE", action="append", default=[], help=text("UI_help_scenario", lang)
    )
    parser.add_argument("--grid", metavar="PATH=VALUES", action="append", default=[], help=text("UI_help_grid", lang))
    parser.add_argument("--by", metavar="COLUMN", help=text("UI_help_by", lang))
    parser.add_argument("--panel", metavar="FILE", type=Path, help=text("UI_help_panel", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Price scenarios; print what each comes to; 3 where some rows have no premium under the plan as it stands."""
    from ratemod.commands.compare import dislocation_text
    from ratemod.document.terminal import progress, table_text
    from ratemod.rating.rate import rate
    from ratemod.report.summary_table import named_columns
    from ratemod.whatif.dislocation import before_caps, compare
    from ratemod.whatif.engine import engine
    from ratemod.whatif.panel import panel
    from ratemod.whatif.scenario import apply, scenario, together, words
    from ratemod.whatif.shelf import find
    from ratemod.whatif.sweep import what_if

    if args.panel and not args.grid:
        args.usage_error(text("UI_required", lang, names="--grid"))
    plan = open_plan(args)
    read = [find(plan, given) for given in args.scenario]
    changes = pairs_of(args.settings, "PATH=VALUE")
    said = pairs_of(args.grid, "PATH=VALUE,VALUE").items()
    grid = {path: [value.strip() for value in values.split(",")] for path, values in said}
    by = named_columns(plan, args.by)  # refuses before the work
    with progress(text("UI_pricing", lang)):
        book = read_list(args, plan.columns)
    if changes or (len(read) == 1 and not grid):
        one = together("set", [*read, scenario("set", changes)])
        print("\n".join(words(plan, one, lang)))
        kept = before_caps(plan)
        steps = [kept] if kept else []
        before, after = (rate(book, priced, lang=lang, trace=steps) for priced in (plan, apply(plan, one)))
        found = compare(before, after)
        print(dislocation_text(found, lang, by))
        if not grid:
            return unpriced([before], lang)
    base = engine(book, plan)
    with progress(text("UI_pricing", lang)) as bar:
        sweep = what_if(book, plan, read, grid=grid or None, by=by, base=base, progress=bar.show)
    start = max(int(base.premium_fen.sum()), 1)
    rows = [
        [item.name, plan.money.shown(int(total)), f"{total / start - 1:+.2%}", f"{above:,}"]
        for item, total, above in zip(sweep.scenarios, sweep.total_fen, sweep.above_25)
    ]
    print(
        table_text(
            ["", plan.text("UI_panel_premium", lang), text("UI_panel_change", lang), "> +25 %"],
            rows,
            [False, True, True, True],
            widest=90,
        )
    )
    if args.panel:
        print(panel(book, plan, grid, by=by[0] if by else None, lang=lang, base=base).save(args.panel))
    return unpriced([base.rated], lang)
