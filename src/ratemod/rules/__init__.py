"""Rules: what people write down for the engine, as files or as arguments, held against what was declared."""
