"""Addresses of ``limits_url`` and ``cache_url``, below a line that is ignored."""

from __future__ import annotations

from binance_sdk._runtime.store.address import read_store_address
from binance_sdk.errors import ConfigError

_SECRET = "S3CR3T"
_URLS = (
    "redis://127.0.0.1:6379/0",
    f"redis://user:{_SECRET}@[::1]:6379/3?client_name=a",
    f"rediss://:{_SECRET}@store.invalid/0?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem",
    f"unix://user:{_SECRET}@/run/valkey.sock?db=2",
    f"redis+sentinel://:{_SECRET}@a.invalid:26379,b.invalid/mymaster/0",
    "rediss+cluster://a.invalid:6379,b.invalid:6380",
)


def seeds() -> list[bytes]:
    return [f"\n{url}".encode() for url in _URLS]


def target(data: bytes) -> bool:
    """An address is read or refused, and neither shows a password."""
    url = data.partition(b"\n")[2].decode("utf-8", "surrogateescape")
    # Elsewhere it stands where a host, a path or an option does, which are shown.
    is_secret = _SECRET not in url.rpartition("@")[2]
    try:
        address = read_store_address(url, "limits_url")
    except ConfigError as error:
        assert not is_secret or _SECRET not in str(error)
        assert str(error).startswith("limits_url")
        return False
    assert not is_secret or _SECRET not in f"{address!r} {address.shown}"
    assert all(0 < port < 65_536 for _, port in address.hosts)
    assert address.hosts or address.path
    hash(address.identity)
    return True
