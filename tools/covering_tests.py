"""Which tests run which lines: ``python tools/covering_tests.py tests/rating`` writes ``build/mutants/rating.json``.

A line that runs while a fixture is made counts for every test of that file, because the fixture may be shared.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "mutants"


def function_of(node: str) -> str:
    """A test function without its parameters, as `file::name`."""
    return node.partition("[")[0]


class Recorder:
    """A plugin of pytest that tells coverage which test is running, and adds up how long each takes."""

    def __init__(self) -> None:
        self.lines = coverage.Coverage(data_file=None, include=[f"{ROOT}/src/ratemod/*"])
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Lines of a fixture belong to the whole file."""
        self.lines.switch_context(item.nodeid.partition("::")[0])
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Lines of the test itself belong to it."""
        self.lines.switch_context(function_of(item.nodeid))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the seconds of all parameters of a test function."""
        self.seconds[function_of(report.nodeid)] += report.duration

    def found(self) -> dict[str, object]:
        """The seconds of every test, and for every file the tests of each line."""
        data = self.lines.get_data()
        return {
            "seconds": self.seconds,
            "lines": {
                str(Path(file).relative_to(ROOT)): {
                    line: sorted(filter(None, tests)) for line, tests in data.contexts_by_lineno(file).items()
                }
                for file in sorted(data.measured_files())
            },
        }


def main(folder: str) -> int:
    """Run the tests of one folder and write down what they cover."""
    recorder = Recorder()
    recorder.lines.start()
    code = pytest.main(["-p", "no:cacheprovider", "-p", "no:randomly", folder], plugins=[recorder])
    recorder.lines.stop()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{Path(folder).name}.json").write_text(json.dumps(recorder.found()))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
