"""The lowest versions that pyproject.toml claims, one a line, and what the tests need beside them as it is pinned.

``make test-lowest`` installs these lines. An extra that only adds a door of its own (charts, notebooks, clusters) is
left out: its tests skip.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTED_WITH = ("pytest", "hypothesis", "openpyxl", "polars")

if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in (*project["dependencies"], *project["optional-dependencies"]["sql"]):
        print(line.replace(">=", "=="))
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line.partition("==")[0] in TESTED_WITH:
            print(line)
