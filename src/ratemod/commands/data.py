"""``ratemod data``: the shared tables: what they hold, lists to fill in, whether data conform, a data package."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ratemod.commands.common import table_arguments
from ratemod.errors import BookError, Lang, problem, text

DONE, LACKING, SOME_REFUSED = 0, 1, 3


def arguments(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(title=text("UI_commands", lang), dest="verb", metavar="VERB", required=True)
    made = {}
    for name in ("tables", "template", "check", "package"):
        said = text(f"UI_help_data_{name}", lang)
        own = made[name] = verbs.add_parser(name, help=said, description=said, add_help=False)
        own.lang = lang  # type: ignore[attr-defined]
        own._optionals.title = text("UI_options", lang)
        own._positionals.title = text("UI_arguments", lang)
        own.add_argument("-h", "--help", action="help", help=text("UI_help_help", lang))
        own.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text("UI_help_lang", lang))
    made["tables"].add_argument("name", metavar="NAME", nargs="?", help=text("UI_help_data_name", lang))
    made["template"].add_argument("names", metavar="NAME", nargs="+", help=text("UI_help_data_name_or_plan", lang))
    out = text("UI_help_data_out", lang)
    made["template"].add_argument("-o", "--out", metavar="FILE", type=Path, required=True, help=out)
    made["check"].add_argument("path", metavar="PATH", type=Path, help=text("UI_help_data_path", lang))
    made["check"].add_argument("--table", metavar="NAME", help=text("UI_help_data_table", lang))
    made["check"].add_argument("--refused", metavar="FILE", type=Path, help=text("UI_help_data_refused", lang))
    made["package"].add_argument("path", metavar="FOLDER", type=Path, help=text("UI_help_data_folder", lang))
    made["package"].add_argument("-o", "--out", metavar="FILE", type=Path, help=text("UI_help_data_package_out", lang))
    for name in ("check", "package"):
        table_arguments(made[name], lang)


def run(args: argparse.Namespace, lang: Lang) -> int:
    """Run one verb."""
    return {"tables": _tables, "template": _template, "check": _check, "package": _package}[args.verb](args, lang)


def _tables(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.document.terminal import table_text
    from ratemod.reading.folder import table_named
    from ratemod.report.list_template import Field, fields_of, remark
    from ratemod.vocabulary.table import tables

    if args.name is None:
        rows = [
            (one.name, one.label(lang), str(len(one.fields())), " ".join(one.joins.values()))
            for one in tables().values()
        ]
        heads = [text(f"UI_data_{code}", lang) for code in ("table", "label", "columns", "joins")]
        print(table_text(heads, rows, [False, False, True, False]))
        return DONE
    declared = table_named(args.name)
    fields: tuple[Field, ...] = fields_of(declared)
    said = [(one.column.name, one.header(lang), remark(one, lang)) for one in fields]
    print(f"{declared.label(lang)} ({declared.name})\n")
    print(table_text([text(f"UI_data_{code}", lang) for code in ("column", "label", "fill")], said, [False] * 3))
    return DONE


def _template(args: argparse.Namespace, lang: Lang) -> int:
    """Write blank lists: one workbook, or a folder in which each has its own; nothing where one of them cannot be."""
    from ratemod.rating.target import check_folder, check_target
    from ratemod.report.list_template import blank_lists, write_template

    lists = blank_lists(args.names, lang)
    if args.out.is_dir() or not args.out.suffix:
        files = [check_folder(args.out) / f"{one.stem}.xlsx" for one in lists]
    elif len(lists) == 1:
        files = [check_target(args.out, suffixes=(".xlsx",))]
    else:
        raise BookError(problem("RM697", path=str(args.out), many=len(lists)))
    if standing := [file for file in files if file.exists()]:
        raise BookError(problem("RM698", path=str(file)) for file in standing)
    files[0].parent.mkdir(exist_ok=True)
    for one, file in zip(lists, files, strict=True):
        print(text("UI_fund_written", lang, path=str(write_template(one.fields, file, one.title, lang))))
    return DONE


def _check(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.document.terminal import problems_text, table_text
    from ratemod.fund.fund_document import write_fund
    from ratemod.money import yuan_text
    from ratemod.reading.spoken import settled
    from ratemod.reading.table_check import check_tables

    verdicts = check_tables(args.path, args.table)
    settled()
    rows = []
    for one in verdicts:
        columns = one.table.columns
        totals = ", ".join(
            f"{columns[f'{noun}_yuan'].label(lang)} {yuan_text(fen)}" for noun, fen in one.totals_fen().items()
        )
        verdict = text("UI_data_conforms" if one.conforms else "UI_data_not", lang)
        rows.append((one.table.label(lang), *map(str, one.counts.values()), verdict, totals))
    codes = ("label", "rows", "usable", "refused", "twice", "verdict", "totals")
    heads = [text(f"UI_data_{code}", lang) for code in codes]
    print(table_text(heads, rows, [False, True, True, True, True, False, False]))
    wrong = [item for one in verdicts for item in one.problems]
    if wrong:
        print("\n" + problems_text(wrong, lang))
    back = [(one.table.name, made) for one in verdicts if (made := one.refused_table(lang)).num_rows]
    if args.refused and back:
        print(text("UI_fund_written", lang, path=str(write_fund(back, args.refused, lang))))
    if any(one.lacking for one in verdicts):
        return LACKING
    return SOME_REFUSED if wrong else DONE


def _package(args: argparse.Namespace, lang: Lang) -> int:
    from ratemod.reading.folder import open_folder
    from ratemod.reading.spoken import settled
    from ratemod.reading.table_check import headers_of
    from ratemod.vocabulary.data_package import data_package
    from ratemod.vocabulary.table import table
    from ratemod.whole_file import whole_file

    files = open_folder(args.path).files
    names = {name: str(getattr(file, "name", "")) for name, file in files.items()}
    wrong = [
        problem("RM955", name=name, label=table(name).label_zh, files=", ".join(one.name for one in file))
        for name, file in files.items()
        if isinstance(file, tuple)
    ]
    if wrong:
        raise BookError(wrong)
    headers = {name: headers_of(file, name) for name, file in files.items()}
    settled()
    made = data_package(args.path.name, names, headers, lang)
    target = args.out or args.path / "datapackage.json"
    with whole_file(target) as part:
        part.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(text("UI_fund_written", lang, path=str(target)))
    return DONE
