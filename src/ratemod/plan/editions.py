"""Find plans: shipped ones by name, editions by date, folders by path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Literal

from ratemod.errors import PlanError, nearest, problem
from ratemod.plan.check import problems_of
from ratemod.plan.files import read_plan
from ratemod.plan.model import Plan
from ratemod.plan.partly import further_problems
from ratemod.rules.options import day_of, strict

Business = Literal["new", "renewal"]


def shipped_folder() -> Path:
    """Return the folder of the plans inside the package."""
    return Path(str(resources.files("ratemod"))) / "plans"


def edition_folder(name: str | Path) -> Path:
    """Return a path, or where a plan.toml that it names stands."""
    path = Path(name)
    return path.parent if path.name == "plan.toml" else path


def editions_in(scheme: Path) -> list[Path]:
    """Return the edition folders of a scheme folder, by name."""
    return sorted(entry for entry in scheme.iterdir() if (entry / "plan.toml").exists()) if scheme.is_dir() else []


def shipped() -> Iterator[Path]:
    """Yield the folder of every edition that ships, by scheme and edition."""
    for scheme in sorted(shipped_folder().iterdir()):
        yield from editions_in(scheme)


def load_folder(folder: Path) -> Plan:
    """Read and check one edition; PlanError with every problem when it cannot be used."""
    plan, problems = read_plan(folder)
    problems = [*problems, *further_problems(plan, problems)] if problems else problems_of(plan)
    if problems:
        raise PlanError(problems)
    return plan


@strict
def load_plan(name: str | Path, at: date | str | None = None, business: Business = "new") -> Plan:
    """Return a plan that is ready to rate with.

    Parameters
    ----------
    name : str or Path
        A shipped scheme (``"jilin-spli"``), a shipped edition (``"jilin-spli/2025-04"``), or a folder: of an
        edition (it holds ``plan.toml``, which may be named as well) or of a scheme (it holds editions).
    at : date or ISO text, optional
        Picks the edition in force on that day. Needed when the scheme has several editions; nothing here reads
        the clock.
    business : "new" or "renewal"
        New business and renewals have dates of their own.

    Raises
    ------
    PlanError
        RM170 no such plan (with the nearest name), RM171 several editions and no date, RM172 no edition in force
        on that day, or every problem of the plan itself.

    Examples
    --------
    >>> load_plan("work-injury").standing
    'published'
    """
    day = None if at is None else day_of(at)
    folder = _folder(name)
    if (folder / "plan.toml").exists():
        plan = load_folder(folder)
        if day is not None and not in_force(plan, day, business):
            raise PlanError(problem("RM172", name=str(name), at=day, editions=_span(plan, business)))
        return plan
    editions = [load_folder(path) for path in editions_of(folder)]
    if len(editions) == 1 and day is None:
        return editions[0]
    if day is None:
        raise PlanError(problem("RM171", name=str(name), editions=", ".join(plan.edition for plan in editions)))
    chosen = choose(editions, day, business)
    if chosen is None:
        spans = "; ".join(_span(plan, business) for plan in editions)
        raise PlanError(problem("RM172", name=str(name), at=day, editions=spans))
    return chosen


@strict
def choose(editions: list[Plan], at: date, business: Business = "new") -> Plan | None:
    """Return the edition in force on a day (the latest to start), or None."""
    standing = [plan for plan in editions if plan.status != "withdrawn" and in_force(plan, at, business)]
    return max(standing, key=lambda plan: (starts(plan, business), plan.edition), default=None)


@strict
def starts(plan: Plan, business: Business) -> date:
    """Return the first day of an edition for new business or renewals."""
    return plan.new_from if business == "new" else plan.renewal_from


@strict
def in_force(plan: Plan, at: date, business: Business = "new") -> bool:
    """Return whether an edition applies on a day."""
    return starts(plan, business) <= at and (plan.until is None or at < plan.until)


def editions_of(name: str | Path) -> list[Path]:
    """Return the folders of the editions that a name stands for: one, or all of a scheme.

    Raises
    ------
    PlanError
        RM170 no such plan.
    """
    folder = _folder(name)
    return [folder] if (folder / "plan.toml").exists() else editions_in(folder)


def _span(plan: Plan, business: Business) -> str:
    return f"{plan.edition}: {starts(plan, business)} – {plan.until or ''}"


def _folder(name: str | Path) -> Path:
    here = edition_folder(name)
    if (here / "plan.toml").exists() or editions_in(here):
        return here
    inside = shipped_folder() / name
    if (inside / "plan.toml").exists() or editions_in(inside):
        return inside
    known = [f"{path.parent.name}/{path.name}" for path in shipped()]
    schemes = sorted({path.split("/")[0] for path in known})
    raise PlanError(
        problem("RM170", name=str(name), known=", ".join(schemes), nearest=nearest(str(name), [*schemes, *known]))
    )
