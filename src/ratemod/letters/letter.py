"""What a letter says of one row of a priced book: a quote (报价单), or an opinion for the underwriter (核保意见书)."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from ratemod.document.html import card
from ratemod.errors import Lang, text
from ratemod.fund.duty_rule import DutyRule, owed_by_rule
from ratemod.fund.fund_table import day_number
from ratemod.letters.capitals import capitals
from ratemod.letters.terms import Terms
from ratemod.plan import said as words
from ratemod.rating.find import name_column
from ratemod.rating.verdict import say
from ratemod.rating.worksheet_words import WorksheetWords
from ratemod.rules.options import strict
from ratemod.vocabulary.currency import YUAN
from ratemod.vocabulary.labels import level_label

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated
    from ratemod.rating.worksheet import Line, Worksheet

Kind = Literal["quote", "opinion"]
KINDS: tuple[Kind, ...] = ("quote", "opinion")
MOST_LINES = 5
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A letter, ready for a template: every figure is said already.

    Attributes
    ----------
    kind : "quote" or "opinion"
    name : of its file, without an ending
    title, warning, plan, status, reason : texts; the warning says what the rates are not
    number, insured, insurer, date, validity : texts, blank where they are to be filled in by hand
    cover : label and value of what the premium rests on
    lines : label, figure and unit of the steps that made the premium, at most five, the premium last
    premium, premium_in_capitals, fund : amounts, blank where there is none
    services, notes, duties, special, signatures : sentences
    worksheet : every step with its sources, as HTML
    """

    kind: Kind
    lang: Lang
    name: str
    title: str
    warning: str
    plan: str
    status: str
    reason: str
    number: str
    insured: str
    insurer: str
    date: str
    validity: str
    cover: Pairs
    lines: tuple[tuple[str, str, str], ...]
    premium: str
    premium_in_capitals: str
    fund: str
    services: tuple[str, ...]
    notes: tuple[str, ...]
    duties: tuple[str, ...]
    special: tuple[str, ...]
    signatures: tuple[str, ...]
    worksheet: str


@strict
def letter_of(
    rated: Rated,
    at: int,
    kind: Kind,
    terms: Terms,
    duties: Sequence[DutyRule],
    *,
    lang: Lang,
    date: datetime.date | None = None,
) -> Letter:
    """Return the letter on one row.

    Parameters
    ----------
    rated : Rated
        Of one edition or several; a row is explained under its own.
    at : int
        Position of the row, counted from 0.
    kind : "quote" or "opinion"
    terms : Terms
    duties : rules of the services that insureds are owed
    date : of the letter; blank without, for the clock is never read

    Raises
    ------
    BookError
        RM321 no such row.
    """
    sheet = rated.explain(at)
    said, plan = WorksheetWords(sheet, lang), sheet.plan
    name = name_column(rated)
    insured = "" if name is None else str(rated.book.table[name][at].as_py() or "")
    money = plan.money.said
    return Letter(
        kind=kind,
        lang=lang,
        name=" ".join(part for part in (sheet.key, insured) if part),
        title=text(f"UI_letter_{kind}", lang),
        warning=plan.warning(lang),
        plan=f"{words.title(plan, lang)} {plan.id}",
        status=text(f"UI_status_{sheet.status}", lang),
        reason=sheet.reason_zh if lang == "zh" else sheet.reason_en,
        number=sheet.key,
        insured=insured,
        insurer=terms.insurer,
        date="" if date is None else date.isoformat(),
        validity=terms.validity,
        cover=_cover(said, {plan.key, name}),
        lines=tuple((said.label(line), said.figure(line), said.unit(line)) for line in _told(sheet)),
        premium="" if sheet.premium_fen is None else money(sheet.premium_fen),
        premium_in_capitals=(
            capitals(sheet.premium_fen) if sheet.premium_fen is not None and plan.money == YUAN and lang == "zh" else ""
        ),
        fund="" if sheet.fund_fen is None else f"{money(sheet.fund_fen)} {plan.money.name(lang)}",
        services=_services(sheet, duties, lang),
        notes=_notes(rated, at, lang),
        duties=terms.duties,
        special=terms.special,
        signatures=terms.signatures,
        worksheet=card(sheet.document(lang)) if kind == "opinion" else "",
    )


def _cover(said: WorksheetWords, besides: set[str | None]) -> Pairs:
    """Return what the premium rests on, amounts grouped and with their units."""
    found = []
    for name, en, zh, value in said.worksheet.inputs:
        if not value or name in besides:
            continue
        column = said.plan.columns[name]
        shown = said.level(name, value)
        if column.kind == "number":
            unit = said.plan.unit_label(column.unit, said.lang) if column.unit else ""
            shown = f"{Decimal(value):,f} {unit}".strip()
        found.append((zh if said.lang == "zh" else en, shown))
    return tuple(found)


def _told(sheet: Worksheet) -> list[Line]:
    """Return the steps that a letter tells: the first that counts, and the last before the premium, which ends them."""
    heads = {step.name for step in sheet.plan.steps if step.headline}
    kept = [line for line in sheet.lines if line.name in heads and line.value not in (None, 1)]
    kept = [line for line in kept if line.name not in (sheet.plan.premium, sheet.plan.fund)]
    last = [line for line in sheet.lines if line.name == sheet.plan.premium]
    room = MOST_LINES - len(last)
    return [*(kept if len(kept) <= room else [kept[0], *kept[1 - room :]]), *last]


def _services(sheet: Worksheet, rules: Sequence[DutyRule], lang: Lang) -> tuple[str, ...]:
    """Return what services the insured is owed a year, where a rule says so of its sector, size and first day."""
    given = {name: value for name, _, _, value in sheet.inputs if value}
    if not {"sector", "size_class", "start_date"} <= given.keys():
        return ()
    start = np.array([day_number(given["start_date"][:10])], dtype=np.int64)
    owed, which = owed_by_rule(rules, np.array([given["sector"]]), np.array([given["size_class"]]), start)
    if which[0] < 0:
        return ()
    rule = rules[int(which[0])]
    kinds = text("UI_letter_or", lang).join(level_label("service_type", kind, lang) or kind for kind in rule.accepted)
    return (text("UI_letter_services", lang, times=int(owed[0]), kinds=kinds, edition=rule.edition),)


def _notes(rated: Rated, at: int, lang: Lang) -> tuple[str, ...]:
    """Return the remarks on a row, a sentence each."""
    verdict = rated.verdict
    which = int(verdict.note_of[at]) if verdict.notes else 0
    return tuple(say((item,), lang) for item in verdict.notes[which - 1]) if which else ()
