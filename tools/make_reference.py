"""Write docs/reference from the code: the command line, the plan's keys, the public names, every message.

``python tools/make_reference.py`` rewrites the pages; a test holds them to the code.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import ratemod
from ratemod.cli import COMMANDS, build_parser
from ratemod.errors import catalogue, text
from ratemod.experience.methods import METHODS as EXPERIENCE
from ratemod.plan import keys
from ratemod.plan.key import Key
from ratemod.ratemaking.reserve import USES
from ratemod.ratemaking.severity import PARAMETERS
from ratemod.report.list_template import fields_of, remark
from ratemod.vocabulary.table import tables

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
SOURCE = Path(__file__).parents[1] / "src" / "ratemod"
METHODS = {
    "ratemaking": "Ratemaking",
    "experience": "A firm's own record",
    "registers": "Registers",
    "fund": "The fund",
    "whatif": "What if",
    "synth": "The synthetic province",
    "confidentiality": "Confidentiality",
    "publication": "Disclosure",
    ".": "Money",
}
MADE = "<!-- made by tools/make_reference.py from the code; edit there -->"
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def pages() -> dict[str, str]:
    """Return every page by file name."""
    return {
        "command-line.md": command_line("en", "The command line"),
        "command-line.zh.md": command_line("zh", "命令行"),
        "plan-keys.md": plan_keys(),
        "python.md": python(),
        **{f"python-{name}.md": face(name) for name in ratemod._FACES},
        "formulas.md": formulas(),
        "messages.md": messages(),
        "methods.md": methods(),
        "shared-tables.md": shared_tables(),
    }


def methods() -> str:
    """Return where each actuarial method is: in Python, on the command line."""
    head = ["| method | Python | command line |", "|---|---|---|"]
    parts = [MADE, "# Where each method is", "", "## A firm's own record", "", *head]
    for one in EXPERIENCE:
        calls = [f"[`{name}`](python-experience.md)" for name in one.functions]
        calls += [f'`rm.credibility(method="{one.name}")`'] if one.panel else []
        calls += ["`rm.experience_mod`"] if one.rules else []
        commands = [f"`ratemod {said}`" for said in one.commands] or ["–"]
        parts.append(f"| {one.name} | {', '.join(calls)} | {', '.join(commands)} |")
    parts += ["", "## What is unpaid", "", "| method | options | Python | command line |", "|---|---|---|---|"]
    for name, options in USES.items():
        call = f'[`reserve`](python-ratemaking.md) with `method="{name}"`'
        parts.append(f"| {name} | {', '.join(sorted(options))} | {call} | `ratemod triangle --method {name}` |")
    families = ", ".join(PARAMETERS)
    said = "`ratemod severity --families` and [`fit_severity`](python-ratemaking.md) fit"
    parts += ["", "## Single losses", "", f"{said} {families}; losses in groups: `fit_grouped`."]
    return "\n".join(parts) + "\n"


def command_line(lang: str, title: str) -> str:
    """Return what every ``--help`` says, at 80 columns."""
    os.environ["COLUMNS"] = "80"
    parser = build_parser(lang)  # type: ignore[arg-type]
    groups = next(action for action in parser._actions if isinstance(action.choices, dict))
    parts = [MADE, f"# {title}", "```text", parser.format_help().rstrip(), "```"]
    for name in COMMANDS:
        parts += [f"## ratemod {name}", text(f"UI_help_{name.replace('-', '_')}", lang), ""]  # type: ignore[arg-type]
        parts += ["```text", groups.choices[name].format_help().rstrip(), "```"]
        for action in groups.choices[name]._actions:
            if isinstance(action, argparse._SubParsersAction):  # the verbs of a command
                for verb, own in action.choices.items():
                    parts += ["", f"### ratemod {name} {verb}", "", "```text", own.format_help().rstrip(), "```"]
    return "\n".join(parts) + "\n"


def shared_tables() -> str:
    """Return every shared table: what a list of it holds, under which headers, in which words."""
    parts = [
        MADE,
        "# The shared tables",
        "",
        "What the notice asks to be shared, as lists with declared columns: "
        "Chinese or English headers, words in either language, amounts in yuan or fen (a header without a unit "
        "means yuan). `ratemod data template NAME -o list.xlsx` writes a list to fill in, `ratemod data check` "
        "says what does not conform, `ratemod data package` describes a folder for other software. A command "
        "asks only for the columns that it uses.",
    ]
    for one in tables().values():
        keys, joins = ", ".join(one.keys), ", ".join(f"{name} = {noun}" for name, noun in one.joins.items())
        parts += ["", f"## {one.name}: {one.label_zh}", "", f"{one.label_en}. Files: {', '.join(one.names())}."]
        parts.append(f"Rows that agree in {keys} are one thing told twice." if keys else "")
        parts.append(f"Joins: {joins}." if joins else "")
        parts += ["", "| column | 中文 | what to write | further headers |", "|---|---|---|---|"]
        for item in fields_of(one):
            others = ", ".join(name for name in item.column.names()[3:])
            parts.append(f"| {item.column.name} | {item.header('zh')} | {remark(item, 'en')} | {others} |")
    return "\n".join(parts) + "\n"


def plan_keys() -> str:
    """Return the closed set of keys of a plan file."""
    parts = [
        MADE,
        "# The keys of a plan",
        "",
        "What `plan.toml` may hold; everything else is refused. The format is "
        "explained in [the plan format](../plan-format.md).",
    ]
    for title, section in (
        ("[plan]", keys.PLAN),
        ("[source.NAME]", keys.SOURCE),
        ("[constant.NAME]", keys.CONSTANT),
        ("[column.NAME]", keys.COLUMN),
        ("[column.NAME] from the vocabulary", keys.COLUMN_FROM),
        ("[table.NAME]", keys.TABLE),
        ("[[rule]]", keys.RULE),
        ("[[check]]", keys.CHECK),
        ("[[legal]]", keys.LEGAL),
        ("exception of a [[legal]]", keys.EXCEPTION),
        ("a test of a condition", keys.TEST),
        ("[[case]]", keys.CASE),
    ):
        parts += ["", f"## {title}", "", *_table(section)]
    parts += ["", "## [[step]]", "", "Of every step:", "", *_table(keys.STEP)]
    for op, section in keys.OPERATIONS.items():
        parts += ["", f"### {op}", "", *_table(section)]
    for method, section in keys.EXPERIENCE.items():
        parts += ["", f"### experience, method {method}", "", *_table(section)]
    return "\n".join(parts) + "\n"


def _table(section: Mapping[str, Key] | object) -> list[str]:
    if not isinstance(section, Mapping):
        section = {str(name): Key("operand", True) for name in section}  # type: ignore[attr-defined]
    rows = ["| key | kind | needed | meaning |", "|---|---|---|---|"]
    for name, key in section.items():
        meaning = "; ".join(filter(None, [key.doc, ", ".join(f"`{item}`" for item in key.choices)]))
        rows.append(f"| `{name}` | {key.kind} | {'yes' if key.required else ''} | {meaning} |")
    return rows


def python() -> str:
    """Return the public names with signature and docstring."""
    further = ", ".join(f"[`rm.{name}`](python-{name}.md)" for name in ratemod._FACES)
    parts = [MADE, "# Python", "", "`import ratemod as rm`; every name loads what it needs on first use."]
    parts += ["", f"What a day's work needs less often stands on the packages: {further}."]
    for name in sorted(ratemod._WHERE, key=str.lower):
        parts += ["", *_shown("rm", name, getattr(importlib.import_module(ratemod._WHERE[name]), name))]
    return "\n".join(parts) + "\n"


def face(package: str) -> str:
    """Return the names that the face of a package lists, and those of the modules that it lists."""
    front = importlib.import_module(f"ratemod.{package}")
    parts = [MADE, f"# rm.{package}", "", front.__doc__ or ""]
    for name in sorted(front.__all__, key=str.lower):
        found = getattr(front, name)
        if inspect.ismodule(found):
            own = [one for one in vars(found).values() if getattr(one, "__module__", "") == found.__name__]
            told = [(one.__name__, one) for one in own if hasattr(one, "__name__") and one.__name__[0] != "_"]
            for inner, one in sorted(told, key=lambda pair: pair[0].lower()):
                parts += ["", *_shown(f"rm.{package}.{name}", inner, one)]
        else:
            parts += ["", *_shown(f"rm.{package}", name, found)]
    return "\n".join(parts) + "\n"


def _shown(where: str, name: str, found: object) -> list[str]:
    signature = str(inspect.signature(found)).replace("'", "") if inspect.isroutine(found) else ""
    return [f"## {where}.{name}", "", "```text", f"{name}{signature}", "", inspect.getdoc(found) or "", "```"]


def formulas() -> str:
    """Return formula, assumptions and source of every method, from the docstrings of modules that name a source."""
    parts = [
        MADE,
        "# Formulas and sources",
        "",
        "Every method by its module, as the code says it: formula, "
        "conventions, source. How the methods are put together, and what to mind, is told under *Methods*.",
    ]
    for package, title in METHODS.items():
        parts += ["", f"## {title}"]
        for path in sorted((SOURCE / package).glob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            whole = ast.get_docstring(tree) or ""
            told = [
                (node.name, found)
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
                if not node.name.startswith("_") and (found := _sections(ast.get_docstring(node) or ""))
            ]
            if "Source" not in whole and not any("Source" in found for _, found in told):
                continue
            head, _, rest = whole.partition("\n")
            parts += ["", f"### {package}/{path.stem}", "", head.replace("<", "&lt;")]
            parts += ["", "```text", rest.strip("\n"), "```"] if rest.strip() else []
            for name, found in told:
                parts += ["", f"`{name}`", "", "```text", found, "```"]
    return "\n".join(parts) + "\n"


def _sections(docstring: str) -> str:
    """Return the sections Formula, Source and Notes of a docstring."""
    lines, kept, inside = docstring.split("\n"), [], False
    for at, line in enumerate(lines):
        if at + 1 < len(lines) and lines[at + 1].startswith("---"):
            inside = line in ("Formula", "Source", "Notes")
        if inside and not line.startswith("---"):
            kept.append(f"{line}:" if line in ("Formula", "Source", "Notes") else line)
    return "\n".join(kept).strip()


def messages() -> str:
    """Return every message in both languages."""
    parts = [MADE, "# What ratemod says, and what to do", ""]
    parts += ["| code | what | 中文 | what to do |", "|---|---|---|---|"]
    for code, said in sorted(catalogue().items()):
        if code.startswith("RM"):
            cells = [said.get(key, "") for key in ("en", "zh", "fix_en")]
            shown = [
                PLACEHOLDER.sub(r"‹\1›", cell).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
                for cell in cells
            ]
            parts.append(f"| {code} | " + " | ".join(shown) + " |")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in pages().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
