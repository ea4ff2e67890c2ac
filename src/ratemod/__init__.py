"""Premiums for compulsory work-safety liability insurance: exact, explained, fast on whole provinces."""
