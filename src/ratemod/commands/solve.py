"""``ratemod solve``: find the change that reaches a target."""

from __future__ import annotations

import argparse

from ratemod.commands.common import book_arguments, open_plan, read_list, unpriced
from ratemod.commands.pairs import pairs_of
from ratemod.errors import Lang, ModelError, problem, text

FIND = "PATH=LOW..HIGH[:STEP]"


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    book_arguments(parser, lang)
    parser.add_argument(
        "--find", metavar="PATH=LOW..HIGH", action="append", required=True, help=text("UI_help_unknown", lang)
    )
    parser.add_argument(
        "--target", metavar="MEASURE=VALUE", action="append", required=True, help=text("UI_help_target", lang)
    )
    parser.add_argument("--losses", metavar="YUAN", type=float, help=text("UI_help_losses", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Solve and print the answer; 3 where some rows have no premium under the plan as it stands."""
    from ratemod.document.terminal import progress
    from ratemod.whatif.engine import engine
    from ratemod.whatif.solve import solve, unknown

    plan = open_plan(args)
    wanted = []
    for path, span in pairs_of(args.find, FIND).items():
        ends, _, step = span.partition(":")
        low, found, high = ends.partition("..")
        if not found:
            raise ModelError(problem("RM857", given=span, wanted=FIND))
        wanted.append(unknown(path, number(low), number(high), number(step or "0.001")))
    targets = {name: float(number(value)) for name, value in pairs_of(args.target, "MEASURE=VALUE").items()}
    with progress(text("UI_pricing", lang)):
        book = read_list(args, plan.columns)
        base = engine(book, plan)
        answer = solve(book, plan, wanted, targets, losses_yuan=args.losses, base=base)
    reached = ", ".join(f"{name} {value:.6g}" for name, value in answer.reached.items())
    for path, value in answer.values.items():
        print(
            plan.text(
                "UI_whatif_solved",
                lang,
                path=path,
                value=f"{value:f}",
                reached=reached,
                premium=plan.money.said(answer.total_fen),
                priced=answer.priced,
            )
        )
    return unpriced([base.rated], lang)


def number(said: str) -> str:
    """Return a number as written.

    Raises
    ------
    ModelError
        RM857 when it is none.
    """
    try:
        float(said)
    except ValueError:
        raise ModelError(problem("RM857", given=said, wanted="0.123")) from None
    return said
