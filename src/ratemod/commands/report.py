"""``ratemod report``: what goes to a regulator, a reviewer or the public, one verb a report."""

from __future__ import annotations

import argparse
import importlib

from ratemod.errors import Lang, text

# Each verb is a module `report_<verb>` with arguments(parser, lang) and run(args, lang).
VERBS = ("filing", "year", "disclosure", "attack")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(title=text("UI_commands", lang), dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        said = text(f"UI_help_report_{name}", lang)
        own = verbs.add_parser(name, help=said, description=said, add_help=False)
        own.lang = lang  # type: ignore[attr-defined]
        own._positionals.title = text("UI_arguments", lang)
        own._optionals.title = text("UI_options", lang)
        own.add_argument("-h", "--help", action="help", help=text("UI_help_help", lang))
        importlib.import_module(f"ratemod.commands.report_{name}").arguments(own, lang)
        own.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text("UI_help_lang", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Run one verb."""
    code: int = importlib.import_module(f"ratemod.commands.report_{args.verb}").run(args, lang)
    return code
