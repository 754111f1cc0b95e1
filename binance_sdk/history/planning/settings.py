"""How sources are reached: settings that can be sent to other processes, which open what they need from them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from binance_sdk.errors import ConfigError, shown

if TYPE_CHECKING:
    from binance_sdk import BinanceClient
    from binance_sdk.history.archive.session import ArchiveSession

_OWN = {"cache": "pieces are fetched once", "http_client": "each process opens its own"}
"""Arguments of a client that are no choice here."""
_NOT_SENT = {"hooks", "on_drift", "ssl_context", "archive", "clock"}
"""Arguments that no other process could get."""


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """How REST and the archive are reached.

    Attributes:
        client: Arguments of ``BinanceClient`` by name, e.g. ``{"limits_url": "redis://valkey:6379/0"}``, which gives
            all workers one budget.
        archive: Arguments of ``ArchiveSession`` by name, e.g. ``{"url": "http://127.0.0.1:8099"}``.

    Raises:
        ConfigError: an argument is unknown, or cannot be sent to another process.
    """

    client: Mapping[str, object] = field(default_factory=dict[str, object])
    archive: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        from binance_sdk._arguments import Arguments
        from binance_sdk.history.archive.session import ArchiveSession

        _check("client", self.client, Arguments)
        _check("archive", self.archive, ArchiveSession)
        for name, reason in _OWN.items():
            if name in self.client:
                raise ConfigError(f"FetchSettings: client[{name!r}] must be left out: {reason}")

    def __repr__(self) -> str:
        # Values may be secrets.
        return f"FetchSettings(client={sorted(self.client)}, archive={sorted(self.archive)})"

    def open_client(self) -> BinanceClient:
        """A client of its own for whoever calls; nothing is sent yet.

        Raises:
            ConfigError: a setting is wrong.
        """
        from binance_sdk import BinanceClient

        given: dict[str, Any] = dict(self.client)
        return BinanceClient(**given, cache=False)

    def open_session(self) -> ArchiveSession:
        """A session with the archive for whoever calls; nothing is sent yet.

        Raises:
            ConfigError: a setting is wrong.
        """
        from binance_sdk.history.archive.session import ArchiveSession

        given: dict[str, Any] = dict(self.archive)
        return ArchiveSession(**given)


def settings_of(settings: FetchSettings | None) -> FetchSettings:
    """The settings, by default those of a client without arguments.

    Raises:
        ConfigError: they are no settings.
    """
    if settings is None:
        return FetchSettings()
    if not isinstance(cast("object", settings), FetchSettings):
        raise ConfigError(f"settings={shown(settings)} must be FetchSettings(client={{...}}, archive={{...}}), or None")
    return settings


def _check(which: str, given: Mapping[str, object], made: type) -> None:
    if not isinstance(cast("object", given), Mapping):
        raise ConfigError(f"FetchSettings: {which}={shown(given)} must be a mapping of arguments by name")
    known = {*inspect.signature(made).parameters} - _NOT_SENT - _OWN.keys()
    for name in given:
        if name in _NOT_SENT:
            raise ConfigError(f"FetchSettings: {which}[{name!r}] must be left out: other processes could not get it")
        if name not in known and name not in _OWN:
            raise ConfigError(
                f"FetchSettings: {which}[{shown(name)}] is no argument; known are {', '.join(sorted(known))}"
            )
