"""The examples of the documentation run as they stand, in the order of the page, in a folder of its own with the data.

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
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:```text\n(?P<shown>.*?)^```\n)?|^```text\n(?P<typed>\$ .*?)^```", re.S | re.M
)


def with_commands():
    """Every page that shows a command; the READMEs have a test of their own."""
    return [page for page in PAGES if "\n$ " in page.read_text(encoding="utf-8")]


def here(folder, monkeypatch):
    for name in ("data", "src"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch, no_pictures):
    here(tmp_path, monkeypatch)
    known: dict[str, object] = {}
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["typed"]:
            for part in re.split(r"^\$ ", block["typed"], flags=re.M)[1:]:
                typed(*part.strip().split("\n"))
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block["code"], str(page), "exec"), known)
        if block["shown"]:
            assert out.getvalue() == block["shown"]


def typed(command, *shown):
    """Run a command of a page, and look for every line that the page shows under it."""
    words = shlex.split(command, comments=True)
    assert words[0] == "ratemod", f"a command that no test runs: {command}"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(words[1:]) in (0, 3), command
    printed = [line.strip() for line in out.getvalue().splitlines()]
    for line in shown:
        assert line.strip() in printed, f"{command} does not print: {line}"


def test_some_page_shows_a_command():
    assert len(with_commands()) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
