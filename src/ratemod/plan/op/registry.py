"""The closed set of operations, by the name that a plan file gives: every class of this package that has one."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType

from ratemod.plan import op
from ratemod.plan.op.base import Operation


def _every() -> Iterator[type[Operation]]:
    """Yield the operations, file by file and in the order of each."""
    for name in sorted(module.name for module in pkgutil.iter_modules(op.__path__, f"{op.__name__}.")):
        if name != __name__:
            for value in vars(import_module(name)).values():
                if isinstance(value, type) and value.__module__ == name and "op" in vars(value):
                    yield value


EVERY: tuple[type[Operation], ...] = tuple(_every())
OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType({kind.op: kind for kind in EVERY})
