"""Addresses that users give: read, and refused where no request could ever be sent to them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from binance_sdk._generated.environments import ENVIRONMENTS
from binance_sdk.errors import ConfigError, shown

__all__ = ["read_base_url", "read_stream_url"]

_LONGEST = 2000
_STREAM_ENDINGS = ("ws", "stream")


def read_base_url(url: object, source: str) -> str:
    """Where REST is: scheme, host, port, and the path of a gateway before it if need be.

    Raises:
        ConfigError: it is no such address, or the path of the API, which each call adds, stands at its end.
    """
    parts = _read(url, source, ("http", "https"))
    path = _segments(parts)
    return _without_path(parts, len(path) if _is_binances_own(parts) else _of_the_api(path), source)


def read_stream_url(url: object, source: str) -> str:
    """Where streams are; likewise.

    Raises:
        ConfigError: it is no such address, or the path of a stream stands at its end.
    """
    parts = _read(url, source, ("ws", "wss"))
    path = _segments(parts)
    added = len(path) if _is_binances_own(parts) else 1 if path and path[-1] in _STREAM_ENDINGS else 0
    return _without_path(parts, added, source)


def _read(url: object, source: str, schemes: tuple[str, str]) -> SplitResult:
    remedy = f"write e.g. {schemes[0]}://127.0.0.1:8080"
    if not isinstance(url, str):
        raise ConfigError(f"{source}={shown(url)} is a {type(url).__name__}, not a str; {remedy}")
    if "@" in url:
        # Whatever stands before it may be a password, so the value is not shown.
        raise ConfigError(f"{source} must not hold a user or password; {remedy}")
    if "?" in url or "#" in url:
        # So may a query.
        raise ConfigError(f"{source}: only scheme, host and path belong in it, no query or fragment; {remedy}")
    given = f"{source}={shown(url)}"
    if len(url) > _LONGEST or not url.isprintable() or any(one.isspace() for one in url):
        raise ConfigError(f"{given} is too long or holds blanks or characters that no URL has; {remedy}")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
        # A label of more than 63 characters, or one whose punycode is none, fails here and not in the first call.
        (host or "").encode("idna").decode("idna")
    except ValueError as error:
        raise ConfigError(f"{given} is no URL ({error}); {remedy}") from error
    if parts.scheme not in schemes or not host or port == 0:
        raise ConfigError(f"{given} is no {schemes[0]}(s) URL; {remedy}")
    return parts


def _segments(parts: SplitResult) -> list[str]:
    return [one for one in parts.path.split("/") if one]


def _is_binances_own(parts: SplitResult) -> bool:
    own = [one for place in ENVIRONMENTS.values() for hosts in (place.spot, place.futures) for one in hosts.rest]
    own += [one for place in ENVIRONMENTS.values() for hosts in (place.spot, place.futures) for one in hosts.stream]
    return parts.hostname in {urlsplit(one).hostname for one in own}


def _of_the_api(path: list[str]) -> int:
    """How many of the last steps are the beginning of an endpoint's path."""
    if len(path) < 2:
        return 0
    from binance_sdk._generated.catalogue import CATALOGUE

    begins: set[tuple[str, ...]] = set()
    for market in (CATALOGUE.spot, CATALOGUE.futures):
        for operation in market.operations.values():
            steps = tuple(operation.path.strip("/").split("/"))
            # A gateway may well call a path of its own /api; /api/v3 is Binance's.
            begins |= {steps[:length] for length in range(2, len(steps) + 1)}
    return max((length for length in range(2, len(path) + 1) if tuple(path[-length:]) in begins), default=0)


def _without_path(parts: SplitResult, added: int, source: str) -> str:
    """The URL, of whose path nothing may be what is added to it."""
    path = _segments(parts)
    kept = "/".join([f"{parts.scheme}://{parts.netloc}", *path[: len(path) - added]])
    if added:
        left_in = "/" + "/".join(path[len(path) - added :])
        raise ConfigError(f"{source}={shown(parts.geturl())} must not end in {left_in}, which is added; write {kept}")
    return kept
