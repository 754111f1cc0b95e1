"""What is delivered: the data of the source that serves, with what is told about it and about the others."""

from __future__ import annotations

from collections.abc import Mapping

from virtuoso_binance.kinds import market_of
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources.aggregation import aggregated, filled
from virtuoso_binance.sources.asking import Answer
from virtuoso_binance.sources.comparison import Comparison
from virtuoso_binance.sources.switching import Route

__all__ = ["delivered", "why_not"]


def why_not(route: Route, answer: Answer) -> str:
    """Why a source does not serve, in words."""
    if answer.source in route.quarantined and answer.data is not None:
        return "it is in quarantine, as a majority contradicts it"
    return answer.reason or "aggregation_mode is primary_only"


def delivered(
    route: Route, chosen: Answer, answers: Mapping[str, Answer], comparison: Comparison | None, *, aggregate: bool
) -> Row:
    """``market_data`` of one source, with ``source``, ``quality``, ``sources`` and more in its metadata.

    Args:
        route: That of the symbol; it remembers the market.
        chosen: The answer that is delivered.
        answers: Those of every source that was asked.
        comparison: What comparing them said.
        aggregate: Add the block over all of them, and what the source lacks.
    """
    data: Row = chosen.data or {}
    route.market = market_of(data)
    extra: Row = {}
    about: Row = {"source": chosen.source, "quality": chosen.quality.as_row()}
    if comparison is not None:
        about["cross_validation"] = comparison.as_row()
    said = {name: answer.reason or "good" for name, answer in answers.items() if name != chosen.source}
    if aggregate:
        like: dict[str, Row] = {}
        for name, answer in answers.items():
            if answer.data is None or name == chosen.source:
                continue
            if market_of(answer.data) != market_of(data):
                text = f"{market_of(answer.data)} is another market than {market_of(data)}"
                said[name] = f"left out of the aggregate: {text}"
            elif name in route.quarantined:
                said[name] = f"left out of the aggregate: {why_not(route, answer)}"
            else:
                like[name] = answer.data
        extra["aggregate"] = aggregated({chosen.source: data, **like})
        data, came_from = filled(data, like)
        if came_from:
            about["filled"] = came_from
    return {**data, **extra, "metadata": {**data["metadata"], **about, "sources": said}}
