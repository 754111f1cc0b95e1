"""Randomness that can be read at any place without having read what comes before it.

Every number of the simulated market is a function of a key and an index, so that a candle of last
March costs no more than one of today, and the same seed always gives the same market. Integer hashing
plus ``+ - * /`` on floats give the same bits on every platform, which ``exp`` and friends would not.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

# The constants of splitmix64, a published mixing function with no visible structure left in its output.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


def key(seed: int, *names: str | int) -> np.uint64:
    """A 64-bit key of its own for each list of names."""
    text = "/".join(str(name) for name in (seed, *names))
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def hashed(with_key: np.uint64, index: Ints) -> Hashes:
    """64 random bits for each index. Arrays only: numpy wraps those silently, scalars with a warning."""
    x = index.astype(np.uint64)
    x *= _STEP
    x += with_key
    x ^= x >> np.uint64(30)
    x *= _MIX_1
    x ^= x >> np.uint64(27)
    x *= _MIX_2
    x ^= x >> np.uint64(31)
    return x


def bits(hashes: Hashes, shift: int, width: int) -> Ints:
    """``width`` of the bits as a non-negative integer."""
    return ((hashes >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)


class Walk:
    """Smooth noise over minutes: a sum of octaves, slow ones large and fast ones small.

    An octave draws one value for every ``period`` minutes and joins them by a smooth curve.
    """

    def __init__(self, seed: int, name: str, octaves: tuple[tuple[int, float], ...]) -> None:
        """``octaves`` are pairs of a period in minutes and the largest deviation it may cause."""
        self._octaves = [(key(seed, name, period), period, size) for period, size in octaves]

    def at(self, minutes: Ints) -> Floats:
        """The noise at each of these minutes since the epoch, which are in ascending order."""
        total = np.zeros(len(minutes))
        if not len(minutes):
            return total
        for with_key, period, size in self._octaves:
            node = minutes // period
            low, high = int(node[0]), int(node[-1]) + 1
            if high - low <= 2 * len(minutes):
                drawn = _draw(with_key, np.arange(low, high + 1, dtype=np.int64))
                left, right = drawn[node - low], drawn[node - low + 1]
            else:
                left, right = _draw(with_key, node), _draw(with_key, node + 1)
            fraction = (minutes - node * period) * (1.0 / period)
            smooth = fraction * fraction * (3.0 - 2.0 * fraction)
            total += size * (left + (right - left) * smooth)
        return total


def _draw(with_key: np.uint64, index: Ints) -> Floats:
    """A number from -1 to 1 for each index."""
    return (hashed(with_key, index) >> np.uint64(11)).astype(np.float64) * (2 * _UNIT) - 1.0
