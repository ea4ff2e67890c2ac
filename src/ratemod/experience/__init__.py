"""A firm's own record: split rating, credibility, merit schemes, bonus-malus, calibration."""
