"""What an address may spend: the pools of Binance's hosts, written by hand from its documents and from nothing else.

A pool is not a host: the markets of one pool count into the same windows, show one used-weight header, and are
refused and banned together. Like the weights, this must not be generated from the spec: a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """What some markets count together for one address, and the words in which they refuse more.

    Attributes:
        weight_limit: Request weight in a minute.
        groups: Requests counted beside the weight: name -> (limit, seconds).
        groups_by_path: What a path begins with, and the group that counts its requests; the first that fits.
        too_much_weight: Beginning of the message of a 429 for weight.
        way_too_much: Beginning of the message of a 418.
        advice: What these messages recommend.
        bare_header: ``x-mbx-used-weight`` is sent beside the header that names the interval.
    """

    weight_limit: int
    groups: Mapping[str, tuple[int, int]]
    groups_by_path: tuple[tuple[str, str], ...]
    too_much_weight: str
    way_too_much: str
    advice: str
    bare_header: bool = False

    def group_of(self, path: str) -> str | None:
        """The group of requests that a path belongs to, if any."""
        return next((group for start, group in self.groups_by_path if path.startswith(start)), None)


POOLS: Mapping[str, Pool] = {
    "spot": Pool(
        weight_limit=6000,
        groups={"raw_requests": (300_000, 300)},
        groups_by_path=(("/", "raw_requests"),),
        too_much_weight="Too much request weight used",
        way_too_much="Way too much request weight used",
        advice="WebSocket Streams",
        bare_header=True,
    ),
    "futures": Pool(
        weight_limit=2400,
        groups={"funding_rate": (500, 300), "futures_data": (1000, 300)},
        groups_by_path=(
            ("/fapi/v1/fundingRate", "funding_rate"),
            ("/fapi/v1/fundingInfo", "funding_rate"),
            ("/futures/data/", "futures_data"),
        ),
        too_much_weight="Too many requests",
        way_too_much="Way too many requests",
        advice="the websocket",
    ),
}

POOL_OF: Mapping[str, str] = {"spot": "spot", "futures": "futures", "coin_futures": "futures"}
"""The pool that the requests to a market count into."""
