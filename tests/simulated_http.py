"""Plain HTTP to a simulator, each path at the port of the market that it belongs to."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from binance_sdk.simulator.clients import Clients
from binance_sdk.simulator_url import simulator_urls

_MARKETS = (("/fapi/", "futures"), ("/dapi/", "coin_futures"), ("/futures/data/", "futures"))

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak to this machine without TLS: each would read those of the whole world, for 10 ms and more."""


def _url(rest: Mapping[str, str], path: str) -> str:
    """The URL of a path: statistics are those of the first market that has them, and unknown paths are at spot.

    The path of another market is written as a whole URL.
    """
    if path.startswith("http"):
        return path
    return rest[next((market for start, market in _MARKETS if path.startswith(start)), "spot")] + path


class SimulatedHttp(httpx.Client):
    """A client to be asked for paths."""

    def __init__(self, simulator: Clients, **options: Any) -> None:
        """``options`` are those of ``httpx.Client``."""
        super().__init__(trust_env=False, verify=NO_CERTIFICATES, **options)
        self._rest: Mapping[str, str] = {**simulator_urls(simulator.url).rest}

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        kwargs["url"] = _url(self._rest, str(kwargs["url"]))
        return super().build_request(*args, **kwargs)


class AsyncSimulatedHttp(httpx.AsyncClient):
    """The same for coroutines."""

    def __init__(self, simulator: Clients, **options: Any) -> None:
        """``options`` are those of ``httpx.AsyncClient``."""
        super().__init__(trust_env=False, verify=NO_CERTIFICATES, **options)
        self._rest: Mapping[str, str] = {**simulator_urls(simulator.url).rest}

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        kwargs["url"] = _url(self._rest, str(kwargs["url"]))
        return super().build_request(*args, **kwargs)
