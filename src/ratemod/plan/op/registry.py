"""The closed set of operations, by the name that a plan file gives: every class of this package that has one."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType, ModuleType

from ratemod.plan import op
from ratemod.plan.op.base import Operation


def files_of(package: ModuleType) -> Iterator[ModuleType]:
    """Yield the files of a package of operations, in the order of their names, without its registry."""
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")):
        if not name.endswith(".registry"):
            yield import_module(name)


def _every() -> Iterator[type[Operation]]:
    """Yield the operations, file by file and in the order of each."""
    for file in files_of(op):
        for value in vars(file).values():
            if isinstance(value, type) and value.__module__ == file.__name__ and "op" in vars(value):
                yield value


EVERY: tuple[type[Operation], ...] = tuple(_every())
OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType({kind.op: kind for kind in EVERY})
