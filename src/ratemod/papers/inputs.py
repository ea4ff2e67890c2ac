"""What the papers of a year are made from: its lists, and what several papers share, each worked out once."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from pathlib import Path

from ratemod.fund.duties import Duties
from ratemod.fund.ledger import FundLedger
from ratemod.fund.of_folder import duties_of, ledger_of
from ratemod.fund.score_rule import Indicator
from ratemod.papers.paper import Names
from ratemod.publication.disclosure import Disclosure, disclosure
from ratemod.reading.folder import Folder
from ratemod.registers.complaints import Complaints, complaints_of
from ratemod.registers.participation import Coverage, coverage
from ratemod.registers.register import Register, read_register
from ratemod.registers.rules import ParticipationRule
from ratemod.registers.working_days import WorkingDays


@dataclass(frozen=True, eq=False)
class YearInputs:
    """The lists of a year, and what is made of them. Whatever a list lacks is raised where it is first asked for.

    Attributes
    ----------
    lists : Folder
    year : int
    day : date, as known on which day
    rule : ParticipationRule
    register : path or None, register of publications
    synthetic : bool
    names : mapping of column to code to name
    working_days : WorkingDays or None, of the clock of complaints; None: the shipped calendar
    indicators : tuple of Indicator or None, by which insurers and brokers are assessed; None: the shipped ones
    """

    lists: Folder
    year: int
    day: dt.date
    rule: ParticipationRule
    register: str | Path | None
    synthetic: bool
    names: Names
    working_days: WorkingDays | None = None
    indicators: tuple[Indicator, ...] | None = None

    @functools.cached_property
    def enterprises(self) -> Register:
        """The list of enterprises."""
        return read_register(self.lists.table("enterprises"), "enterprises")

    @functools.cached_property
    def policies(self) -> Register:
        """The list of policies."""
        return read_register(self.lists.table("policies"), "policies")

    @functools.cached_property
    def coverage(self) -> Coverage:
        """Who had to insure in the year, and what is missing."""
        changes = None
        if "endorsements" in self.lists:
            changes = read_register(self.lists.table("endorsements"), "endorsements")
        period = (f"{self.year}-01-01", f"{self.year + 1}-01-01")
        return coverage(self.enterprises, self.policies, period, self.rule, endorsements=changes)

    @functools.cached_property
    def complaints(self) -> Complaints:
        """The complaints received in the year."""
        return complaints_of(self.lists.table("complaints"), self.year, self.day, working_days=self.working_days)

    @functools.cached_property
    def disclosure(self) -> Disclosure:
        """What may be published of the year."""
        return disclosure(self.lists.path, self.year, rule=self.rule, register=self.register)

    @functools.cached_property
    def ledger(self) -> FundLedger:
        """The fund on the day."""
        return ledger_of(self.lists, self.day)

    @functools.cached_property
    def duties(self) -> Duties:
        """The services owed on the day."""
        return duties_of(self.lists, self.day)
