"""The only module that speaks to a store, over redis-py; every call blocks, for a bounded time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from binance_sdk._runtime.budget.shared.script import Script
from binance_sdk._runtime.budget.shared.store_address import StoreAddress
from binance_sdk._runtime.locks import IMPORT_LOCK
from binance_sdk._runtime.secrets import without_frames
from binance_sdk.errors import ConfigError

T = TypeVar("T")
TIMEOUT = 2.0
"""Seconds to connect, and again for each answer; a slower store counts as away."""
_OLDEST = (7, 0)
_LONGEST = 200


class StoreAwayError(Exception):
    """The store does not answer, or cannot run scripts now."""

    def __init__(self, reason: str, *, down: bool = False) -> None:
        super().__init__(reason)
        self.down = down
        """Nothing listens there, or it closed the connection: with a new one it answers at once, or it is away for
        every process. A store that only does not answer may be there for others."""


class StoreConnection:
    """One connection, made at the first call and again after it was lost."""

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        self._client: Any = None
        self._sentinel: Any = None

    def run(self, script: Script, message: str) -> bytes | str:
        """Run the script with a message.

        Raises:
            StoreAwayError: the store does not answer, or not in time.
            ConfigError: it refuses us, or the key holds something else.
        """

        def run(client: Any) -> bytes | str:
            import redis.exceptions as errors

            try:
                return client.evalsha(script.sha, 1, script.key, message)  # type: ignore[no-any-return]
            except errors.NoScriptError:
                return client.eval(script.text, 1, script.key, message, "loaded")  # type: ignore[no-any-return]

        return self._ask(run, script.key)

    def look(self, text: str, key: str) -> bytes | str | None:
        """Run a script that writes nothing; None where it answers nothing.

        Raises:
            StoreAwayError: as ``run``.
            ConfigError: as ``run``.
        """
        found: bytes | str | None = self._ask(lambda client: client.eval(text, 1, key), key)
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
        failure: BaseException
        with IMPORT_LOCK:
            import redis.exceptions as errors
        try:
            client = self._client
            if client is None:
                client = self._open()
            reply = ask(client)
        except errors.RedisError as error:
            failure = self._meaning(error, key)
        except ConfigError as error:
            failure = error
        except (OSError, ValueError, TypeError) as error:
            # A certificate that cannot be read, for one.
            failure = ConfigError(f"{self._address.shown} cannot be opened: {_short(error)}; check limits_url")
        else:
            return reply
        self._drop()
        # What redis-py raised holds the password in its frames.
        raise without_frames(failure)

    def closed(self) -> bool:
        """Whether the other side has closed the connection meanwhile; nothing is sent to find that out."""
        connection = getattr(self._client, "connection", None)
        if connection is None:
            return False
        import redis.exceptions as errors

        try:
            connection.can_read(0)
        except (errors.RedisError, OSError):
            return True
        return False

    def _open(self) -> Any:
        with IMPORT_LOCK:
            import redis
            from redis.backoff import NoBackoff
            from redis.cluster import ClusterNode
            from redis.retry import Retry

            address = self._address
            given: dict[str, Any] = {
                "socket_timeout": TIMEOUT,
                "socket_connect_timeout": TIMEOUT,
                "retry": Retry(NoBackoff(), 0),
                "username": address.username,
                "password": address.password,
                **_typed(dict(address.options)),
            }
            if address.tls:
                given["ssl"] = True
            if address.kind == "cluster":
                node: Any = ClusterNode
                nodes: list[Any] = [node(host, port) for host, port in address.hosts]
                self._client = redis.RedisCluster(startup_nodes=nodes, **given)
            elif address.kind == "sentinel":
                timeouts: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
                make: Any = redis.Sentinel
                self._sentinel = make(list(address.hosts), sentinel_kwargs=timeouts, **given)
                self._client = self._sentinel.master_for(address.service, db=address.db)
            else:
                where: dict[str, Any] = {"unix_socket_path": address.path}
                if address.kind == "server":
                    where = dict(zip(("host", "port"), address.hosts[0], strict=True))
                self._client = redis.Redis(db=address.db, single_connection_client=True, **where, **given)
        self._check_version()
        return self._client

    def _check_version(self) -> None:
        found: Any = self._client.info("server")
        version = str(found["redis_version"])
        match = re.match(r"(\d+)\.(\d+)", version)
        if match and (int(match[1]), int(match[2])) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise ConfigError(f"{self._address.shown} is version {version}; {oldest} or newer is needed")

    def _meaning(self, error: Exception, key: str) -> StoreAwayError | ConfigError:
        import redis.exceptions as errors

        where, text = self._address.shown, _short(error)
        if isinstance(error, errors.AuthenticationError | errors.NoPermissionError | errors.AuthorizationError):
            return ConfigError(f"{where} refuses the user or password of limits_url, or what it needs: {text}")
        if isinstance(error, errors.TimeoutError):
            return StoreAwayError(f"{where} does not answer within {TIMEOUT:g} s")
        if isinstance(error, errors.ConnectionError):
            return StoreAwayError(
                f"{where} cannot be reached: {text}", down=not isinstance(error.__cause__, TimeoutError)
            )
        if "BINANCESDK" in text or "WRONGTYPE" in text:
            what = text.partition("BINANCESDK")[2].strip()
            what = f"is of another version of this package ({what})" if what.startswith("format") else "is not ours"
            return ConfigError(f"{where}: what the key {key!r} holds {what}; use another limits_key, or delete the key")
        if "DB index" in text or "unknown command" in text:
            return ConfigError(f"{where} cannot be used: {text}; check limits_url")
        return StoreAwayError(f"{where} cannot run the script now: {text}")

    def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        sentinel, self._sentinel = self._sentinel, None
        others = () if sentinel is None else sentinel.sentinels
        for each in (client, *others):
            if each is not None:
                each.close()


def _typed(options: dict[str, str]) -> dict[str, Any]:
    """Options of the URL as redis-py wants them."""
    flag = options.get("ssl_check_hostname")
    return options if flag is None else {**options, "ssl_check_hostname": flag.lower() not in ("0", "false", "no")}


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
