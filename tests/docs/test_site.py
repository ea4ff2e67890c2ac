"""The site builds without a warning, and its reference pages are those that the code makes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def made():
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "tools" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


def test_reference_pages_are_those_of_the_code():
    for name, content in made().items():
        shipped = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert shipped == content, f"{name}: run python tools/make_reference.py"


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in nav, page


def test_the_changelog_names_every_command():
    from ratemod.cli import COMMANDS

    text = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    listed = text.split("- Command line: ")[-1].split(".")[0]
    assert tuple(listed.split(", ")) == COMMANDS


def test_the_site_builds_without_a_warning_and_needs_no_network(tmp_path):
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs with its theme is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert run.returncode == 0 and "WARNING" not in run.stderr + run.stdout, run.stderr
    assert (tmp_path / "index.html").exists()
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?(https?:[^\"' >]+)", text)
        assert not fetched, (page, fetched)


def test_the_glossary_is_in_order_and_complete():
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ") and not line.startswith("| English")]
    assert all(len(row) == 3 and row[2].strip(" |") for row in rows)
    assert all(re.search(r"[\u4e00-\u9fff]", row[1]) for row in rows)
    names = [row[0].strip("| ").casefold() for row in rows]
    assert names == sorted(names) and len(names) == len(set(names)) and len(names) >= 80


def test_the_citation_names_this_version():
    import ratemod

    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {ratemod.__version__}\n" in citation and "license: MIT" in citation
