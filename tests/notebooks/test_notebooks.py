"""Every notebook runs from top to bottom and says what it is stored with, so that none goes stale."""

from __future__ import annotations

import copy
import importlib.util
import resource
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_SECONDS = 60  # of processor time, which does not depend on what else the machine does

spec = importlib.util.spec_from_file_location("run_notebooks", ROOT / "tools" / "run_notebooks.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def lacking(notebook) -> str:
    """What this machine lacks of what a notebook needs: metadata `needs`, modules or "chinese font"."""
    for need in notebook.metadata.get("needs", ()):
        if need == "chinese font":
            from ratemod.charts.style import missing_glyphs

            if missing_glyphs(["元"]):
                return "no Chinese font installed"
        elif importlib.util.find_spec(need) is None:
            return f"{need} is not installed"
    return ""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_whole(path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run make notebooks"
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs, "stored without outputs"
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert tool.text_of(tool.clean(copy.deepcopy(notebook))) == text, "run make notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_it_is_stored_with(path):
    stored = nbformat.read(path, as_version=4)
    if lacking(stored):
        pytest.skip(lacking(stored))
    before = spent()
    fresh = tool.executed(copy.deepcopy(stored))
    took = spent() - before
    for at, (old, new) in enumerate(zip(tool.said(stored), tool.said(fresh), strict=True)):
        assert new == old, f"cell {at} says something else than is stored; run make notebooks"
    assert took < MOST_SECONDS, "a notebook is for reading: under a minute"


def spent() -> float:
    """Processor seconds of finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cells(*sources):
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_markdown_cell("# t"), *(nbformat.v4.new_code_cell(source) for source in sources)]
    return made


def test_storing_twice_gives_the_same_bytes_and_nothing_of_the_machine():
    source = "import os, sys\nprint(1)\nprint(2, os.path.exists('../data/province'))\n{'b': 1, 'a': 2}"
    first, again = (tool.text_of(tool.executed(cells(source, "open('x', 'w').close()"))) for _ in range(2))
    assert first == again
    assert "True" in first and "execution" not in first.replace("execution_count", "")
    assert not (ROOT / "notebooks" / "x").exists()


def test_a_failing_cell_is_an_error_that_names_it():
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match="no_such_name"):
        tool.executed(cells("1", "no_such_name"))
