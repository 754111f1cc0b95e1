"""Ready clients of a running simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from binance_sdk.simulator_url import simulator_urls

if TYPE_CHECKING:
    from binance_sdk import BinanceClient, Caps, SyncBinanceClient
    from binance_sdk.events import Hook, WeightDrift


class ClientOptions(TypedDict, total=False):
    """What both kinds of client take, except for base URLs and how to reach them."""

    api_key: str | None
    timeout: float
    max_retries: int
    transport: Literal["httpx", "aiohttp"]
    cache: bool
    caps: Caps | None
    safety_margin: float
    budget: bool
    max_concurrency: int
    hooks: Sequence[Hook]
    on_drift: Callable[[WeightDrift], None] | None


class _BaseUrls(TypedDict):
    spot_base_url: str
    futures_base_url: str
    spot_stream_url: str
    futures_stream_url: str


class Clients:
    """Base of what has an address: makes clients for it."""

    @property
    def url(self) -> str:
        """The address that stands for the whole simulator, also as ``BINANCE_SDK_SIMULATOR``."""
        raise NotImplementedError

    def client(self, **options: Unpack[ClientOptions]) -> BinanceClient:
        """A client whose REST and streams, of both markets, are here.

        Args:
            options: As ``BinanceClient`` takes them.

        Raises:
            SimulatorError: The simulator was not started.
            ConfigError: An option is wrong.
        """
        from binance_sdk import BinanceClient

        return BinanceClient(**self._base_urls(), **options)

    def sync_client(self, **options: Unpack[ClientOptions]) -> SyncBinanceClient:
        """A blocking client whose REST and streams, of both markets, are here.

        Args:
            options: As ``SyncBinanceClient`` takes them.

        Raises:
            SimulatorError: The simulator was not started.
            ConfigError: An option is wrong.
        """
        from binance_sdk import SyncBinanceClient

        return SyncBinanceClient(**self._base_urls(), **options)

    def _base_urls(self) -> _BaseUrls:
        urls = simulator_urls(self.url)
        return {
            "spot_base_url": urls.rest,
            "futures_base_url": urls.rest,
            "spot_stream_url": urls.streams["spot"],
            "futures_stream_url": urls.streams["futures"],
        }
