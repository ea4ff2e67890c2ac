"""The face of a package: its public names, listed once, with their types, in the stub beside it, loaded on first use.

Where a stub says ``from ratemod.ratemaking.development import mack as mack``, the package answers to `mack`. A function
that bears the name of its module (`reserve` in reserve.py) stays the function, whoever imports the module.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


class Face(ModuleType):
    """A package that answers to the names of its stub."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted(_listed(self))
        home = _listed(self).get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = getattr(import_module(home), name) if home != self.__name__ else import_module(f"{home}.{name}")
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        listed = _listed(self).get(name)
        if not isinstance(value, ModuleType) or listed in (None, self.__name__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_listed(self)})


def show(package: str) -> None:
    """Make a package answer to the names that the stub beside it lists."""
    sys.modules[package].__class__ = Face


def _listed(face: Face) -> dict[str, str]:
    """Return public name -> the module that defines it, or the package itself where the name is a module of it."""
    held: dict[str, str] | None = face.__dict__.get("_listed")
    if held is None:
        tree = ast.parse(Path(str(face.__file__)).with_suffix(".pyi").read_text(encoding="utf-8"))
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        held = {alias.name: str(node.module) for node in imports for alias in node.names}
        face.__dict__["_listed"] = held
    return held
