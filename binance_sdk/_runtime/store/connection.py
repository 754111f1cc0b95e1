"""The only module that speaks to a store, over redis-py; every call blocks, for a bounded time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from binance_sdk._runtime.locks import IMPORT_LOCK
from binance_sdk._runtime.secrets import without_frames
from binance_sdk._runtime.store.address import StoreAddress
from binance_sdk.errors import ConfigError, plain_number

T = TypeVar("T")
TIMEOUT = 2.0
"""Seconds to connect, and again for each answer; a slower store counts as away."""
_OLDEST = (7, 0)
_LONGEST = 200
_DENIED = ("ACL failure in script", "user executing the script can't run")
"""How Valkey and Redis say that a script may not do what it does."""


class StoreAwayError(Exception):
    """The store does not answer, or cannot run scripts now."""

    def __init__(self, reason: str, *, down: bool = False) -> None:
        super().__init__(reason)
        self.down = down
        """Nothing listens there, or it closed the connection: with a new one it answers at once, or it is away for
        every process. A store that only does not answer may be there for others."""


class StoreScript(Protocol):
    """A script that runs inside the store, and the digest by which the store knows it."""

    @property
    def text(self) -> str: ...

    @property
    def sha(self) -> str: ...


def run_script(
    client: Any,
    script: StoreScript,
    keys: tuple[str, ...],
    arguments: tuple[str | bytes, ...],
    when_loaded: tuple[str, ...] = (),
) -> Any:
    """What a script returns, run on keys; ``when_loaded`` are arguments more where the store did not know it."""
    import redis.exceptions as errors

    try:
        return client.evalsha(script.sha, len(keys), *keys, *arguments)
    except errors.NoScriptError:
        return client.eval(script.text, len(keys), *keys, *arguments, *when_loaded)


Refused = Callable[[str], "ConfigError | None"]
"""What an error means to whoever asks; None where he knows no better than the connection."""


class StoreConnection:
    """One connection, made at the first call and again after it was lost.

    Args:
        address: Where to.
        setting: Name of the client's setting that says so, for messages.
    """

    def __init__(self, address: StoreAddress, setting: str) -> None:
        self._address = address
        self._setting = setting
        self._client: Any = None
        self._sentinel: Any = None
        self._never_answered = True
        self.version = ""
        """Name and version of the store, e.g. ``valkey 9.1.2``; empty before it was reached."""

    def ask(self, ask: Callable[[Any], T], refused: Refused) -> T:
        """What ``ask`` gets from the client of redis-py.

        Raises:
            StoreAwayError: the store does not answer, or not in time.
            ConfigError: it refuses us.
        """
        failure: BaseException
        with IMPORT_LOCK:
            import redis.exceptions as errors
        try:
            client = self._client
            if client is None:
                client = self._open()
            return ask(client)
        except errors.RedisError as error:
            failure = self._meaning(error, refused)
        except ConfigError as error:
            failure = error
        except (OSError, ValueError, TypeError) as error:
            # A certificate that cannot be read, for one.
            failure = ConfigError(f"{self._address.shown} cannot be opened: {_short(error)}; check {self._setting}")
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
                **_typed(dict(address.options)),
            }
            if address.tls:
                _check_files(dict(address.options))
                given["ssl"] = True
            # Sentinels have users of their own.
            to_sentinels = {name: value for name, value in given.items() if name != "client_name"}
            given |= {"username": address.username, "password": address.password}
            if address.kind == "cluster":
                node: Any = ClusterNode
                nodes: list[Any] = [node(host, port) for host, port in address.hosts]
                self._client = redis.RedisCluster(startup_nodes=nodes, **given)
            elif address.kind == "sentinel":
                make: Any = redis.Sentinel
                self._sentinel = make(list(address.hosts), sentinel_kwargs=to_sentinels, **given)
                self._client = self._sentinel.master_for(address.service, db=address.db)
            else:
                where: dict[str, Any] = {"unix_socket_path": address.path}
                if address.kind == "server":
                    where = dict(zip(("host", "port"), address.hosts[0], strict=True))
                self._client = redis.Redis(db=address.db, single_connection_client=True, **where, **given)
        self._check_version()
        self._never_answered = False
        return self._client

    def _check_version(self) -> None:
        found: Any = self._client.info("server")
        version = str(found["redis_version"])
        # A Valkey tells the version of Redis that it is compatible with as well.
        name = "valkey" if "valkey_version" in found else "redis"
        self.version = f"{name} {found.get('valkey_version', version)}"
        match = re.match(r"(\d+)\.(\d+)", version)
        if match and (int(match[1]), int(match[2])) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise ConfigError(f"{self._address.shown} is version {version}; {oldest} or newer is needed")

    def _meaning(self, error: Exception, refused: Refused) -> StoreAwayError | ConfigError:
        import redis.exceptions as errors
        from redis.sentinel import MasterNotFoundError

        where, text = self._address.shown, _short(error)
        if isinstance(error, MasterNotFoundError):
            # Its text is full of what redis-py calls its objects.
            text = f"no sentinel names a master called {self._address.service!r}"
        denied = isinstance(error, errors.AuthenticationError | errors.NoPermissionError | errors.AuthorizationError)
        if denied or any(words in text for words in _DENIED):
            return ConfigError(f"{where} refuses the user or password of {self._setting}, or what it needs: {text}")
        tls = self._address.tls
        if tls and (remedy := _tls_remedy(error)):
            return ConfigError(f"{where} cannot be opened: {text}; {remedy}")
        if isinstance(error, errors.TimeoutError):
            # A server without TLS waits for more of what it takes for a command.
            hint = ", or speaks no TLS (then write redis)" if tls and self._never_answered else ""
            return StoreAwayError(f"{where} does not answer within {plain_number(TIMEOUT)} s{hint}")
        if isinstance(error, errors.ConnectionError):
            hint = ""
            if self._never_answered and re.search("closed|reset|EOF", text):
                hint = " It may want a certificate of ours (ssl_certfile)." if tls else " It may want TLS (rediss)."
            return StoreAwayError(
                f"{where} cannot be reached: {text}{hint}", down=not isinstance(error.__cause__, TimeoutError)
            )
        meant = refused(text)
        if meant is not None:
            return meant
        if "DB index" in text or "unknown command" in text:
            return ConfigError(f"{where} cannot be used: {text}; check {self._setting}")
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


def _check_files(options: dict[str, str]) -> None:
    """Check the files that TLS needs, of which redis-py says no more than that one is not there.

    Raises:
        ConfigError: one cannot be used; it is named.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile"):
        value = options.get(name)
        if value is None:
            continue
        try:
            if name == "ssl_certfile":
                # With a password, OpenSSL does not ask the terminal for one.
                context.load_cert_chain(value, options.get("ssl_keyfile"), password="")
            elif name == "ssl_ca_path":
                context.load_verify_locations(capath=value)
            else:
                context.load_verify_locations(cafile=value)
        except (OSError, ValueError) as error:
            named = name if name != "ssl_certfile" else "ssl_certfile (or ssl_keyfile)"
            raise ConfigError(f"{named}={value} cannot be used: {_short(error)}") from error


def _tls_remedy(error: BaseException) -> str:
    """What to do where TLS itself fails; empty if it does not."""
    import ssl

    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        return "name the file of its authority with ?ssl_ca_certs=, and the host as its certificate does"
    if found is not None and "CERTIFICATE" in (found.reason or ""):
        return "give it a certificate of ours with ?ssl_certfile= and &ssl_keyfile="
    return ""


def _typed(options: dict[str, str]) -> dict[str, Any]:
    """Options of the URL as redis-py wants them."""
    flag = options.get("ssl_check_hostname")
    return options if flag is None else {**options, "ssl_check_hostname": flag.lower() not in ("0", "false", "no")}


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
