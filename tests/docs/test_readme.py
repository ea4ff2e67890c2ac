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
CHINESE = (ROOT / "README.zh.md").read_text(encoding="utf-8")


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
    for target in re.findall(r"\]\(([^)#]+)\)", README + CHINESE):
        assert (ROOT / target).exists(), target


def without_remarks(code):
    return [re.sub(r"\s+#.*", "", line).rstrip() for line in code.splitlines()]


def test_the_chinese_readme_keeps_step():
    """The same sections, the same code and commands (remarks apart), the same links in the same order."""

    def outline(text):
        blocks = [without_remarks(block) for block in re.findall(r"^```\w+\n(.*?)^```", text, re.S | re.M)]
        makes = re.findall(r"^    (make \w+)", text, re.M)
        prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
        links = [target for target in re.findall(r"\]\(([^)]+)\)", text) if not target.startswith("README")]
        return {
            "sections": [len(mark) for mark in re.findall(r"^(#+) ", prose, re.M)],
            "points": len(re.findall(r"^- ", text, re.M)),
            "blocks": blocks,
            "makes": makes,
            "links": links,
        }

    ours, theirs = outline(README), outline(CHINESE)
    for name, found in ours.items():
        assert found == theirs[name], name
    assert "(README.zh.md)" in README and "(README.md)" in CHINESE


def test_the_chinese_readme_is_chinese():
    prose = re.sub(r"^```.*?^```|`[^`]*`|\]\([^)]*\)", "", CHINESE, flags=re.S | re.M)
    for line in prose.splitlines():
        if len(line) > 30:
            assert len(re.findall(r"[\u4e00-\u9fff]", line)) > 8, line


def test_the_shipped_schema_is_the_generated_one():
    assert (ROOT / "docs" / "plan.schema.json").read_text(encoding="utf-8") == schema_text()
