"""``ratemod severity``: single losses in; families fitted and compared, layers and increased limits factors out."""

from __future__ import annotations

import argparse

from ratemod.commands.method_common import headers_of, list_arguments, named, show, target_of
from ratemod.errors import Lang, ModelError, nearest, problem, text


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    list_arguments(parser, lang, "UI_help_severity_file")
    parser.add_argument("--sheet", metavar="SHEET", action="append", help=text("UI_help_sheet", lang))
    parser.add_argument("--families", metavar="NAMES", help=text("UI_help_families", lang))
    parser.add_argument("--chosen", metavar="FAMILY", help=text("UI_help_chosen", lang))
    parser.add_argument("--layer", metavar="LOW..HIGH", action="append", default=[], help=text("UI_help_layer", lang))
    parser.add_argument("--limits", metavar="YUAN,YUAN", help=text("UI_help_limits", lang))
    parser.add_argument("--base-limit", metavar="YUAN", type=float, help=text("UI_help_base_limit", lang))
    parser.add_argument("--expense", metavar="YUAN", type=float, help=text("UI_help_expense", lang))
    parser.add_argument("--trend", metavar="FACTOR", type=float, help=text("UI_help_severity_trend", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Fit and compare; 0 every row and family, 3 when some were left out, with the reasons."""
    from ratemod.document.terminal import progress
    from ratemod.ratemaking.severity import PARAMETERS
    from ratemod.ratemaking.severity_fits import fit_severities, layer_table, limit_table, read_losses
    from ratemod.report.methods import severity_document

    target = target_of(args)
    layers = [layer_of(said) for said in args.layer]
    limits = [yuan_of(said, "YUAN") for said in named(args.limits)]
    if bool(limits) != (args.base_limit is not None):
        raise ModelError(problem("RM468", one="--limits", other="--base-limit"))
    if args.expense is not None and not limits:
        raise ModelError(problem("RM468", one="--expense", other="--limits"))
    if args.trend is not None and not layers:
        raise ModelError(problem("RM468", one="--trend", other="--layer"))
    with progress(text("UI_reading", lang, file=args.file.name)):
        losses = read_losses(args.file, header_map=headers_of(args), sheet=args.sheet)
    found = fit_severities(losses, named(args.families) or tuple(PARAMETERS))
    if args.chosen:
        names = [one.family for one in found.fits]
        if args.chosen not in names:
            near = nearest(args.chosen, names)
            raise ModelError(problem("RM469", name=args.chosen, known=", ".join(names), nearest=near))
    chosen = next((one for one in found.fits if one.family == args.chosen), found.best)
    tables = (
        layer_table(chosen, layers, trend=1.0 if args.trend is None else args.trend),
        limit_table(chosen, limits, args.base_limit or 1.0, expense_per_claim=args.expense or 0.0),
    )
    show(lambda tongue: severity_document(losses, found, chosen, *tables, tongue), found.frame(), target, lang)
    return 3 if losses.refused or found.failed else 0


def layer_of(said: str) -> tuple[float, float]:
    """Return deductible and width of a layer ``LOW..HIGH``; without HIGH it has no end.

    Raises
    ------
    ModelError
        RM857 when it is none.
    """
    low, found, high = said.partition("..")
    begin, end = yuan_of(low, "LOW..HIGH"), yuan_of(high, "LOW..HIGH") if high else float("inf")
    if not found or not end > begin:
        raise ModelError(problem("RM857", given=said, wanted="LOW..HIGH"))
    return begin, end - begin


def yuan_of(said: str, wanted: str) -> float:
    """Return an amount as written; separators of thousands stand in no list with commas.

    Raises
    ------
    ModelError
        RM857 when it is none.
    """
    try:
        value = float(said.replace("_", ""))
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise ModelError(problem("RM857", given=said, wanted=wanted))
    return value
