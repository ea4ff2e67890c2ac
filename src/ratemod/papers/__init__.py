"""The papers of a regulator's year: each duty of the notice with its paper, from one folder of lists."""
