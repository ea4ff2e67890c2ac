"""Codes of the state and their check digits: credit code, industry, size class, division, accident grade."""
