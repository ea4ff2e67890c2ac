"""The examples of the documentation run as they stand, from the top of the repository, in a folder of their own.

Every block of Python runs, and prints what the page shows under it; every line that begins with ``$ ratemod`` runs, and
prints each line that the page shows under it.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from ratemod.cli import main

ROOT = Path(__file__).parents[2]
FOLDERS = ("", "methods", "tutorials", "how-to")
PAGES = sorted(path for folder in FOLDERS for path in (ROOT / "docs" / folder).glob("*.md"))
PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.S | re.M)
FENCED = re.compile(r"^```text\n(.*?)^```", re.S | re.M)


def with_commands():
    """Every page that shows a command; the READMEs have a test of their own."""
    return [page for page in PAGES if "\n$ " in page.read_text(encoding="utf-8")]


def here(folder, monkeypatch):
    for name in ("data", "src"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    here(tmp_path, monkeypatch)
    known: dict[str, object] = {}
    for code, shown in PYTHON.findall(page.read_text(encoding="utf-8")):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(page), "exec"), known)
        if shown:
            assert out.getvalue() == shown


@pytest.mark.parametrize("page", with_commands(), ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_commands_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    here(tmp_path, monkeypatch)
    for block in FENCED.findall(page.read_text(encoding="utf-8")):
        if not block.startswith("$ "):
            continue
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *shown = part.strip().split("\n")
            words = shlex.split(command, comments=True)
            assert words[0] == "ratemod", f"a command that no test runs: {command}"
            assert main(words[1:]) in (0, 3), command
            printed = [line.strip() for line in capsys.readouterr().out.splitlines()]
            for line in shown:
                assert line.strip() in printed, f"{command} does not print: {line}"


def test_some_page_shows_a_command():
    assert len(with_commands()) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
