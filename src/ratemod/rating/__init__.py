"""The main job: encode, steps, exact arithmetic, worksheet, stream."""
