"""The files of a plan's next edition, from the files of the last one: only what changes is touched, comments stay."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ratemod.errors import PlanError, problem
from ratemod.plan.files import read_plan
from ratemod.plan.level_file import level_files, own_file
from ratemod.plan.model import Case, Plan, Source, Table
from ratemod.rules.edit import GONE, Change, edited, toml_text
from ratemod.rules.read import parsed


def edition_files(
    plan: Plan,
    *,
    edition: str,
    new_from: date,
    source: Source,
    notes: str,
    cases: Sequence[Case],
    reasons: Mapping[str, Mapping[int, str]],
    constants: Sequence[str] = (),
) -> dict[str, str]:
    """Return the files of a new edition, by path inside its folder.

    Parameters
    ----------
    plan : Plan with the new cells, read from a folder that still stands
    edition : name of the new edition; new_from : its first day, for new business and renewals
    source : what the changed cells rest on; it is added to the plan's sources
    notes : NOTES.md
    cases : worked examples, one file
    reasons : table -> row -> note of each changed row
    constants : names of those that changed

    Returns
    -------
    dict of path to text: ``plan.toml``, ``tables/*.csv``, ``levels/*.csv``, ``cases/cases.toml``, ``NOTES.md``

    Raises
    ------
    PlanError
        RM189 when the plan did not come from a folder; RM026, RM889 when what would be written is not, read back, the
        plan with the new cells.
    """
    folder = Path(plan.folder)
    if not plan.folder or not (folder / "plan.toml").is_file():
        raise PlanError(problem("RM189", plan=plan.id))
    worth = {name: plan.constants[name].value for name in constants}
    plan_toml = (folder / "plan.toml").read_text(encoding="utf-8-sig")
    files = {"plan.toml": _plan_toml(plan_toml, edition, new_from, source, worth)}
    for table in plan.tables.values():
        content = _file_of(folder, table).read_text(encoding="utf-8-sig")
        changed = reasons.get(table.name, {})
        files[f"tables/{table.name}.csv"] = _table_csv(content, table, changed, source.name) if changed else content
    for name, path in level_files(parsed(plan_toml, "plan.toml")).items():
        files[own_file(name)] = (folder / path).read_text(encoding="utf-8-sig")
    files["cases/cases.toml"] = cases_toml(cases)
    files["NOTES.md"] = notes
    _read_back(files, plan, edition)
    return files


def _file_of(folder: Path, table: Table) -> Path:
    """Return where a table's file stands: the path after the edition's folder, as the plan names it."""
    shown = table.file
    return Path(shown) if Path(shown).is_file() else folder / "tables" / f"{table.name}.csv"


def _plan_toml(
    content: str, edition: str, new_from: date, source: Source, constants: Mapping[str, Decimal | None]
) -> str:
    """Return plan.toml with the new identity and constants, tables beside it, and one more source."""
    held = parsed(content, "plan.toml")
    identity = {"edition": edition, "new_from": new_from, "renewal_from": new_from, "status": "draft", "until": GONE}
    facts = {"title": source.title, "date": source.date, "confidence": source.confidence}
    changes: list[Change] = [(("plan", key), value) for key, value in identity.items()]
    changes += [(("table", name, "file"), GONE) for name, part in held.get("table", {}).items() if "file" in part]
    changes += [(("column", name, "levels_file"), own_file(name)) for name in level_files(held)]
    changes += [(("source", source.name, key), value) for key, value in facts.items() if value is not None]
    for name, worth in constants.items():
        changes += [
            (("constant", name, "value"), format(worth or Decimal(0), "f")),
            (("constant", name, "source"), source.name),
        ]
    return edited(content, changes, "plan.toml")


def _table_csv(content: str, table: Table, changed: Mapping[int, str], source: str) -> str:
    """Return a table's CSV with the new values, their source and a note."""
    reader = csv.reader(content.splitlines())
    header = [name.strip() for name in next(reader)]
    if "note" not in header:
        header.append("note")
    by_line = {row.line: (i, row) for i, row in enumerate(table.rows)}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for number, cells in enumerate(reader, 2):
        cells = [*cells, *[""] * (len(header) - len(cells))]
        at, row = by_line.get(number, (-1, None))
        if row is not None and at in changed:
            for name, value in zip(table.value_names, row.values):
                cells[header.index(name)] = "" if value is None else _cell(table.shown(name, value))
            cells[header.index("source")], cells[header.index("note")] = source, changed[at]
        writer.writerow(cells)
    return out.getvalue()


def _cell(value: str | Decimal) -> str:
    return value if isinstance(value, str) else format(value, "f")


def cases_toml(cases: Sequence[Case]) -> str:
    """Return worked examples as TOML."""
    parts = [
        {"name": case.name, "source": case.source}
        | ({"lines": [dict(line) for line in case.lines]} if case.lines else {"inputs": dict(case.inputs)})
        | {"expect": dict(case.expect)}
        for case in cases
    ]
    return toml_text({"case": parts})


def _read_back(files: Mapping[str, str], plan: Plan, edition: str) -> None:
    """Read the files as a plan, and hold its numbers against those that were to be written.

    Raises
    ------
    PlanError
        RM889 with what is wrong.
    """
    with TemporaryDirectory() as place:
        folder = Path(place) / plan.scheme / edition
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8", newline="")
        found, problems = read_plan(folder, edition)
    if problems or _numbers(found) != _numbers(plan):
        raise PlanError([problem("RM889", folder=edition), *problems])


def _numbers(plan: Plan) -> Any:
    tables = {name: [(row.keys, row.values) for row in table.rows] for name, table in plan.tables.items()}
    return tables, dict(plan.constants), [replace(step, line=0) for step in plan.steps], plan.rules, plan.legal
