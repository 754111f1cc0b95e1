"""The connection over which a process speaks of its pools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from binance_sdk._runtime.budget.shared.script import Script
from binance_sdk._runtime.store.address import StoreAddress
from binance_sdk._runtime.store.connection import StoreConnection, run_script
from binance_sdk.errors import ConfigError

T = TypeVar("T")


class PoolConnection:
    """Runs the scripts of pools, and says what is wrong with the key of one that is not ours."""

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        self._connection = StoreConnection(address, "limits_url")

    def run(self, script: Script, message: str) -> bytes | str:
        """Run the script with a message.

        Raises:
            StoreAwayError: the store does not answer, or not in time.
            ConfigError: it refuses us, or the key holds something else.
        """
        reply: bytes | str = self._ask(
            lambda client: run_script(client, script, (script.key,), (message,), ("loaded",)), script.key
        )
        return reply

    def look(self, text: str, key: str) -> bytes | str | None:
        """Run a script that the store must not let write; None where it answers nothing.

        Raises:
            StoreAwayError: as ``run``.
            ConfigError: as ``run``.
        """
        found: bytes | str | None = self._ask(lambda client: client.eval_ro(text, 1, key), key)
        return found

    def keys(self, pattern: str) -> list[str]:
        """Names of the keys that match a pattern of ``SCAN``, in order.

        Raises:
            StoreAwayError: as ``run``.
            ConfigError: as ``run``.
        """
        found: list[bytes | str] = self._ask(lambda client: list(client.scan_iter(match=pattern, count=1000)), pattern)
        return sorted({key if isinstance(key, str) else key.decode("utf-8", "replace") for key in found})

    def _ask(self, ask: Callable[[Any], T], key: str) -> T:
        def refused(text: str) -> ConfigError | None:
            if "BINANCESDK" not in text and "WRONGTYPE" not in text:
                return None
            what = text.partition("BINANCESDK")[2].strip()
            what = f"is of another version of this package ({what})" if what.startswith("format") else "is not ours"
            where = f"{self._address.shown}: what the key {key!r} holds"
            return ConfigError(f"{where} {what}; use another limits_key, or delete the key")

        return self._connection.ask(ask, refused)

    @property
    def version(self) -> str:
        """Of the store; empty before it was reached."""
        return self._connection.version

    def closed(self) -> bool:
        """Whether the other side has closed the connection meanwhile; nothing is sent to find that out."""
        return self._connection.closed()

    def close(self) -> None:
        self._connection.close()
