"""The one address that stands for a whole simulator: REST and the streams of every market, and the archive.

Each market has two ports of its own, as at the exchange each has hosts of its own, where the same path can mean another
thing. They follow each other in the order of the markets: REST of the first one, at the address itself, then its
streams, then REST of the second one, and so on. The archive of files is at the port after all of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.market import Market
from binance_sdk.errors import ConfigError, shown

SIMULATOR_VARIABLE = "BINANCE_SDK_SIMULATOR"
REST_PORTS: Mapping[Market, int] = {market: 2 * number for number, market in enumerate(MARKETS)}
"""How far the port of a market's REST is above the one in the address."""
STREAM_PORTS: Mapping[Market, int] = {market: above + 1 for market, above in REST_PORTS.items()}
"""How far the port of a market's streams is above the one in the address."""
ARCHIVE_PORT = max(STREAM_PORTS.values()) + 1
"""How far the port of the archive is above the one in the address."""
ARCHIVE_LISTING_PATH = "/data.binance.vision"
"""Where the listing of the archive's files is: as at the exchange, below the name of the bucket that has them."""
MORE_PORTS = ARCHIVE_PORT
"""How many ports a simulator has beside the one in its address; they follow it."""
LAST_PORT = 65_535 - MORE_PORTS
"""The highest port that the address of a simulator can have."""


@dataclass(frozen=True)
class SimulatorUrls:
    """Where a simulator is.

    Attributes:
        rest: Base URL of the REST API of each market.
        streams: Base URL of the streams of each market.
        archive: Base URL of the archive's files, which are below ``/data``.
        archive_listing: URL of the listing of those files.
    """

    rest: Mapping[Market, str]
    streams: Mapping[Market, str]
    archive: str
    archive_listing: str


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
            f"{source}={shown(url)}: the {MORE_PORTS} ports after it are needed too, so at most {LAST_PORT}; {remedy}"
        )
    name = f"[{host}]" if ":" in host else host
    archive = f"http://{name}:{port + ARCHIVE_PORT}"
    return SimulatorUrls(
        rest={market: f"http://{name}:{port + above}" for market, above in REST_PORTS.items()},
        streams={market: f"ws://{name}:{port + above}" for market, above in STREAM_PORTS.items()},
        archive=archive,
        archive_listing=archive + ARCHIVE_LISTING_PATH,
    )


def read_simulator_url() -> SimulatorUrls | None:
    """The simulator that ``BINANCE_SDK_SIMULATOR`` names, if any.

    Raises:
        ConfigError: it is no address of one.
    """
    url = os.environ.get(SIMULATOR_VARIABLE, "").strip()
    return simulator_urls(url, SIMULATOR_VARIABLE) if url else None
