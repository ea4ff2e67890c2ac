"""``ratemod fund``: the prevention fund, one verb a step of its year."""

from __future__ import annotations

import argparse
import importlib

from ratemod.errors import Lang, text

# Each verb is a module `fund_<verb>` with arguments(parser, lang) and run(args, lang).
VERBS = ("levy", "duties", "allocate", "ledger", "evaluate", "scorecard", "subsidy")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(title=text("UI_commands", lang), dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        said = text(f"UI_help_fund_{name}", lang)
        own = verbs.add_parser(name, help=said, description=said, add_help=False)
        own.lang = lang  # type: ignore[attr-defined]
        own._optionals.title = text("UI_options", lang)
        own.add_argument("-h", "--help", action="help", help=text("UI_help_help", lang))
        own.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text("UI_help_lang", lang))
        importlib.import_module(f"ratemod.commands.fund_{name}").arguments(own, lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Run one verb."""
    code: int = importlib.import_module(f"ratemod.commands.fund_{args.verb}").run(args, lang)
    return code
