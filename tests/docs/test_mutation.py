"""The tool that looks for blind spots of the tests changes one thing at a time, each sort of slip, and nothing else."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def mutation():
    spec = importlib.util.spec_from_file_location("mutation", TOOLS / "mutation.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutation"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["mutation"]


SOURCE = '''"""Text with 1 and 2."""
MOST: int = 5
@cache(maxsize=3)
def f(x: Literal[7], y=None):
    """Say 4 < 5."""
    if x < MOST and not y:
        raise ValueError("9")
    return min(x, -y)
'''


def test_every_place_is_changed_in_every_way_and_no_text_nor_annotation(mutation, tmp_path):
    file = tmp_path / "small.py"
    file.write_text(SOURCE)
    found = mutation.mutants(file, tmp_path)
    assert [(one.line, one.kind, one.before, one.after) for one in found] == [
        (2, "constant", "5", "6"),
        (6, "condition", "if x < MOST and (not y):", "if not (x < MOST and (not y)):"),
        (6, "boolean", "x < MOST and (not y)", "x < MOST or not y"),
        (6, "comparison", "x < MOST", "x <= MOST"),
        (6, "sign", "not y", "y"),
        (7, "left out", "raise ValueError('9')", "pass"),
        (8, "return", "return min(x, -y)", "return None"),
        (8, "extreme", "min(x, -y)", "max(x, -y)"),
        (8, "sign", "-y", "y"),
    ]
    as_it_was = ast.unparse(ast.parse(SOURCE))
    changed = [ast.unparse(mutation.changed(SOURCE, one.number)) for one in found]
    assert len({*changed, as_it_was}) == len(found) + 1
    for text in changed:
        different = [pair for pair in zip(text.splitlines(), as_it_was.splitlines()) if pair[0] != pair[1]]
        assert len(different) == 1
    with pytest.raises(IndexError):
        mutation.changed(SOURCE, len(found))
