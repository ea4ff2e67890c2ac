"""A sheet that writes formulas as they are.

XlsxWriter looks through every formula for some thirty functions that came after the format, to put a prefix before
their names: more than half of the time that a workbook of formulas takes. Ours have it where they need it, which a
test holds on every operation.
"""

from __future__ import annotations

from xlsxwriter.worksheet import Worksheet


class WrittenSheet(Worksheet):  # type: ignore[misc]  # the library has no types
    """A worksheet whose formulas have the prefixes that they need."""

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        return formula.removeprefix("=")
