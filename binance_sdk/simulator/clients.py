"""Ready clients of a running simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from binance_sdk.catalogue import Market
from binance_sdk.simulator_url import simulator_urls

if TYPE_CHECKING:
    from binance_sdk import BinanceClient, Caps, SyncBinanceClient
    from binance_sdk.events import Drift, Hook


class ClientOptions(TypedDict, total=False):
    """What both kinds of client take, except for base URLs and how to reach them."""

    api_key: str | None
    timeout: float
    max_retries: int
    transport: Literal["httpx", "aiohttp"]
    cache: bool
    cache_url: str | None
    limits_url: str | None
    limits_key: str
    limits_share: float
    caps: Caps | None
    safety_margin: float
    budget: bool
    max_concurrency: int
    hooks: Sequence[Hook]
    on_drift: Callable[[Drift], None] | None


class Clients:
    """Base of what has an address: makes clients for it."""

    @property
    def url(self) -> str:
        """The address that stands for the whole simulator, also as ``BINANCE_SDK_SIMULATOR``."""
        raise NotImplementedError

    def client(self, **options: Unpack[ClientOptions]) -> BinanceClient:
        """A client whose REST and streams, of every market, are here.

        Args:
            options: As ``BinanceClient`` takes them.

        Raises:
            SimulatorError: The simulator was not started.
            ConfigError: An option is wrong.
        """
        from binance_sdk import BinanceClient

        return BinanceClient(**self._base_urls(), **options)

    def sync_client(self, **options: Unpack[ClientOptions]) -> SyncBinanceClient:
        """A blocking client whose REST and streams, of every market, are here.

        Args:
            options: As ``SyncBinanceClient`` takes them.

        Raises:
            SimulatorError: The simulator was not started.
            ConfigError: An option is wrong.
        """
        from binance_sdk import SyncBinanceClient

        return SyncBinanceClient(**self._base_urls(), **options)

    def base_url(self, market: Market) -> str:
        """Base URL of the REST API of a market.

        Raises:
            SimulatorError: The simulator was not started.
        """
        return simulator_urls(self.url).rest[market]

    def stream_url(self, market: Market) -> str:
        """Base URL of the streams of a market; where they have routes, those follow it.

        Raises:
            SimulatorError: The simulator was not started.
        """
        return simulator_urls(self.url).streams[market]

    @property
    def archive_url(self) -> str:
        """Base URL of the archive's files.

        Raises:
            SimulatorError: The simulator was not started.
        """
        return simulator_urls(self.url).archive

    @property
    def archive_listing_url(self) -> str:
        """URL of the listing of the archive's files.

        Raises:
            SimulatorError: The simulator was not started.
        """
        return simulator_urls(self.url).archive_listing

    def _base_urls(self) -> dict[str, Any]:
        """The arguments of a client that say where every market is."""
        urls = simulator_urls(self.url)
        rest = {f"{market}_base_url": url for market, url in urls.rest.items()}
        return rest | {f"{market}_stream_url": url for market, url in urls.streams.items()}
