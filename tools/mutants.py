"""Mutation testing: ``make mutants`` changes one thing at a time in the engine and sees whether a test fails.

A seeded sample of the changes of each package (`tools/mutation.py`) is tried, each in a process of its own that is
forked from one in which the libraries are loaded. The changed module is compiled in that process's memory: no file is
touched, so nothing has to be put back, whatever is killed. The tests tried are those that run the changed line, the
quickest first (`tools/covering_tests.py`); where a line runs as the module is imported, those that run the module. The
first failure ends it, and a change that uses up its processor time counts as noticed.

Every outcome is a line of ``build/mutants/outcomes.jsonl``, so a run that was stopped goes on where it was.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import resource
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mutation import Mutant, changed, mutants

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "mutants"
OUTCOMES = OUT / "outcomes.jsonl"
ARGUED = ROOT / "tools" / "mutants_argued.toml"
PACKAGES = ("money", "rating", "plan", "reading", "whatif", "fund", "experience", "study", "rules", "vocabulary")
FOLDERS = ("vocabulary", "rules", "plan", "plans", "reading", "rating", "whatif", "experience", "fund", "study")
LIBRARIES = ("numpy", "pandas", "pyarrow.compute", "pyarrow.parquet", "pyarrow.csv", "scipy.optimize", "scipy.stats",
             "statsmodels.api", "hypothesis", "tomlkit", "xlsxwriter", "python_calamine", "openpyxl")  # fmt: skip
SECONDS = 90.0  # of tests for one change, by the clock of the run that mapped them
AT_LEAST = 60  # processor seconds that every change is given
NOTICED = ("killed", "time")


@dataclass(frozen=True)
class Outcome:
    """What became of one change: `killed` (by a test), `time`, `survived`, `untested`, or `void` (it fails anyway)."""

    package: str
    file: str
    line: int
    kind: str
    change: str
    status: str
    by: str


# ---------------------------------------------------------------------------------------------------- which


def sample(package: str, *, each: int, seed: int) -> list[Mutant]:
    """So many changes of one package, drawn from all of them."""
    place = ROOT / "src" / "ratemod" / package
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    every = [mutant for file in files for mutant in mutants(file, ROOT)]
    return random.Random(f"{seed} {package}").sample(every, min(each, len(every)))


class Map:
    """Which tests run which line."""

    def __init__(self, folder: Path = OUT) -> None:
        self.seconds: dict[str, float] = {}
        self.lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for file in sorted(folder.glob("*.json")):
            found = json.loads(file.read_text())
            self.seconds |= found["seconds"]
            for source, lines in found["lines"].items():
                for line, tests in lines.items():
                    self.lines[source][int(line)] |= set(tests)

    def tests(self, mutant: Mutant, seconds: float = SECONDS) -> list[str]:
        """The tests that run the line of a change, or its module; quickest first, up to so many seconds."""
        lines = self.lines[mutant.file]
        at = max((line for line in lines if line <= mutant.line), default=0)
        named = lines[at] if lines.get(at) else set().union(*lines.values())
        found = {test for test in self.seconds if test in named or test.partition("::")[0] in named}
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda test: (test not in named, self.seconds[test], test)):
            spent += self.seconds[test]
            if chosen and spent > seconds:
                break
            chosen.append(test)
        return chosen


# ---------------------------------------------------------------------------------------------------- one


class Changed(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds one module as it is, and compiles it changed."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.path = ROOT / mutant.file
        self.name = ".".join(self.path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own place, with this as its loader."""
        if name != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = self
        return spec

    def get_filename(self, fullname: str) -> str:
        """Where the module stands."""
        return str(self.path)

    def get_data(self, path: str | bytes) -> bytes:
        """Its text as it stands."""
        return Path(os.fsdecode(path)).read_bytes()

    def get_code(self, fullname: str) -> Any:
        """Its code, with the change."""
        return compile(changed(self.path.read_text(), self.mutant.number), str(self.path), "exec", dont_inherit=True)


class First:
    """Notes the first test that fails."""

    def __init__(self) -> None:
        self.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and not self.test:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot even be read."""
        if report.failed and not self.test:
            self.test = report.nodeid


def _tried(mutant: Mutant | None, tests: Iterable[str], write: int) -> None:
    """In the forked process: change, run, tell which test failed first."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    if mutant is not None:
        finder = Changed(mutant)
        sys.meta_path.insert(0, finder)
        try:
            importlib.import_module(finder.name)
        except BaseException:
            os.write(write, b"import")
            os._exit(1)
    first = First()
    code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins=[first]))
    os.write(write, first.test.encode())
    os._exit(1 if code in (1, 2, 3) else code)


def run(mutant: Mutant | None, tests: Sequence[str], *, seconds: float) -> tuple[str, str]:
    """Run tests with a change in a process of its own: (status, the first test that failed)."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
            os.close(read)
            _tried(mutant, tests, write)
        finally:
            os._exit(9)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        by = told.read().decode()
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        return "time", ""
    code = os.WEXITSTATUS(ended)
    return {0: "survived", 1: "killed"}.get(code, f"exit {code}"), by


# ---------------------------------------------------------------------------------------------------- all


def outcomes() -> list[Outcome]:
    """The last outcome of every change that was tried."""
    lines = OUTCOMES.read_text().splitlines() if OUTCOMES.exists() else []
    found = [Outcome(**json.loads(line)) for line in lines]
    return list({(one.file, one.line, one.kind, one.change): one for one in found}.values())


def _note(one: Outcome) -> None:
    with OUTCOMES.open("a") as out:
        out.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def try_all(chosen: Iterable[tuple[str, Mutant]], more: Sequence[str] = ()) -> None:
    """Try every change that has no outcome yet; `more` are tests that are tried before the mapped ones."""
    known = Map()
    for package, mutant in chosen:
        tests = [*more, *(test for test in known.tests(mutant) if test.partition("::")[0] not in more)]
        seconds = AT_LEAST + 4 * sum(known.seconds.get(test, 15.0) for test in tests)
        status, by = run(mutant, tests, seconds=seconds) if tests else ("untested", "")
        if status == "killed" and by not in ("import", "") and run(None, [by], seconds=seconds)[0] != "survived":
            status = "void"
        one = Outcome(
            package=package,
            file=mutant.file,
            line=mutant.line,
            kind=mutant.kind,
            change=mutant.said,
            status=status,
            by=by,
        )
        _note(one)
        print(f"{one.status:9} {one.file}:{one.line} {one.change[:90]}  {one.by}", flush=True)


def again(packages: Iterable[str]) -> list[tuple[str, Mutant]]:
    """What survived last time, found again in the source as it stands now, where its line may be another."""
    found, kept = [], []
    for one in outcomes():
        if one.package in packages and one.status not in NOTICED:
            alike = [m for m in mutants(ROOT / one.file, ROOT) if (m.kind, m.said) == (one.kind, one.change)]
            if not alike:  # what was changed is gone
                continue
            mutant = min(alike, key=lambda m: abs(m.line - one.line))
            found.append((one.package, mutant))
            one = replace(one, line=mutant.line)
        kept.append(one)
    OUTCOMES.unlink(missing_ok=True)
    for one in kept:
        _note(one)
    return found


# ---------------------------------------------------------------------------------------------------- said


def argued() -> dict[tuple[str, str, str], str]:
    """The reason for each change that no test can or need notice, by file, change and the source line it stands in."""
    if not ARGUED.exists():
        return {}
    return {(one["file"], one["change"], one["at"]): one["why"] for one in tomllib.loads(ARGUED.read_text())["mutant"]}


def _named(one: Outcome) -> tuple[str, str, str]:
    """A change by what is written there, whatever its line is now."""
    lines = (ROOT / one.file).read_text().splitlines()
    return one.file, one.change, lines[one.line - 1].strip() if one.line <= len(lines) else ""


def table(seed: int) -> tuple[str, float]:
    """docs/mutants.md, and the part of all changes that neither a test nor an argument accounts for."""
    why = argued()
    found = outcomes()
    commit, date = subprocess.run(
        ["git", "log", "-1", "--format=%h %cs"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    left = [one for one in found if one.status not in NOTICED]
    silent = [one for one in left if _named(one) not in why]
    rows = []
    for package in PACKAGES:
        here = [one for one in found if one.package == package]
        open_here = sum(one.package == package for one in silent)
        said = sum(one.package == package for one in left) - open_here
        rows.append(f"| {package} | {len(here)} | {len(here) - said - open_here} | {said} | {open_here} |")
    part = len(silent) / max(len(found), 1)
    text = [
        "# Mutation testing",
        "",
        "`make mutants` changes one thing at a time in the engine (a limit that takes its end or not, a sign, "
        "one more, `and` for `or`, a statement left out) and sees whether a test fails. `tools/mutants.py` says how.",
        "",
        f"Sample with seed {seed} at commit {commit} of {date}: {len(found)} changes, "
        f"{len(found) - len(left)} noticed by a test, {len(left) - len(silent)} argued, "
        f"{len(silent)} open ({part:.1%}).",
        "",
        "What survived when it was first tried and a test was then written for counts as noticed. Packages with 0 "
        "changes have not been sampled yet, and of the others outcomes may be of several commits: no rate of the "
        "whole is claimed.",
        "",
        "| package | changes | noticed | argued | open |",
        "|---|---:|---:|---:|---:|",
        *rows,
        "",
        "## Argued",
        "",
        "A change that leaves every result as it was, or that only a clock would notice; `tools/mutants_argued.toml`.",
        "",
        *(f"- `{one.file}`: `{one.change}`. {why[_named(one)]}" for one in left if one not in silent),
        "",
        "## Open",
        "",
        *(f"- `{one.file}` line {one.line}: `{one.change}` ({one.status})" for one in silent),
        "",
    ]
    return "\n".join(text), part


def main(words: Sequence[str] | None = None) -> int:
    """Map, try, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--each", type=int, default=30, help="how many changes of each package")
    parser.add_argument("--packages", nargs="+", choices=PACKAGES, default=PACKAGES)
    parser.add_argument("--again", action="store_true", help="try once more what survived")
    parser.add_argument("--tests", nargs="+", default=[], help="tests to try before the mapped ones")
    parser.add_argument("--report", action="store_true", help="only write docs/mutants.md")
    asked = parser.parse_args(words)
    os.chdir(ROOT)
    for path in (str(ROOT), str(ROOT / "src")):
        sys.path.insert(0, path)
    if not asked.report:
        for folder in FOLDERS:
            if not (OUT / f"{folder}.json").exists():
                subprocess.run([sys.executable, "tools/covering_tests.py", f"tests/{folder}"], cwd=ROOT, check=True)
        for library in LIBRARIES:
            importlib.import_module(library)
        if asked.again:
            chosen = again(asked.packages)
        else:
            done = {(one.file, one.line, one.kind, one.change) for one in outcomes()}
            chosen = [
                (package, mutant)
                for package in asked.packages
                for mutant in sample(package, each=asked.each, seed=asked.seed)
                if (mutant.file, mutant.line, mutant.kind, mutant.said) not in done
            ]
        try_all(chosen, asked.tests)
    text, part = table(asked.seed)
    (ROOT / "docs" / "mutants.md").write_text(text)
    print(f"docs/mutants.md: {part:.1%} open")
    return int(part >= 0.1)


if __name__ == "__main__":
    sys.exit(main())
