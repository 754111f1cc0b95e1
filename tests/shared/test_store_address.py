"""``limits_url`` and its neighbours, before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk._runtime.store.address import StoreAddress, read_store_address
from binance_sdk.errors import ConfigError

_SECRET = "gehe1m"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://valkey", StoreAddress("server", "redis://valkey/0", (("valkey", 6379),))),
        ("redis://127.0.0.1:6380/3", StoreAddress("server", "redis://127.0.0.1:6380/3", (("127.0.0.1", 6380),), db=3)),
        (
            f"rediss://me:{_SECRET}%40@[::1]:6380?db=2&ssl_ca_certs=/ca.pem",
            StoreAddress(
                "server",
                "rediss://[::1]:6380/2",
                (("::1", 6380),),
                db=2,
                tls=True,
                username="me",
                password=f"{_SECRET}@",
                options=(("ssl_ca_certs", "/ca.pem"),),
            ),
        ),
        (f"redis://:{_SECRET}@h", StoreAddress("server", "redis://h/0", (("h", 6379),), password=_SECRET)),
        (
            "unix:///run/valkey.sock?db=1",
            StoreAddress("socket", "unix:///run/valkey.sock", path="/run/valkey.sock", db=1),
        ),
        (
            "redis+sentinel://a,b:26380/mymaster/1",
            StoreAddress(
                "sentinel",
                "redis+sentinel://a,b:26380/mymaster/1",
                (("a", 26379), ("b", 26380)),
                service="mymaster",
                db=1,
            ),
        ),
        (
            "rediss+cluster://a:7000,b:7001",
            StoreAddress("cluster", "rediss+cluster://a:7000,b:7001", (("a", 7000), ("b", 7001)), tls=True),
        ),
    ],
)
def test_addresses(url: str, address: StoreAddress) -> None:
    found = read_store_address(url, "limits_url")
    assert found == address
    assert _SECRET not in repr(found) + found.shown


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (17, "must be a str, not a int"),
        ("", "must begin with one of redis://"),
        (f"http://u:{_SECRET}@h", "must begin with one of redis://"),
        (f"{_SECRET}", "must begin with one of redis://"),
        (f"redis://u:{_SECRET}@", "must name a host"),
        (f"redis://u:{_SECRET}@h:0", "from 1 to 65535"),
        (f"redis://u:{_SECRET}@h:70000", "from 1 to 65535"),
        (f"redis://u:{_SECRET}@h:x", "must name a host"),
        (f"redis://u:{_SECRET}@h/zero", "number of a database"),
        (f"redis://u:{_SECRET}@h/1/2", "number of a database"),
        (f"redis://u:{_SECRET}@h/1?db=2", "number of a database"),
        (f"redis://u:{_SECRET}@h?pass{_SECRET}=1", "has an option that is not one of"),
        (f"redis://u:{_SECRET}#x@h", "write %23 in a password"),
        (f"redis://u:{_SECRET} x@h", "blanks"),
        (f"redis://u:{_SECRET}@h" + "x" * 2000, "too long"),
        (f"redis://u:{_SECRET}@[h", "is not a valid URL"),
        (f"redis://u:{_SECRET}@a,b", "names several hosts"),
        (f"redis+sentinel://u:{_SECRET}@a", "must name the master"),
        (f"redis+cluster://u:{_SECRET}@a/1", "a cluster has only one"),
        (f"redis://u:{_SECRET}@a?ssl_ca_certs=/ca.pem", "which only rediss:// speaks"),
        (f"rediss://u:{_SECRET}@a?ssl_cert_reqs=maybe", "ssl_cert_reqs='maybe', which is none of required"),
        (f"rediss://u:{_SECRET}@a?ssl_check_hostname=2", "ssl_check_hostname='2', which is none of true"),
        (f"rediss://u:{_SECRET}@a?ssl_ca_certs=", "nothing after ssl_ca_certs="),
        (f"redis+sentinel://u:1/{_SECRET}@a/mymaster", "write %2F and %3F for them in a password"),
        (f"redis://u:1?client_name={_SECRET}@a", "write %2F and %3F for them in a password"),
        (f"rediss://u:1?ssl_cert_reqs={_SECRET}@a", "write %2F and %3F for them in a password"),
        ("unix://host/run/x", "must name a socket"),
        ("unix://", "must name a socket"),
    ],
)
def test_wrong_addresses(url: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        SyncBinanceClient(limits_url=url)
    assert str(caught.value).startswith("limits_url ")
    assert _SECRET not in str(caught.value)


def test_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_LIMITS_URL", "valkey:6379")
    with pytest.raises(ConfigError, match=r"^BINANCE_SDK_LIMITS_URL must begin with one of redis://"):
        SyncBinanceClient()
    # It is meant for those who have a budget.
    SyncBinanceClient(budget=False)
    monkeypatch.setenv("BINANCE_SDK_LIMITS_URL", "redis://valkey:6379")
    status = SyncBinanceClient().limits.store
    assert status is not None
    assert (status.state, status.processes) == ("unused", 0)
    assert SyncBinanceClient(budget=False).limits.store is None


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"limits_url": "redis://h", "budget": False}, "budget=False switches it off"),
        ({"limits_key": ""}, "limits_key=''"),
        ({"limits_key": 7}, "limits_key=7"),
        ({"limits_key": "x" * 300}, "limits_key='x"),
        ({"limits_share": 0}, "limits_share=0"),
        ({"limits_share": "2"}, "limits_share='2'"),
        ({"limits_share": float("nan")}, "limits_share=nan"),
    ],
)
def test_wrong_settings_beside_it(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        SyncBinanceClient(**settings)


def missing(name: str) -> None:
    """As ``find_spec`` answers for what is not installed."""


def test_the_library_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_sdk._settings.find_spec", missing)
    with pytest.raises(ConfigError, match=r"limits_url needs redis-py: pip install 'binance-market-sdk\[shared\]'"):
        SyncBinanceClient(limits_url="redis://h")
