"""Listings of the archive, as XML below a line that is ignored."""

from __future__ import annotations

from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.listing import _read

_ENTRY = "<Contents><Key>data/spot/a/BTCUSDT-1m-2025-01-0{0}.zip</Key><Size>{0}</Size></Contents>"
_PREFIX = "<CommonPrefixes><Prefix>data/spot/daily/klines/BTCUSDT/</Prefix></CommonPrefixes>"
_MORE = "<IsTruncated>true</IsTruncated><NextMarker>data/spot/x</NextMarker>"


def seeds() -> list[bytes]:
    texts = [_ENTRY.format(1) + _ENTRY.format(2), _PREFIX, _ENTRY.format(3) + _MORE]
    space = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    whole = [
        f"<?xml version='1.0'?><ListBucketResult{given}>{text}</ListBucketResult>"
        for text in texts
        for given in ("", space)
    ]
    return [b"\n" + text.encode() for text in whole]


def target(data: bytes) -> bool:
    """A page is read or refused; where it says that there is more, it says how to go on."""
    try:
        page = _read(data.partition(b"\n")[2], "listing")
    except ArchiveError as error:
        assert len(str(error)) < 2000
        return False
    assert all(key and 0 <= size < 10**18 for key, size in page.files)
    assert page.following is None or all(page.following.values())
    return True
