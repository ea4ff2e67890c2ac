"""Counter-based random streams: the same seed gives the same province, whatever the batch size.

Enterprises come in blocks of fixed size. Every (seed, block, noun) has a Philox stream of its own, so no draw of one
block or noun depends on another, and a province of 3,000 enterprises is the beginning of one of 3,000,000.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 4096

# A new noun goes to the end: the place in this tuple is part of the seed.
NOUNS = (
    "enterprise",
    "certificate",
    "integrity",
    "term",
    "insurer",
    "hazard",
    "service",
    "claim_count",
    "claim",
    "development",
    "catastrophe",
    "coinsurance",
    "mess",
)


def stream(seed: int, block: int, noun: str) -> np.random.Generator:
    """Return the random stream of one noun in one block of enterprises.

    Parameters
    ----------
    seed : int >= 0
    block : int >= 0, number of the block of `BLOCK` enterprises
    noun : one of `NOUNS`

    Source
    ------
    Salmon, Moraes, Dror & Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3" (Philox).

    Examples
    --------
    >>> first = stream(7, 0, "claim").random()
    >>> first == stream(7, 0, "claim").random(), first == stream(7, 1, "claim").random()
    (True, False)
    """
    key = np.random.SeedSequence(entropy=seed, spawn_key=(block, NOUNS.index(noun)))
    return np.random.Generator(np.random.Philox(key))


def pick(uniform: npt.NDArray[np.float64], probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Return the index drawn by each uniform number from a table of probabilities.

    Parameters
    ----------
    uniform : (...,) float64 in [0, 1)
    probabilities : (k,) or (..., k) float64; each row is scaled to sum to one

    Returns
    -------
    (...,) int8 index below k, by inversion

    Examples
    --------
    >>> pick(np.array([0.1, 0.6, 0.99]), np.array([0.5, 0.3, 0.2])).tolist()
    [0, 1, 2]
    """
    edge = np.cumsum(probabilities, axis=-1)
    edge = edge / edge[..., -1:]
    if edge.ndim == 1:
        return np.searchsorted(edge[:-1], uniform, side="right").astype(np.int8)
    found: npt.NDArray[np.int8] = (uniform[..., None] >= edge[..., :-1]).sum(axis=-1).astype(np.int8)
    return found
