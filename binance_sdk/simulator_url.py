"""The one address that stands for a whole simulator: REST of both markets, and the streams of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from binance_sdk._runtime.operation import Market
from binance_sdk.errors import ConfigError, shown

SIMULATOR_VARIABLE = "BINANCE_SDK_SIMULATOR"
STREAM_PORTS: Mapping[Market, int] = {"spot": 1, "futures": 2}
"""How far the port of a market's streams is above the one of REST."""
LAST_PORT = 65_535 - max(STREAM_PORTS.values())
"""The highest port a simulator can have."""


@dataclass(frozen=True)
class SimulatorUrls:
    """Where a simulator is.

    Attributes:
        rest: Base URL of both markets; their paths do not collide.
        streams: Base URL of the streams of each market.
    """

    rest: str
    streams: Mapping[Market, str]


def simulator_urls(url: str, source: str = "url") -> SimulatorUrls:
    """All URLs of the simulator at ``url``.

    Args:
        url: Its address, e.g. ``http://127.0.0.1:8080``.
        source: Argument or variable it comes from, for the message.

    Raises:
        ConfigError: ``url`` is no such address.
    """
    remedy = "write what `binance-sdk simulate` prints, e.g. http://127.0.0.1:8080"
    if "@" in url:
        # Whatever stands before it may be a password, so the value is not shown.
        raise ConfigError(f"{source} must not hold a user or password; {remedy}")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ConfigError(f"{source}={shown(url)} is no URL ({error}); {remedy}") from error
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or "?" in url or "#" in url:
        raise ConfigError(f"{source}={shown(url)} must be http://, a host and a port; {remedy}")
    if port > LAST_PORT:
        raise ConfigError(
            f"{source}={shown(url)}: the two ports after it are needed too, so at most {LAST_PORT}; {remedy}"
        )
    name = f"[{host}]" if ":" in host else host
    streams: dict[Market, str] = {market: f"ws://{name}:{port + above}" for market, above in STREAM_PORTS.items()}
    return SimulatorUrls(f"http://{name}:{port}", streams)


def read_simulator_url() -> SimulatorUrls | None:
    """The simulator that ``BINANCE_SDK_SIMULATOR`` names, if any.

    Raises:
        ConfigError: it is no address of one.
    """
    url = os.environ.get(SIMULATOR_VARIABLE, "").strip()
    return simulator_urls(url, SIMULATOR_VARIABLE) if url else None
