"""``ratemod fit``: a loss history in, the plan's next edition out, with the study behind it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratemod.commands.common import day, open_plan, plan_dates, table_arguments
from ratemod.commands.pairs import pairs_of
from ratemod.errors import Lang, ModelError, PlanError, problem, render, text

if TYPE_CHECKING:
    from ratemod.study.fit import Study


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the arguments."""
    parser.add_argument("history", metavar="HISTORY", type=Path, help=text("UI_help_history", lang))
    parser.add_argument("--plan", metavar="PLAN", help=text("UI_help_plan_or_project", lang))
    plan_dates(parser, lang)
    table_arguments(parser, lang, ("plan", "business"))
    parser.add_argument("--from", dest="new_from", type=day(lang), metavar="DATE", help=text("UI_help_new_from", lang))
    parser.add_argument("--book", metavar="BOOK", type=Path, help=text("UI_help_fit_book", lang))
    parser.add_argument("--tables", metavar="TABLES", help=text("UI_help_tables", lang))
    parser.add_argument("--assumptions", metavar="FILE", type=Path, help=text("UI_help_assumptions", lang))
    parser.add_argument(
        "--set", dest="settings", metavar="NAME=VALUE", action="append", default=[], help=text("UI_help_assume", lang)
    )
    parser.add_argument("--selections", metavar="FILE", type=Path, help=text("UI_help_selections", lang))
    parser.add_argument("--edition", metavar="NAME", help=text("UI_help_edition", lang))
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, required=True, help=text("UI_help_fit_output", lang)
    )


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Study a history and write the edition; 0 when nothing was set aside, 3 when rows were."""
    from ratemod.document.terminal import progress
    from ratemod.reading.spoken import settled
    from ratemod.study.accounts import refused_counts
    from ratemod.study.assumptions import read_assumptions
    from ratemod.study.fit import fit

    given, chosen = read_settings(args)
    assumed = read_assumptions(given)
    plan = open_plan(args)
    with progress(text("UI_fitting", lang, file=args.history.name)) as bar:
        study = fit(
            args.history,
            plan,
            assumed,
            book=args.book,
            chosen=chosen,
            progress=lambda iteration, deviance: bar.show(iteration, 25),
        )
    settled()
    with progress(text("UI_writing", lang, file=args.output.name)):
        drawn, missing = figures(study, lang)
        edition = study.write(args.output, args.edition, drawn)
    print(study_text(study, lang))
    print(text("UI_fit_written", lang, edition=edition, study=args.output / "study"))
    if missing:
        print(missing)
    return 3 if sum(refused_counts(study).values()) else 0


def figures(study: Study, lang: Lang) -> tuple[dict[str, bytes], str]:
    """Return the study's figures as SVG files, or none and why."""
    from ratemod.report.study_charts import study_charts

    try:
        return {
            f"study/figures/{name}.svg": chart.svg().encode() for name, chart in study_charts(study, lang).items()
        }, ""
    except ModelError as error:
        return {}, render(error.problems, lang)


def read_settings(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """Return assumptions and choices from a file (a TOML of them, or the record of a study) and the command line.

    Raises
    ------
    ModelError
        RM598 a file that cannot be read; those of `pairs_of`.
    """
    given: dict[str, Any] = {}
    chosen: dict[str, tuple[str, str]] = {}
    if args.assumptions:
        read = _mapping(args.assumptions)
        given |= dict(read.get("assumptions", read))
        chosen |= {path: (str(value), str(why)) for path, (value, why) in dict(read.get("chosen", {})).items()}
    if args.new_from:
        given["new_from"] = args.new_from
    if args.tables:
        given["tables"] = [name.strip() for name in args.tables.split(",") if name.strip()]
    given |= {name: _value(value) for name, value in pairs_of(args.settings, "NAME=VALUE").items()}
    if args.selections:
        chosen |= _selections(args.selections)
    return given, chosen


def _mapping(path: Path) -> Mapping[str, Any]:
    from ratemod.rules.json_file import read_json
    from ratemod.rules.read import read_toml

    if path.suffix != ".json":
        return read_toml(path).data
    read = read_json(path)
    if not isinstance(read, dict):
        raise ModelError(problem("RM598", path=str(path), why=type(read).__name__))
    return read


def _selections(path: Path) -> dict[str, tuple[str, str]]:
    import csv

    from ratemod.rules.opened import opened

    try:
        rows = list(csv.DictReader(opened(path, str(path)).splitlines()))
        return {row["path"]: (row["selected"], row["reason"] or "") for row in rows}
    except csv.Error as error:
        raise ModelError(problem("RM598", path=str(path), why=str(error))) from None
    except KeyError as error:
        raise ModelError(problem("RM598", path=str(path), why=f"{error} (path, selected, reason)")) from None


def _value(said: str) -> Any:
    """Return a setting as TOML reads it, or as text."""
    from ratemod.rules.read import parsed

    try:
        return parsed(f"value = {said}", "")["value"]
    except PlanError:
        return said


def study_text(study: Study, lang: Lang) -> str:
    """Return what a study found, for a terminal."""
    from ratemod.document.terminal import table_text
    from ratemod.study.said import study_lines

    rates, data = study.rates, study.data
    lines = [
        text(
            "UI_fit_history",
            lang,
            policies=f"{int(study.base.good.sum()):,}",
            claims=f"{int(data.counts.sum()):,}",
            first=data.years[0],
            last=data.years[-1],
            valuation=data.valuation,
        ),
        text(
            "UI_fit_change",
            lang,
            change=f"{rates.indication.value:+.1%}",
            target=f"{rates.target:.1%}",
            reached=f"{rates.reached:.2%}",
            now=f"{rates.current_premium_fen / 100:,.2f}",
            new=f"{rates.full_fen / 100:,.2f}",
        ),
    ]
    if study.history.synthetic:
        lines.append(text("UI_fit_synthetic", lang))
    lines += study_lines(study, lang)
    lines += [
        text("UI_fit_merged", lang, factor=item.factor, level=item.level, into=item.into) for item in study.model.merges
    ]
    head = [text(f"UI_fit_{name}", lang) for name in ("cell", "current", "indicated", "selected", "claims")]
    rows = [
        [
            cell.path.removeprefix("tables.").removesuffix(".value"),
            f"{cell.current:f}",
            f"{cell.indicated:.3f}",
            f"{cell.selected:f}",
            f"{cell.claims:,.0f}",
        ]
        for cell in rates.cells
    ]
    return "\n".join([*lines, "", table_text(head, rows, [False, True, True, True, True])])
