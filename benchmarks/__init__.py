"""Benchmarks: the same plan, the same rows, the same fen, beside what people would otherwise use."""
