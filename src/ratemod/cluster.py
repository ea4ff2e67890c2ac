"""Where one machine ends: the batch function that any engine can map, and its Spark form."""
