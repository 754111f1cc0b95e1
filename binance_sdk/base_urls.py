"""Checks the base URLs that users give, and refuses those to which no request could be sent."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from binance_sdk._generated.environments import ENVIRONMENTS
from binance_sdk.errors import ConfigError, shown

__all__ = ["read_base_url", "read_stream_url"]

_LONGEST = 2000
_STREAM_ENDINGS = ("ws", "stream")


def read_base_url(url: object, source: str) -> str:
    """The base URL of REST: scheme, host, port, and perhaps the path of a gateway.

    Raises:
        ConfigError: it is not such a URL, or ends in the path of the API, which each call adds.
    """
    parts = _read(url, source, ("http", "https"))
    path = _segments(parts)
    return _without_path(parts, len(path) if _is_binances_own(parts) else _of_the_api(path), source)


def read_stream_url(url: object, source: str) -> str:
    """The base URL of streams, likewise.

    Raises:
        ConfigError: it is not such a URL, or ends in the path of a stream.
    """
    parts = _read(url, source, ("ws", "wss"))
    path = _segments(parts)
    added = len(path) if _is_binances_own(parts) else 1 if path and path[-1] in _STREAM_ENDINGS else 0
    return _without_path(parts, added, source)


def _read(url: object, source: str, schemes: tuple[str, str]) -> SplitResult:
    remedy = f"write e.g. {schemes[0]}://127.0.0.1:8080"
    if not isinstance(url, str):
        raise ConfigError(f"{source}={shown(url)} must be a str, not a {type(url).__name__}; {remedy}")
    if "@" in url:
        # What is before it may be a password, so the value is not shown.
        raise ConfigError(f"{source} must not contain a user or password; {remedy}")
    if "?" in url or "#" in url:
        # A query may hold a secret too.
        raise ConfigError(f"{source} must not have a query or fragment, only scheme, host and path; {remedy}")
    given = f"{source}={shown(url)}"
    if len(url) > _LONGEST or not url.isprintable() or any(character.isspace() for character in url):
        raise ConfigError(f"{given} is too long, or contains blanks or characters that no URL has; {remedy}")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
        # A label of more than 63 characters or with invalid punycode fails here and not in the first call.
        (host or "").encode("idna").decode("idna")
    except ValueError as error:
        raise ConfigError(f"{given} is not a valid URL ({error}); {remedy}") from error
    if parts.scheme not in schemes or not host or port == 0:
        raise ConfigError(f"{given} must be a URL with {schemes[0]}:// or {schemes[1]}://; {remedy}")
    return parts


def _segments(parts: SplitResult) -> list[str]:
    return [segment for segment in parts.path.split("/") if segment]


def _is_binances_own(parts: SplitResult) -> bool:
    known = [hosts for environment in ENVIRONMENTS.values() for hosts in environment.hosts.values()]
    return parts.hostname in {urlsplit(url).hostname for hosts in known for url in (*hosts.rest, *hosts.stream)}


def _of_the_api(path: list[str]) -> int:
    """How many of the last segments are the beginning of an endpoint's path."""
    if len(path) < 2:
        return 0
    from binance_sdk._generated.catalogue import CATALOGUE

    beginnings: set[tuple[str, ...]] = set()
    for operation in CATALOGUE.operations:
        steps = tuple(operation.path.strip("/").split("/"))
        # A gateway may have a path /api of its own, but hardly /api/v3.
        beginnings |= {steps[:length] for length in range(2, len(steps) + 1)}
    return max((length for length in range(2, len(path) + 1) if tuple(path[-length:]) in beginnings), default=0)


def _without_path(parts: SplitResult, added: int, source: str) -> str:
    """The URL, refused if its path ends in ``added`` segments that are added to it anyway."""
    path = _segments(parts)
    base_url = "/".join([f"{parts.scheme}://{parts.netloc}", *path[: len(path) - added]])
    if added:
        ending = "/" + "/".join(path[len(path) - added :])
        raise ConfigError(
            f"{source}={shown(parts.geturl())} must not end in {ending}, which is added; write {base_url}"
        )
    return base_url
