"""What each operation comes to in exact numbers and over a block of floats: a file for each of `ratemod.plan.op`.

Each has a table `READINGS`, which `registry` gathers.
"""
