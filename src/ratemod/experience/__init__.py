"""A firm's own record: split rating, credibility, merit schemes, bonus-malus, calibration."""

from ratemod.face import show

show(__name__)
