"""What may be published of shared data: figures and their relations, which stay out, and the attack that proves it."""
