"""Figures that two papers of a year share, each from both: who reads them side by side finds one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.errors import Lang, text
from ratemod.money import yuan_text
from ratemod.papers.inputs import YearInputs
from ratemod.papers.paper import Names
from ratemod.rules.options import strict

# Of the disclosure, and the column of the fund that is the same: it publishes as used what was paid in the year; the
# fund counts a service as used when it is delivered, and owes it until it is paid.
OF_FUND = {"accrued_fen": "accrued_fen", "released_fen": "released_fen", "used_fen": "paid_fen"}


@dataclass(frozen=True, slots=True)
class SharedFigure:
    """One figure of the disclosure and of another paper.

    Attributes
    ----------
    name : ``UI_paper_figure_<name>`` says what it is; ``UI_paper_<other>`` is the other paper
    other : name of the other paper
    insurer : whose it is, empty for all
    disclosed, found : int, a number, or fen where the name ends in ``_fen``
    """

    name: str
    other: str
    insurer: str
    disclosed: int
    found: int

    @property
    def holds(self) -> bool:
        """Whether both papers say the same."""
        return self.disclosed == self.found

    @strict
    def cells(self, lang: Lang, names: Names) -> list[str]:
        """Return what it is, whose, the other paper, and both figures, amounts in yuan."""
        amount = yuan_text if self.name.endswith("_fen") else "{:,}".format
        whose = names.get("insurer", {}).get(self.insurer, self.insurer) or text("UI_disclosure_total", lang)
        what = text(f"UI_paper_figure_{self.name}", lang)
        return [what, whose, text(f"UI_paper_{self.other}", lang), amount(self.disclosed), amount(self.found)]


def shared_figures(given: YearInputs, made: set[str]) -> tuple[SharedFigure, ...]:
    """Return the figures that the disclosure shares with the other papers that were made."""
    if "disclosure" not in made:
        return ()
    people = _of_participation(given) if "participation" in made else []
    return (*people, *(_of_fund(given) if "fund" in made else []))


def _of_participation(given: YearInputs) -> list[SharedFigure]:
    subject = given.disclosure.subjects.get("participation")
    if subject is None or not any("state" in face for face in subject.tables.faces):
        return []
    tables, found = subject.tables, given.coverage
    flags = {"insured": found.in_full, "uninsured": found.uninsured}
    return [
        SharedFigure(
            name=name,
            other="participation",
            insurer="",
            disclosed=int(tables.values["enterprises"][tables.at(state=tables.levels["state"].index(name))]),
            found=int(np.asarray(flag).sum()),
        )
        for name, flag in flags.items()
    ]


def _of_fund(given: YearInputs) -> list[SharedFigure]:
    rows = [row for row in given.ledger.statement_table().to_pylist() if row["fund_year"] == given.year]
    return [
        SharedFigure(
            name=name,
            other="fund",
            insurer=line.insurer,
            disclosed=getattr(line, name),
            found=sum(row[column] for row in rows if line.insurer in ("", row["insurer"])),
        )
        for line in given.disclosure.fund
        for name, column in OF_FUND.items()
    ]
