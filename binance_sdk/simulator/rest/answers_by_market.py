"""The answers that each market has of its own; of any other operation the example of the spec is the answer."""

from __future__ import annotations

from collections.abc import Mapping

from binance_sdk.simulator.rest import coin_futures, futures, spot
from binance_sdk.simulator.rest.answers import Answer

_ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    "spot": spot.ANSWERS,
    "futures": futures.ANSWERS,
    "coin_futures": coin_futures.ANSWERS,
}


def answers_of(market: str) -> Mapping[str, Answer]:
    """The answers of a market by operation."""
    return _ANSWERS.get(market, {})
