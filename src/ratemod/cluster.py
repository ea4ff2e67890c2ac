"""Where one machine ends: the batch function that any engine can map, and its Spark form."""

from __future__ import annotations

from ratemod.rating.cluster import batch_schema, broken_keys, rate_batch, rate_spark, spark_totals

__all__ = ["batch_schema", "broken_keys", "rate_batch", "rate_spark", "spark_totals"]
