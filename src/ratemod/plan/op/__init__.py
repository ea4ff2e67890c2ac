"""The operations of a plan, a class each: its keys, what it reads, what it can come to, and its words.

`registry` lists them. What an operation comes to in exact numbers and over a block of floats stands in the file of the
same name in `ratemod.rating.op`, its Excel formula in `ratemod.formulas.formula`, in tables keyed by these classes; a
test proves each of them complete.
"""
