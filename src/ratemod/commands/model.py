"""``ratemod model``: a table of exposure and claims in, a multiplicative tariff out, as a report and as a plan."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import day
from ratemod.commands.method_common import given, headers_of, list_arguments, named, show, target_of
from ratemod.commands.pairs import pairs_of
from ratemod.errors import Lang, ModelError, problem, text

if TYPE_CHECKING:
    from ratemod.ratemaking.rate_model import RateModel
    from ratemod.study.models_into_plan import ModelledPlan

FAMILIES = ("poisson", "overdispersed_poisson", "negative_binomial", "nb2", "gamma", "tweedie")
IDENTITY = ("scheme", "edition", "new_from", "title", "source")
OF_EDITION = ("edition", "new_from", "source")  # where the plan stands already
INTO_PLAN = ("book", "exposure", "loss_ratio")


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    list_arguments(parser, lang, "UI_help_model_file")
    parser.add_argument("--target", metavar="COLUMN", required=True, help=text("UI_help_model_target", lang))
    parser.add_argument("--weight", metavar="COLUMN", required=True, help=text("UI_help_model_weight", lang))
    parser.add_argument("--factors", metavar="COLUMNS", help=text("UI_help_model_factors", lang))
    parser.add_argument("--covariates", metavar="COLUMNS", help=text("UI_help_model_covariates", lang))
    parser.add_argument("--interactions", metavar="A:B", help=text("UI_help_model_interactions", lang))
    parser.add_argument("--family", choices=FAMILIES, default="poisson", help=text("UI_help_model_family", lang))
    parser.add_argument("--power", metavar="P", type=float, help=text("UI_help_model_power", lang))
    parser.add_argument("--reference", metavar="FACTOR=LEVEL", action="append", default=[],
                        help=text("UI_help_model_reference", lang))  # fmt: skip
    parser.add_argument("--known-factor", metavar="COLUMN", help=text("UI_help_model_known", lang))
    parser.add_argument("--credible", metavar="COLUMNS", help=text("UI_help_model_credible", lang))
    parser.add_argument("--sample-weight", metavar="COLUMN", help=text("UI_help_model_sample_weight", lang))
    parser.add_argument("--recoveries", choices=("refuse", "net"), default="refuse",
                        help=text("UI_help_model_recoveries", lang))  # fmt: skip
    parser.add_argument("--missing", choices=("refuse", "level"), default="refuse",
                        help=text("UI_help_model_missing", lang))  # fmt: skip
    parser.add_argument("--into", metavar="FOLDER", type=Path, help=text("UI_help_model_into", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_model_plan", lang))
    parser.add_argument("--book", metavar="BOOK", type=Path, help=text("UI_help_model_book", lang))
    parser.add_argument("--exposure", metavar="COLUMN", help=text("UI_help_model_exposure", lang))
    parser.add_argument("--loss-ratio", metavar="SHARE", type=float, help=text("UI_help_model_loss_ratio", lang))
    parser.add_argument("--tables", metavar="TABLES", help=text("UI_help_model_tables", lang))
    parser.add_argument("--level", metavar="NAME", help=text("UI_help_model_level", lang))
    parser.add_argument("--scheme", metavar="NAME", help=text("UI_help_model_scheme", lang))
    parser.add_argument("--edition", metavar="NAME", help=text("UI_help_model_edition", lang))
    starts = text("UI_help_model_from", lang)
    parser.add_argument("--from", dest="new_from", metavar="DATE", type=day(lang), help=starts)
    parser.add_argument("--title", metavar="TEXT", help=text("UI_help_model_title", lang))
    parser.add_argument("--source", metavar="TEXT", help=text("UI_help_model_source", lang))
    parser.add_argument("--loading", metavar="FACTOR", help=text("UI_help_model_loading", lang))
    parser.add_argument("--places", metavar="N", type=int, help=text("UI_help_model_places", lang))


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Fit and show; 0 every row, 3 when some were refused."""
    from ratemod.document.terminal import progress
    from ratemod.ratemaking.rate_model import rate_model
    from ratemod.report.methods import model_document
    from ratemod.whole_file import write_problem

    target, identity = target_of(args), identity_of(args)
    covariates = {name: kind or "linear" for name, _, kind in (one.partition(":") for one in named(args.covariates))}
    with progress(text("UI_fitting", lang, file=args.file.name)):
        model = rate_model(
            args.file,
            total=args.target,
            weight=args.weight,
            factors=named(args.factors),
            covariates=covariates,
            family=args.family,
            interactions=[tuple(part.strip() for part in one.split(":")) for one in named(args.interactions)],
            reference=pairs_of(named(",".join(args.reference)), "FACTOR=LEVEL"),
            known_factor=args.known_factor,
            credible=named(args.credible),
            sample_weight=args.sample_weight,
            recoveries=args.recoveries,
            missing=args.missing,
            header_map=headers_of(args),
            **given(args, ("power",)),
        )
    show(lambda tongue: model_document(model, tongue), model.frame(), target, lang)
    if args.into:
        scheme = args.scheme
        try:
            if args.plan:
                made = into_plan(args, model)
                scheme, place = made.plan.scheme, made.write(args.into, **identity)
                print(repr(made))
            else:
                place = model.write(args.into, **identity)
        except FileExistsError:
            raise ModelError(problem("RM471", folder=str(args.into / scheme / args.edition))) from None
        except OSError as error:
            raise ModelError(write_problem(error, str(args.into))) from None
        print(text("UI_model_written", lang, folder=str(place)))
    return 3 if model.rows.accounts.refused else 0


def into_plan(args: argparse.Namespace, model: RateModel) -> ModelledPlan:
    """Return the plan that stands with the model in it; the loading is what one unit of the model costs."""
    from ratemod.plan.editions import load_plan
    from ratemod.study.models_into_plan import with_models

    return with_models(
        load_plan(args.plan),
        model,
        args.book,
        exposure=args.exposure,
        target=args.loss_ratio,
        tables=named(args.tables),
        level=args.level or "",
        scale=float(args.loading or 1),
    )


def identity_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the plan is called and how it is rounded; refuse a part of it without the folder, and the reverse.

    Raises
    ------
    ModelError
        RM468 options that need each other.
    """
    option = {
        name: "--from" if name == "new_from" else f"--{name.replace('_', '-')}"
        for name in (*IDENTITY, "loading", "places", "plan", *INTO_PLAN, "tables", "level")
    }
    said = given(args, tuple(option))
    of_plan = {name: said.pop(name) for name in ("plan", *INTO_PLAN, "tables", "level") if name in said}
    needed = OF_EDITION if args.plan else IDENTITY
    wrong = [problem("RM468", one=option[name], other="--plan") for name in of_plan if not args.plan]
    if args.into is None:
        wrong += [problem("RM468", one=option[name], other="--into") for name in (*said, *of_plan)]
    else:
        wrong += [problem("RM468", one="--into", other=option[name]) for name in needed if name not in said]
    if args.plan:
        wrong += [problem("RM468", one="--plan", other=option[name]) for name in INTO_PLAN if name not in of_plan]
        allowed = (*OF_EDITION, "loading")
        wrong += [problem("RM461", option=name, method="--plan") for name in said if name not in allowed]
        said.pop("loading", None)
    if args.power is not None and args.family != "tweedie":
        wrong.append(problem("RM461", option="power", method=args.family))
    if wrong:
        raise ModelError(wrong)
    return said
