"""One block of the province, drawn in the order in which one thing depends on another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.synth import (
    claims,
    development,
    enterprises,
    hazards,
    registers,
    services,
    severity,
    tariff,
    terms,
)
from ratemod.synth.calendar import Days
from ratemod.synth.enterprises import Codes, Floats, Ints, Window
from ratemod.synth.registers import NEVER
from ratemod.synth.truth import Truth


@dataclass(frozen=True, slots=True)
class Block:
    """Everything about one block; arrays by term and enterprise are (t, n).

    Attributes
    ----------
    window, truth, number : what it was drawn from
    keep : int, how many of its enterprises belong to the province
    certificate, integrity, blacklisted, hazard : int8 states at inception
    overdue_days : int64
    services_before : int64, delivered in the term before
    frequency : float64, true claims per head-year
    loss_mean_yuan : float64, true mean loss of a claim
    merit : int8; premium_fen, added_fen, refund_fen : int64
    """

    window: Window
    truth: Truth
    number: int
    keep: int
    firms: enterprises.Enterprises
    certificates: registers.Certificates
    integrities: registers.Integrity
    terms: terms.Terms
    hazards: hazards.Hazards
    services: services.Services
    claims: claims.Claims
    valuations: development.Valuations
    payments: development.Payments
    certificate: Codes
    integrity: Codes
    blacklisted: Codes
    hazard: Codes
    overdue_days: Ints
    services_before: Ints
    frequency: Floats
    loss_mean_yuan: Floats
    merit: Codes
    premium_fen: Ints
    added_fen: Ints
    refund_fen: Ints


def draw(truth: Truth, window: Window, seed: int, number: int, keep: int) -> Block:
    """Draw one block of enterprises with all that happens to them.

    Parameters
    ----------
    number : int, block number from 0
    keep : int, how many of its enterprises belong to the province; the rest is drawn too, and left out later
    """
    firms = enterprises.draw(truth, window, seed, number)
    held = registers.draw_certificates(truth, window, seed, number, firms)
    honest = registers.draw_integrity(truth, window, seed, number)
    covered = terms.draw(truth, window, seed, number, firms)
    start = covered.start
    certificate = each(start, lambda on: registers.certificate_on(held, on, NEVER)[0])
    integrity = each(start, lambda on: registers.integrity_on(honest, on, NEVER))
    blacklisted = each(start, lambda on: registers.blacklisted_on(honest, on, NEVER))
    found = hazards.draw(truth, window, seed, number, firms, covered, certificate)
    hazard = each(start, lambda on: hazards.state_on(found, on)[0])
    overdue = each(start, lambda on: hazards.state_on(found, on)[1])
    served = services.draw(truth, seed, number, firms, covered)
    earlier = services.before(served, covered)
    factor = services.effect(truth.frequency, earlier)
    rate = claims.frequency(truth, firms, certificate, integrity, blacklisted, hazard, factor)
    happened = claims.draw(truth, window, seed, number, firms, covered, rate * covered.head_years)
    index = claims.medical_index(truth, firms, covered)
    mean = severity.expected_loss_yuan(
        truth.severity, firms.sector, firms.size, covered.heads, covered.limit_yuan, index
    )
    merit = tariff.merits(tariff.claims_known(happened, covered), firms.joined)
    premium = tariff.premium_fen(truth, window, firms, covered, certificate, hazard, merit)
    added, refund = tariff.change_fen(premium, covered)
    insurer = covered.insurer.ravel()[happened.cell]
    valued = development.valuations(truth, window, seed, number, happened, insurer)
    return Block(
        window,
        truth,
        number,
        keep,
        firms,
        held,
        honest,
        covered,
        found,
        served,
        happened,
        valued,
        development.payments(happened),
        certificate,
        integrity,
        blacklisted,
        hazard,
        overdue,
        earlier,
        rate,
        mean,
        merit,
        premium,
        added,
        refund,
    )


def each(start: Days, state: Callable[[Days], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return a state at the start of every term, (t, n)."""
    return np.stack([state(on) for on in start])
