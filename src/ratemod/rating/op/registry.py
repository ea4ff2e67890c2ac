"""What every operation comes to: the readings of every file of this package."""

from __future__ import annotations

from types import MappingProxyType

from ratemod.plan.op.registry import files_of
from ratemod.rating import op
from ratemod.rating.compiling import Readings

READINGS: Readings = MappingProxyType({kind: own for file in files_of(op) for kind, own in file.READINGS.items()})
