"""A rate study: from a loss history to the next edition of a plan, with every judgement on record."""
