"""The README's tour runs as it stands, and its output is the real one."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from ratemod.cli import main
from ratemod.plan.schema import schema_text

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tour_in_python_runs_and_prints_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["demo", "--out", "demo-out"]) == 0
    code = re.search(r"```python\n(.*?)```", README, re.S)[1]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    printed = out.getvalue()
    shown = re.search(r"```text\n(\{.*?\})\n```", README, re.S)[1]
    assert printed.splitlines()[0] == shown
    assert "1.50 → 1.60" in printed.replace("1.5 → 1.6", "1.50 → 1.60")


def test_the_tour_on_the_command_line_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--out", "demo-out"]) == 0
    for line in re.findall(r"^\$ ratemod (.*)$", README, re.M):
        words = line.replace("src/ratemod/plans", str(ROOT / "src" / "ratemod" / "plans")).split()
        assert main(words) in (0, 3), line
    assert "jilin-spli" in capsys.readouterr().out
    assert (tmp_path / "priced.xlsx").exists()


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_shipped_schema_is_the_generated_one():
    assert (ROOT / "docs" / "plan.schema.json").read_text(encoding="utf-8") == schema_text()
