"""Which proxy a URL has, decided without a network."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import pytest

from binance_sdk._runtime.transport.proxies import bypasses_proxy, is_this_machine, parse_proxy, proxies_of_environment
from binance_sdk.errors import ConfigError

REST, STREAM = "https://api.binance.com", "wss://stream.binance.com:9443"


def way(environ: Mapping[str, str], url: str) -> tuple[str, str] | None:
    proxy = proxies_of_environment(environ).of(url)
    return None if proxy is None else (proxy.url, proxy.source)


@pytest.mark.parametrize("url", [REST, STREAM])
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, ("http://p:1", "HTTPS_PROXY")),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, ("http://p:1", "https_proxy")),
        ({"https_proxy": "", "HTTPS_PROXY": "http://q:1"}, None),
        ({"ALL_PROXY": "p"}, ("http://p:80", "ALL_PROXY")),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "https://q"}, ("https://q:443", "HTTPS_PROXY")),
        ({"HTTP_PROXY": "http://p:1"}, None),
        # As desktops of Linux write it.
        ({"all_proxy": "socks://p:1080/"}, ("socks5://p:1080", "all_proxy")),
        ({"ALL_PROXY": "SOCKS5H://p"}, ("socks5://p:1080", "ALL_PROXY")),
        ({"HTTPS_PROXY": "user:s3cret@127.0.0.1:9"}, ("http://127.0.0.1:9", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "http://[::1]:9"}, ("http://[::1]:9", "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "binance.com"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "binance.com:80"}, ("http://p:1", "HTTPS_PROXY")),
    ],
)
def test_of_rest_and_streams_alike(environ: dict[str, str], expected: tuple[str, str] | None, url: str) -> None:
    assert way(environ, url) == expected


@pytest.mark.parametrize("url", ["http://api.example", "ws://api.example"])
def test_of_plain_connections(url: str) -> None:
    assert way({"HTTP_PROXY": "http://p:1"}, url) == ("http://p:1", "HTTP_PROXY")
    assert way({"HTTPS_PROXY": "http://p:1"}, url) is None
    # A visitor of a web server can send a header "Proxy", which a CGI program finds under this name.
    assert way({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, url) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "straight"),
    [
        ("binance.com", "api.binance.com", True),
        (".binance.com", "api.binance.com", True),
        (".binance.com", "binance.com", True),
        ("*.binance.com", "api.binance.com", True),
        ("binance.com", "notbinance.com", False),
        ("BINANCE.COM.", "api.binance.com", True),
        ("a.com b.com,\tapi.binance.com", "api.binance.com", True),
        ("api.binance.com:443", "api.binance.com", True),
        ("api.binance.com:9443", "api.binance.com", False),
        ("https://api.binance.com", "api.binance.com", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "api.binance.com", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("[2001:db8::1]", "2001:db8:0::1", True),
        ("[2001:db8::1]:443", "2001:db8::1", True),
        ("2001:db8::/32", "2001:db8::7", True),
        ("", "api.binance.com", False),
        (",", "api.binance.com", False),
        ("[::1", "api.binance.com", False),
        (".", "api.binance.com", False),
        ("http://", "api.binance.com", False),
        ("10.0.0.0/99", "10.0.0.1", False),
    ],
)
def test_what_no_proxy_names(no_proxy: str, host: str, straight: bool) -> None:
    assert bypasses_proxy(no_proxy, host, 443) is straight


@pytest.mark.parametrize(
    ("host", "same"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("api.binance.com", False),
    ],
)
def test_this_machine(host: str, same: bool) -> None:
    assert is_this_machine(host) is same


def test_user_and_password() -> None:
    proxy = parse_proxy("http://us%40er:p%3A%2F%23@127.0.0.1:8080", "proxy=")
    assert (proxy.user, proxy.password) == ("us@er", "p:/#")
    assert proxy.url_with_credentials == "http://us%40er:p%3A%2F%23@127.0.0.1:8080"
    assert parse_proxy(proxy.url_with_credentials, "proxy=") == proxy
    assert pickle.loads(pickle.dumps(proxy)) == proxy
    for text in (repr(proxy), str(proxy), proxy.url):
        assert "p:/#" not in text
        assert "er" not in text.replace("proxy", "")[:10]


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http://:8080",
        "http://u:pa#ss@127.0.0.1:1",
        "http://u:pa/ss@p:1",
        "http://p:port",
        "http://p:0",
        "http://p:70000",
        "http://p p:1",
        "http://[::1:1",
        "ftp://p:1",
        "socks4://p:1",
        "http://p:1/path",
        "http://p:1?q",
        "\x00",
        "http://" + "a" * 70 + ".example",
    ],
)
def test_what_is_no_proxy(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^proxy= ") as caught:
        parse_proxy(text, "proxy=")
    assert "pa#" not in str(caught.value)
    assert "ss@" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("password", ["", "s3cret", "s3cret:@", "%41", "sécret", "a/b", "a?b", "a#b", "[a", "a\tb"])
def test_credentials_for_libraries_that_take_them_as_they_stand(password: str) -> None:
    proxy = parse_proxy(f"http://user:{quote(password, safe='')}@proxy.example:8080", "proxy")
    url = proxy.url_with_plain_credentials
    if url is None:
        assert set(password) & set("/?#[\t")
    else:
        parts = urlsplit(url)
        assert (parts.username, parts.password, parts.hostname, parts.port) == ("user", password, "proxy.example", 8080)
