"""An edited plan back to a folder: only the numbers that changed are written, every other character stays."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Mapping
from pathlib import Path

from ratemod.errors import PlanError, problem
from ratemod.plan.edit import row_path
from ratemod.plan.files import read_plan
from ratemod.plan.level_file import level_files, own_file
from ratemod.plan.model import Plan
from ratemod.rules.edit import GONE, Change, edited
from ratemod.rules.read import read_toml


def save_edited(plan: Plan, changes: Mapping[str, str], folder: str | Path) -> Plan:
    """Write a plan with some numbers changed below a folder, and return it as read back.

    Tables that the plan shares with an earlier edition get a copy of their own. ``plan.lock`` is not copied, and an
    active edition becomes a draft: what is frozen is the old edition, not this one.

    Parameters
    ----------
    plan : Plan
        Read from a folder.
    changes : mapping of path to number text
        As for `plan.edit.replace`.
    folder : str or Path
        The plan goes to ``folder/scheme/edition``, which must not exist yet.

    Raises
    ------
    PlanError
        RM888 the folder exists, RM026 a file that cannot be edited, RM889 what was read back is not the plan with these
        changes (nothing is left).
    """
    source, target = Path(plan.folder), Path(folder) / plan.scheme / plan.edition
    if target.exists():
        raise PlanError(problem("RM888", folder=str(target)))
    target.mkdir(parents=True)
    try:
        _copy(plan, source, target)
        said = _plan_toml(plan, changes, source / "plan.toml")
        (target / "plan.toml").write_text(said, encoding="utf-8", newline="")
        for table in plan.tables.values():
            wanted = {(row.line, name): changes.get(row_path(table, row, name)) for row in table.rows
                      for name in table.value_names}  # fmt: skip
            cells = {key: value for key, value in wanted.items() if value is not None}
            if cells:
                _write_cells(target / "tables" / f"{table.name}.csv", cells)
        found, problems = read_plan(target)
        # Freed of the overlay's record the two must agree in every number.
        if problems or found.fingerprint != plan.replace(changes).fingerprint:
            raise PlanError([problem("RM889", folder=str(target)), *problems])
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return found


def _copy(plan: Plan, source: Path, target: Path) -> None:
    (target / "tables").mkdir()
    held = read_toml(source / "plan.toml").data
    given = held.get("table", {})
    for name, path in level_files(held).items():
        (target / own_file(name)).parent.mkdir(exist_ok=True)
        shutil.copyfile(source / path, target / own_file(name))
    for name in plan.tables:
        file = given.get(name, {}).get("file", f"tables/{name}.csv")
        shutil.copyfile(source / file, target / "tables" / f"{name}.csv")
    for extra in ("NOTES.md", "registers.toml", "cases"):
        if (source / extra).is_dir():
            shutil.copytree(source / extra, target / extra)
        elif (source / extra).exists():
            shutil.copyfile(source / extra, target / extra)


def _plan_toml(plan: Plan, changes: Mapping[str, str], path: Path) -> str:
    """Return plan.toml with the numbers changed, its tables beside it, and a draft again if it was in force."""
    file = read_toml(path)
    shared = [name for name, part in file.named("table").items() if "file" in part]
    asked: list[Change] = [(("table", name, "file"), GONE) for name in shared]
    asked += [(("column", name, "levels_file"), own_file(name)) for name in level_files(file.data)]
    if plan.status == "active":
        asked.append((("plan", "status"), "draft"))
    names = [step.get("name") for step in file.tables("step")]
    for change, value in changes.items():
        section, *rest = change.split(".")
        if section == "constants":
            asked.append((("constant", rest[0], "value"), value))
        elif section == "steps":
            name = ".".join(rest[:-1])
            if name not in names:  # it comes of a step that is written for several
                raise PlanError(problem("RM435", step=name))
            asked.append((("step", names.index(name), rest[-1]), value))
    return edited(file.content, asked, file.shown)


def _write_cells(path: Path, cells: Mapping[tuple[int, str], str]) -> None:
    """Change some cells of a CSV file by line and column; other lines keep every byte."""
    content = path.read_text(encoding="utf-8-sig")
    lines = content.splitlines(keepends=True)
    header = [name.strip() for name in next(csv.reader(lines[:1]))]
    for line in {line for line, _ in cells}:
        text = lines[line - 1]
        ending = text[len(text.rstrip("\r\n")) :]
        row = next(csv.reader([text]))
        for name, value in ((name, value) for (at, name), value in cells.items() if at == line):
            row[header.index(name)] = value
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow(row)
        lines[line - 1] = out.getvalue() + ending
    path.write_text("".join(lines), encoding="utf-8", newline="")
