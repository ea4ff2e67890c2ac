"""The operations of a plan, a class each: its keys, what it reads, what it can come to, and its words.

`registry` lists them. What an operation comes to in exact numbers, over a block of floats and in Excel stands in tables
keyed by these classes, in `ratemod.rating.exact`, `ratemod.rating.fill` and `ratemod.formulas.formula`; a test
proves each of them complete.
"""
