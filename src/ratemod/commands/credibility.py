"""``ratemod credibility``: firms or classes by periods in, the credibility estimate of each out."""

from __future__ import annotations

import argparse

from ratemod.commands.method_common import given, headers_of, list_arguments, named, show, target_of
from ratemod.errors import Lang, text

METHODS = ("limited_fluctuation", "buhlmann", "buhlmann_straub", "buhlmann_straub_iterative", "hierarchical",
           "hierarchical_ohlsson", "hierarchical_iterative", "hachemeister", "poisson_gamma",
           "semiparametric_poisson")  # fmt: skip
OPTIONS = ("full", "probability", "within", "variation", "variance_to_mean")
ROLES = ("firm", "period", "value", "weight")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    list_arguments(parser, lang, "UI_help_credibility_file")
    parser.add_argument("--method", choices=METHODS, default="buhlmann_straub", help=text("UI_help_cred_method", lang))
    for name in ROLES:
        parser.add_argument(f"--{name}", metavar="COLUMN", help=text(f"UI_help_cred_{name}", lang))
    parser.add_argument("--levels", metavar="COLUMNS", help=text("UI_help_cred_levels", lang))
    parser.add_argument("--full", metavar="CLAIMS", type=float, help=text("UI_help_cred_full", lang))
    parser.add_argument("--probability", metavar="P", type=float, help=text("UI_help_cred_probability", lang))
    parser.add_argument("--within", metavar="SHARE", type=float, help=text("UI_help_cred_within", lang))
    parser.add_argument("--variation", metavar="CV", type=float, help=text("UI_help_cred_variation", lang))
    parser.add_argument("--variance-to-mean", metavar="RATIO", type=float, help=text("UI_help_cred_dispersion", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Estimate every firm; 0 all, 3 when some were refused."""
    from ratemod.document.terminal import progress
    from ratemod.experience.credibility import credibility
    from ratemod.report.methods import credibility_document

    target = target_of(args)
    with progress(text("UI_reading", lang, file=args.file.name)):
        found = credibility(args.file, args.method, levels=named(args.levels), header_map=headers_of(args), lang=lang,
                            **given(args, (*ROLES, *OPTIONS)))  # fmt: skip
    show(lambda tongue: credibility_document(found, tongue), found, target, lang)
    return 3 if (found["code"] != "").any() else 0
