"""What leaves the engine, as a Document, and one renderer a medium."""
