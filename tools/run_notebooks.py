"""Run the notebooks from top to bottom and store their outputs: ``python tools/run_notebooks.py [NOTEBOOK ...]``.

The same code and data store the same bytes: times, machine names and random identifiers are left out. A notebook runs
in a folder `notebooks` of its own beside links to `data` and `benchmarks`, so that ``../data`` is the shipped
province and nothing that it writes lands in the tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
BESIDE = ("data", "benchmarks")  # what a notebook finds one folder up
HANGS_AFTER = 600  # seconds a cell may take before it is given up; a guard, not a measurement
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(given: list[str]) -> int:
    """Run some notebooks, or all, and store them."""
    for path in [Path(name) for name in given] or sorted(FOLDER.glob("*.ipynb")):
        stored = text_of(executed(nbformat.read(path, as_version=4)))
        same = path.read_text(encoding="utf-8") == stored
        path.write_text(stored, encoding="utf-8")
        print(f"{path.name}: {'as stored' if same else 'stored anew'}")
    return 0


def executed(notebook: Any) -> Any:
    """Return a notebook with the outputs of a fresh kernel of this interpreter, ready to be stored.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        With the cell and its traceback, when a cell fails.
    """
    notebook = clean(notebook)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "notebooks"
        folder.mkdir()
        for name in BESIDE:
            (Path(home) / name).symlink_to(ROOT / name)
        with environment(home):
            client = NotebookClient(
                notebook,
                timeout=HANGS_AFTER,
                startup_timeout=HANGS_AFTER,
                kernel_name=KERNEL["name"],
                resources={"metadata": {"path": str(folder)}},
                record_timing=False,
                store_widget_state=False,
                coalesce_streams=True,
                extra_arguments=["--log-level=ERROR"],
            )
            asyncio.run(client.async_execute())
    return clean(notebook)


@contextlib.contextmanager
def environment(home: str) -> Iterator[None]:
    """Let the kernel be that of this interpreter, with no settings of whoever runs it."""
    wanted = {
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_RUNTIME_DIR": str(Path(home) / "runtime"),
        "JUPYTER_DATA_DIR": str(Path(home) / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(Path(home) / "jupyter"),
        "IPYTHONDIR": str(Path(home) / "ipython"),
        "PYTHONHASHSEED": "0",
        "COLUMNS": "120",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }
    kept = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def clean(notebook: Any) -> Any:
    """Return a notebook without what differs from run to run or from machine to machine."""
    needs = notebook.metadata.get("needs")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    if needs:
        notebook.metadata["needs"] = list(needs)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for at, cell in enumerate(notebook.cells):
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
        cell.id = f"{at:02d}-" + hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
            data = output.get("data", {})
            data.pop(WIDGET, None)
            if "text/plain" in data:  # where an object lay in memory is no result
                data["text/plain"] = ADDRESS.sub("", data["text/plain"])
    return notebook


def text_of(notebook: Any) -> str:
    """Return a notebook as it is stored."""
    return str(nbformat.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False)) + "\n"


def said(notebook: Any) -> list[list[str]]:
    """Return what the cells of a notebook say as text, cell by cell; pictures are left out."""
    found = []
    for cell in notebook.cells:
        lines = []
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                lines.append(f"{output.name}: {output.text}")
            data = output.get("data", {})
            lines += [data[kind] for kind in ("text/plain", "text/markdown", "text/html") if kind in data]
        found.append(lines)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
