"""Who uses what of the budgets in a store: read for people, without taking part and without changing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from binance_sdk._runtime.budget.shared.messages import Count, Seconds, ShortText, reply_error
from binance_sdk._runtime.budget.shared.pool_connection import PoolConnection
from binance_sdk._runtime.budget.shared.script import POOL_PARTS, source
from binance_sdk._runtime.store.address import StoreAddress
from binance_sdk.errors import ConfigError

_KEY = re.compile(r"binance-sdk:\{([^{}:]+)\}:([^{}:]+)")
_STRICT = with_config(ConfigDict(strict=True))


@_STRICT
@dataclass(frozen=True, slots=True)
class SharedWindow:
    """One limit of a pool, as the store counts it for all processes.

    Args:
        kind: ``weight``, or the name of a group.
        seconds: Length of the window.
        limit: Allowed in a window by the exchange; margins are each process's own.
        used: Spent in the running window or reserved from it, by all.
        in_flight: Of that, by requests that are under way.
        resets_in: Seconds to its end; for a sliding window, until all that was spent is free again.
        doubted: The store does not know what was spent before it came up, and gives out 3 % until that is over.
    """

    kind: ShortText
    seconds: Count
    limit: Count
    used: Count
    in_flight: Count
    resets_in: Seconds
    doubted: bool


@_STRICT
@dataclass(frozen=True, slots=True)
class Consumer:
    """One process that spends from a pool.

    Args:
        id: Host, process id, and a part that no other process has: ``worker-3/4711/9f8e7d6c5b4a``.
        share: Its ``limits_share``.
        silent_for: Seconds since it last said something.
        lapsed: It was silent for so long that it counts as dead.
        waits_for: Seconds for which its calls have waited for room and got nothing; None if none waits.
        wants: Weight that its waiting calls ask for.
        used: What it took in the running window, or in about the last length of that of a group, by name, such as
            ``weight/60``.
        in_flight: What of its requests is under way, by the window's name.
    """

    id: ShortText
    share: Seconds
    silent_for: Seconds
    lapsed: bool
    wants: Count
    used: dict[ShortText, Count]
    in_flight: dict[ShortText, Count]
    waits_for: Seconds | None = None


@dataclass(frozen=True, slots=True)
class SharedPool:
    """One pool of limits in a store.

    Args:
        limits_key: The budget that it belongs to.
        name: Of the pool, as in messages and metrics.
        windows: By name, such as ``weight/60``.
        consumers: Processes that were heard of in the last hour, by their ids.
        closed_for: Seconds until anything may be sent; 0 if it may be now.
        banned_for: Seconds until the ban of the IP address ends; 0 without one.
        reason: Why it is closed.
        clock_offset: Time of the exchange minus that of the store, in seconds; None where nobody knows it yet.
        clock_uncertainty: Seconds by which it may be wrong.
    """

    limits_key: str
    name: str
    windows: Mapping[str, SharedWindow]
    consumers: tuple[Consumer, ...]
    closed_for: float
    banned_for: float
    reason: str
    clock_offset: float | None
    clock_uncertainty: float


@_STRICT
@dataclass(frozen=True, slots=True)
class _Told:
    """What the script says of a pool."""

    windows: dict[ShortText, SharedWindow]
    consumers: dict[ShortText, Consumer]
    closed_for: Seconds
    banned_for: Seconds
    reason: ShortText
    clock_uncertainty: Seconds
    clock_offset: Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)] | None = None


@cache
def _adapter() -> TypeAdapter[_Told]:
    return TypeAdapter(_Told)


class UsageReader:
    """Reads the budgets of a store; blocking. It is no consumer: nobody gets less because somebody looks."""

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        self._connection = PoolConnection(address)

    def read(self, limits_key: str | None = None) -> tuple[SharedPool, ...]:
        """The pools of one budget, or of all, by their names.

        The store itself sees to it that nothing is changed. Its user needs ``+scan +eval_ro`` beside what consumers
        need.

        Raises:
            StoreAwayError: the store does not answer, or not in time.
            ConfigError: it refuses us, or a key holds something else or belongs to another version of this package.
        """
        pattern = "*" if limits_key is None else quote(limits_key, safe="")
        text = f"{source(POOL_PARTS)}\n{source(('usage.lua',))}"
        found: list[SharedPool] = []
        for key in self._connection.keys(f"binance-sdk:{{{pattern}}}:*"):
            match = _KEY.fullmatch(key)
            told = self._connection.look(text, key) if match else None
            if match and told is not None:
                found.append(self._pool(key, unquote(match[1]), unquote(match[2]), told))
        return tuple(found)

    def _pool(self, key: str, limits_key: str, name: str, reply: bytes | str) -> SharedPool:
        try:
            told = _adapter().validate_json(reply)
        except ValidationError as error:
            raise ConfigError(
                f"{self._address.shown}: what the key {key!r} holds is not ours ({reply_error(error)}); "
                "use another limits_key, or delete the key"
            ) from None
        consumers = tuple(told.consumers[each] for each in sorted(told.consumers))
        windows = dict(sorted(told.windows.items()))
        return SharedPool(
            limits_key,
            name,
            windows,
            consumers,
            told.closed_for,
            told.banned_for,
            told.reason,
            told.clock_offset,
            told.clock_uncertainty,
        )

    @property
    def version(self) -> str:
        """Of the store, e.g. ``valkey 9.1.2``; empty before it was reached."""
        return self._connection.version

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> UsageReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
