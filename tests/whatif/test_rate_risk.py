"""What the estimates of a study leave open: seeded, centred on the selected rates, nothing without uncertainty."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ratemod.errors import BookError, ModelError
from ratemod.rating.rate import rate
from ratemod.study.fit import fit
from ratemod.whatif.rate_risk import _cells, _drawn, _free, _moves, rate_risk

PROVINCE = Path(__file__).parents[2] / "data" / "province"


@pytest.fixture(scope="module")
def study():
    return fit(PROVINCE, "jilin-spli/2025-04", new_from="2026-01-01")


def test_it_is_seeded_and_centred_on_the_selected_rates(study):
    one, again = rate_risk(study, draws=60, seed=3), rate_risk(study, draws=60, seed=3)
    assert (one.premium_fen == again.premium_fen).all() and (one.share_above == again.share_above).all()
    assert (one.premium_fen != rate_risk(study, draws=60, seed=4).premium_fen).any()
    assert one.selected_fen == study.rates.premium_fen
    assert one.premium_fen.std() > 0 and (one.segment_fen.sum(axis=1) == one.premium_fen).all()
    error = one.premium_fen.std() / np.sqrt(60)
    # Caps hold rises back more than falls, so that the mean lies somewhat below the selected premium.
    assert abs(one.premium_fen.mean() - one.selected_fen) < 4 * error + 0.02 * one.selected_fen
    shown = one.frame()
    assert len(shown) == len(one.segments) + 1 and (shown["premium_yuan_5"] <= shown["premium_yuan_95"]).all()
    assert 0 <= one.share_above.min() <= one.share_above.max() <= 1
    assert "RateRisk" in repr(one) and "<table" in one._repr_html_()


def test_without_uncertainty_every_draw_is_the_selected_plan(study):
    sure = {name: replace(one, covariance=np.zeros_like(one.covariance)) for name, one in study.model.fits.items()}
    certain = replace(study, model=replace(study.model, fits=sure))
    found = rate_risk(certain, draws=3, seed=1)
    assert (found.premium_fen == study.rates.premium_fen).all()
    assert (found.share_above == found.share_above[0]).all()


def test_a_draw_is_priced_as_a_plan_of_its_own(study):
    found = rate_risk(study, draws=4, seed=9, by=())
    moves = _moves(study, np.random.default_rng(9), 4)
    drawn = _free(study).replace(_cells(study, {path: move[2] for path, move in moves.items()}))
    assert found.premium_fen[2] == rate(study.book, drawn, lang="en").premium_fen


def test_effects_are_drawn_as_wide_as_the_study_prints_their_intervals(study):
    _, drawn = _drawn(study.model, np.random.default_rng(2), 6000)
    for name, effect in study.model.effects.items():
        error = np.log(effect.high / effect.low) / (2 * 1.959964)
        error = error[study.model.level_of[name]]  # a merged level moves with the one that stands for it
        z = np.where(np.isnan(effect.credibility), 1.0, effect.credibility)
        assert drawn[name].std(axis=0) == pytest.approx(error * z, rel=0.06, abs=1e-12), name


def test_what_cannot_be_drawn_is_refused(study):
    with pytest.raises(ModelError, match="RM855"):
        rate_risk(study, draws=1, seed=1)
    with pytest.raises(BookError, match="RM322"):
        rate_risk(study, draws=2, seed=1, by=("sectr",))
