"""A synthetic province whose true parameters are known, to develop, test, teach and benchmark on."""
