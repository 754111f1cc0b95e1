"""Limits that the exchange announces in an answer (``rateLimits``), as far as they can be true.

They replace those of the spec, so a mistake in them must neither make us send far more than the exchange allows, nor
stop us for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from binance_sdk._runtime.market import Limit

AnnouncedLimit = tuple[str | None, str | None, int | None, int | None]
"""Type, interval, number of intervals, limit."""
INTERVAL_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}
WEIGHT = "REQUEST_WEIGHT"

_LOGGER = logging.getLogger("binance_sdk")
_MAX_SECONDS = 31 * 86_400
_TIMES_MORE = 10**6
"""A server of tests may announce a very large limit and mean none. One so many times larger than the spec's is a
mistake."""
_TIMES_LESS = 100
"""A limit so many times smaller than the spec's is a mistake too: hardly a call would fit."""
_LEAST_WEIGHT = 10
"""Most calls weigh less."""
_REMEMBERED = 32


def _credible(limit: int, seconds: int, known: Limit, least: int) -> bool:
    """Whether a limit can be true, compared with the spec's; a longer interval allows more, a shorter one less."""
    lowest = known.limit * min(1.0, seconds / known.seconds) / _TIMES_LESS
    highest = known.limit * max(1.0, seconds / known.seconds) * _TIMES_MORE
    return max(least, lowest) <= limit <= highest


@dataclass
class AnnouncedLimits:
    """Reads announced limits, and warns once of each that cannot be true."""

    pool: str
    weight: Limit
    groups: Mapping[str, Limit]
    _refused: set[AnnouncedLimit] = field(default_factory=set[AnnouncedLimit])

    def read(self, rows: Iterable[AnnouncedLimit], least: int) -> dict[str, dict[int, int | None]]:
        """Limits by kind (``weight`` or the name of a group) and length in seconds.

        Args:
            rows: As announced.
            least: Weight of the request that was answered, which fitted.

        Returns:
            None in place of a limit that cannot be true: there is such a window, and it keeps the limit it has.
        """
        found: dict[str, dict[int, int | None]] = {}
        for row in rows:
            kind, interval, number, limit = row
            name = "weight" if kind == WEIGHT else (kind or "").lower()
            known = self.weight if kind == WEIGHT else self.groups.get(name)
            if known is None or interval not in INTERVAL_SECONDS or (limit or 0) < 1 or (number or 0) < 1:
                # A limit of another kind, or one that is not a limit at all.
                continue
            assert limit is not None
            assert number is not None
            if number > _MAX_SECONDS // INTERVAL_SECONDS[interval]:
                self._refuse(row)
                continue
            seconds = INTERVAL_SECONDS[interval] * number
            windows = found.setdefault(name, {})
            if _credible(limit, seconds, known, max(least, _LEAST_WEIGHT) if kind == WEIGHT else 1):
                known_limit = windows.get(seconds)
                windows[seconds] = limit if known_limit is None else min(known_limit, limit)
            else:
                self._refuse(row)
                windows.setdefault(seconds, None)
        return found

    def _refuse(self, row: AnnouncedLimit) -> None:
        if row in self._refused or len(self._refused) >= _REMEMBERED:
            return
        self._refused.add(row)
        kind, interval, number, limit = row
        _LOGGER.warning(
            "%s: a limit %s of %s in %s %s cannot be true and is ignored",
            *(self.pool, kind, _number_text(limit), _number_text(number), interval),
        )


def _number_text(number: int | None) -> str:
    """A number as text; it may have more digits than Python converts."""
    return "a number of more than 18 digits" if number is not None and abs(number) >= 10**18 else str(number)
