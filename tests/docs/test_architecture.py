"""docs/architecture.md is the map of ideas: every package is on it, what it names exists, and imports go one way."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ratemod"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# A package may import itself and those before it.
ORDER = [
    "face",
    "catalogue",
    "errors",
    "version",
    "whole_file",
    "rules",
    "money",
    "printed",
    "vocabulary",
    "reading",
    "document",
    "charts",
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
    "confidentiality",
    "publication",
    "formulas",
    "secondopinion",
    "report",
    "letters",
    "papers",
    "exhibits",
    "commands",
    "cli",
    "__main__",
]


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0].removesuffix(".py")


def named(node: ast.AST) -> set[str]:
    """Every module of the project that an import names: `from ratemod.plan import said` names `ratemod.plan.said`."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ratemod":
        return {f"{node.module}.{alias.name}" for alias in node.names}
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name.split(".")[0] == "ratemod"}
    return set()


def imported(path: Path) -> set[str]:
    """The packages that a file imports: at once, when needed, for types."""
    nodes = ast.walk(tree_of(path))
    return {name.split(".")[1] for node in nodes for name in named(node)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path):
    own = ORDER.index(package_of(path))
    for name in imported(path):
        assert ORDER.index(name) <= own, f"{path} imports {name}, which is downstream"


def test_no_module_is_imported_by_a_string():
    """What a string names cannot be followed; commands are verbs, operations a registry, `rm.*` one list of names."""
    users = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")
             if re.search(r"import_module|__import__", path.read_text(encoding="utf-8"))}  # fmt: skip
    assert users == {
        "__init__.py",
        "face.py",
        "cli.py",
        "commands/fund.py",
        "commands/report.py",
        "plan/op/registry.py",
    }


def needed(node: ast.AST, inside_class: bool = False) -> set[str]:
    """The modules that code needs to run: none for types alone, none where a method hands itself to a later file."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return set()
    if inside_class and isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
        call = node.body[-1].value
        given = call.args[:1] if isinstance(call, ast.Call) else []
        if given and isinstance(given[0], ast.Name) and given[0].id == "self":
            return set()
    inner = (needed(child, isinstance(node, ast.ClassDef)) for child in ast.iter_child_nodes(node))
    return named(node).union(*inner)


def test_no_file_needs_itself_through_others():
    files = {".".join(("ratemod", *path.relative_to(SOURCE).with_suffix("").parts)): path for path in MODULES}
    graph = {}
    for name, path in files.items():
        names = needed(tree_of(path))
        graph[name] = {part for one in names for part in (one, one.rpartition(".")[0]) if part in files} - {name}
    ordered = list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert set(ordered) == set(files)


def test_nothing_stands_beside_the_folders_that_belongs_to_nobody():
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout: what is under version control cannot be told")
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    assert {name for name in kept if name and "/" not in name} == {
        ".gitattributes", ".gitignore", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile",
        "README.md", "README.zh.md", "mkdocs.yml", "pyproject.toml", "requirements.lock",
    }  # fmt: skip


def test_the_map_names_every_package_once():
    listed = re.findall(r"^`([a-z_]+)/`: ", MAP, flags=re.M)
    packages = sorted({path.relative_to(SOURCE).parts[0] for path in MODULES if path.parent != SOURCE})
    assert sorted(listed) == packages


def test_whatever_file_the_map_names_exists():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", MAP)) - {"test_architecture.py"}
    assert named, "the map names the files that carry its ideas"
    gone = sorted(name for name in named if not (SOURCE / name).is_file())
    assert not gone, gone
