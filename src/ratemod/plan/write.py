"""The files of a plan's next edition, from the files of the last one: only what changes is touched, comments stay."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ratemod.errors import PlanError, problem
from ratemod.plan.model import Case, Plan, Source, Table

_SECTION = re.compile(r"^\s*\[+\s*([\w.]+)\s*\]+")
_KEY = re.compile(r"^\s*(\w+)\s*=")


def edition_files(
    plan: Plan,
    *,
    edition: str,
    new_from: date,
    source: Source,
    notes: str,
    cases: Sequence[Case],
    reasons: Mapping[str, Mapping[int, str]],
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

    Returns
    -------
    dict of path to text: ``plan.toml``, ``tables/*.csv``, ``cases/cases.toml``, ``NOTES.md``

    Raises
    ------
    PlanError
        RM189 when the plan did not come from a folder.
    """
    folder = Path(plan.folder)
    if not plan.folder or not (folder / "plan.toml").is_file():
        raise PlanError(problem("RM189", plan=plan.id))
    files = {"plan.toml": _plan_toml((folder / "plan.toml").read_text(encoding="utf-8-sig"), edition, new_from, source)}
    for table in plan.tables.values():
        content = _file_of(folder, table).read_text(encoding="utf-8-sig")
        changed = reasons.get(table.name, {})
        files[f"tables/{table.name}.csv"] = _table_csv(content, table, changed, source.name) if changed else content
    files["cases/cases.toml"] = cases_toml(cases)
    files["NOTES.md"] = notes
    return files


def _file_of(folder: Path, table: Table) -> Path:
    """Return where a table's file stands: the path after the edition's folder, as the plan names it."""
    shown = table.file
    return Path(shown) if Path(shown).is_file() else folder / "tables" / f"{table.name}.csv"


def _plan_toml(content: str, edition: str, new_from: date, source: Source) -> str:
    """Return plan.toml with the new identity, tables beside it, and one more source."""
    own = {
        "edition": json.dumps(edition),
        "new_from": new_from.isoformat(),
        "renewal_from": new_from.isoformat(),
        "status": '"draft"',
    }
    lines, section = [], ""
    for line in content.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        key = found[1] if (found := _KEY.match(line)) else ""
        if section == "plan" and key in own:
            line = f"{key} = {own[key]}"
        elif (section == "plan" and key == "until") or (section.startswith("table.") and key == "file"):
            continue
        lines.append(line)
    title = json.dumps(source.title, ensure_ascii=False)
    more = ["", f"[source.{source.name}]", f"title = {title}"]
    more += [f"date = {source.date.isoformat()}"] if source.date else []
    more += [f'confidence = "{source.confidence}"', ""]
    at = next((i for i, line in enumerate(lines) if line.startswith("[source.")), len(lines))
    return "\n".join([*lines[:at], *more[1:], *lines[at:]]) + "\n"


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
    parts = []
    for case in cases:
        lines = ["[[case]]", f"name = {_toml(case.name)}", f"source = {_toml(case.source)}", "[case.inputs]"]
        lines += [f"{name} = {_toml(value)}" for name, value in case.inputs.items()]
        lines += ["[case.expect]", *(f"{name} = {_toml(value)}" for name, value in case.expect.items())]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return json.dumps(format(value, "f"))
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(str(value), ensure_ascii=False)
