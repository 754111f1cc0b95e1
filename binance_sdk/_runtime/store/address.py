"""The URL of a store, checked before anything is opened; nothing of redis-py is needed for that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from binance_sdk.errors import ConfigError

_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_OPTIONS = ("db", "client_name", *_TLS_OPTIONS)
_ALLOWED = {
    "ssl_cert_reqs": ("required", "optional", "none"),
    "ssl_check_hostname": ("true", "false", "1", "0", "yes", "no"),
}
_LONGEST = 2000
_PORT, _SENTINEL_PORT = 6379, 26379
_EXAMPLE = "write e.g. redis://127.0.0.1:6379/0"
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\[\]:,/@]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A server, or several, of one store."""

    kind: Literal["server", "socket", "sentinel", "cluster"]
    shown: str
    """The URL without user, password and options, for messages."""
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    """Of a Unix socket."""
    service: str = ""
    """Name of the master that sentinels watch."""
    db: int = 0
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """Two addresses with the same one are the same store."""
        return self.kind, self.hosts, self.path, self.service, self.db


def read_store_address(url: object, source: str) -> StoreAddress:
    """The address in a URL.

    Args:
        url: ``redis://``, ``rediss://`` (TLS), ``unix://``, and ``redis+sentinel://host:26379,host:26379/service/0`` or
            ``redis+cluster://host:6379,host:6379``, with ``rediss+`` for TLS.
        source: Name of the argument or environment variable, for messages.

    Raises:
        ConfigError: it is no such URL. The message never shows it, since it may hold a password.
    """
    if not isinstance(url, str):
        raise ConfigError(f"{source} must be a str, not a {type(url).__name__}; {_EXAMPLE}")
    if len(url) > _LONGEST or not url.isprintable() or any(character.isspace() for character in url):
        _refuse(source, "is too long, or contains blanks or characters that no URL has")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in _SCHEMES:
        _refuse(source, f"must begin with one of {', '.join(f'{name}://' for name in _SCHEMES)}")
    try:
        parts = urlsplit(f"redis://{rest}")
    except ValueError:
        _refuse(source, "is not a valid URL")
    if parts.fragment:
        _refuse(source, "contains '#'; write %23 in a password")
    if "@" in parts.path or "@" in parts.query:
        # What stands before it is a part of a password, and would be taken for what is shown.
        _refuse(source, "contains '@' behind a '/' or '?'; write %2F and %3F for them in a password, and %40 elsewhere")
    userinfo, _, netloc = parts.netloc.rpartition("@")
    user, password = (unquote(text) or None for text in (*userinfo.split(":", 1), "")[:2])
    options = _options(parts.query, source)
    if not scheme.startswith("rediss") and any(name in _TLS_OPTIONS for name, _ in options):
        _refuse(source, "has options of TLS, which only rediss:// speaks")
    if scheme == "unix":
        path = unquote(parts.path)
        if netloc or len(path) < 2:
            _refuse(source, "must name a socket, e.g. unix:///run/valkey.sock")
        db = _db(dict(options).get("db", ""), source)
        shown = f"unix://{path}"
        return StoreAddress(
            "socket", shown, path=path, db=db, username=user, password=password, options=_plain(options)
        )
    base, _, kind = scheme.partition("+")
    hosts = tuple(_host(text, _SENTINEL_PORT if kind == "sentinel" else _PORT, source) for text in netloc.split(","))
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    service = ""
    if kind == "sentinel":
        if not segments:
            _refuse(
                source, "must name the master that the sentinels watch, e.g. redis+sentinel://host:26379/mymaster/0"
            )
        service = segments.pop(0)
    elif not kind and len(hosts) > 1:
        _refuse(source, "names several hosts, which only redis+sentinel:// and redis+cluster:// may")
    if len(segments) > 1 or (segments and "db" in dict(options)):
        _refuse(source, "must end in the number of a database")
    db = _db(segments[0] if segments else dict(options).get("db", ""), source)
    if kind == "cluster" and db:
        _refuse(source, "names a database, and a cluster has only one")
    shown = f"{scheme}://{netloc}{f'/{service}' if service else ''}{f'/{db}' if kind != 'cluster' else ''}"
    return StoreAddress(
        "sentinel" if kind == "sentinel" else "cluster" if kind == "cluster" else "server",
        shown,
        hosts=hosts,
        service=service,
        db=db,
        tls=base == "rediss",
        username=user,
        password=password,
        options=_plain(options),
    )


def _options(query: str, source: str) -> list[tuple[str, str]]:
    options = parse_qsl(query, keep_blank_values=True)
    for name, _ in options:
        if name not in _OPTIONS:
            # Only a known name is shown: what is unknown may be a part of a password.
            _refuse(source, f"has an option that is not one of {', '.join(_OPTIONS)}")
    for name, value in options:
        if value.lower() not in _ALLOWED.get(name, (value.lower(),)):
            _refuse(source, f"has {name}={value[:20]!r}, which is none of {', '.join(_ALLOWED[name])}")
        if not value:
            _refuse(source, f"has nothing after {name}=")
    return options


def _plain(options: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in options if pair[0] != "db")


def _db(text: str, source: str) -> int:
    if not re.fullmatch("[0-9]{0,6}", text):
        _refuse(source, "must end in the number of a database")
    return int(text or 0)


def _host(text: str, port: int, source: str) -> tuple[str, int]:
    match = _HOST.fullmatch(text)
    number = int(match["port"] or port) if match else 0
    if match is None or not 0 < number < 65_536:
        _refuse(source, "must name a host, and perhaps a port from 1 to 65535")
    return unquote(match["host"]).strip("[]"), number


def _refuse(source: str, why: str) -> NoReturn:
    raise ConfigError(f"{source} {why}; {_EXAMPLE}")
