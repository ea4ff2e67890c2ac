"""docs/architecture.md is the map of ideas: every package is on it, what it names exists, and imports go one way."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ratemod"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# A package may import itself and those before it.
ORDER = [
    "errors",
    "version",
    "whole_file",
    "rules",
    "money",
    "printed",
    "vocabulary",
    "reading",
    "plan",
    "rating",
    "registers",
    "cluster",
    "experience",
    "synth",
    "ratemaking",
    "study",
    "fund",
    "whatif",
    "policy",
    "confidentiality",
    "document",
    "report",
    "exhibits",
    "commands",
    "cli",
    "__main__",
]
# Results know how to show themselves; they load the exhibit when asked.
LAZY = {
    ("plan/model.py", "exhibits"),
    ("rating/rated.py", "exhibits"),
    ("rating/worksheet.py", "exhibits"),
    ("study/fit.py", "exhibits"),
    ("whatif/attribution.py", "exhibits"),
    ("whatif/dislocation.py", "exhibits"),
    ("whatif/incentive.py", "exhibits"),
    ("whatif/live.py", "exhibits"),
    ("whatif/solve.py", "exhibits"),
    ("whatif/sweep.py", "exhibits"),
    ("whatif/widget.py", "exhibits"),
}


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("ratemod.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path):
    own = ORDER.index(package_of(path))
    for name in imported(path):
        if (path.relative_to(SOURCE).as_posix(), name) not in LAZY:
            assert ORDER.index(name) <= own, f"{path} imports {name}, which is downstream"


def test_the_map_names_every_package_once():
    listed = re.findall(r"^`([a-z_]+)/`: ", MAP, flags=re.M)
    packages = sorted({path.relative_to(SOURCE).parts[0] for path in MODULES if path.parent != SOURCE})
    assert sorted(listed) == packages


def test_whatever_file_the_map_names_exists():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", MAP)) - {"test_architecture.py"}
    assert named, "the map names the files that carry its ideas"
    gone = sorted(name for name in named if not (SOURCE / name).is_file())
    assert not gone, gone
