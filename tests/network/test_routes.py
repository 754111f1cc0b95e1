"""REST and streams of every library go the same way, through real proxies, to a server with a real certificate."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from binance_sdk import errors
from binance_sdk._runtime.stream.connection import over_aiohttp, over_websockets
from tests.listening import closed_port

from .clients import EVERY, REST, TARGETS, use
from .lab import PASSWORD, USER, Lab, basic

every = pytest.mark.parametrize("library", EVERY)
CREDENTIALS = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch, certificates: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))


@every
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("named", ["argument", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "password"])
def test_through_a_proxy(
    library: str, scheme: str, named: str, password: str | None, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = {"http": lab.http, "https": lab.https, "socks5": lab.socks}[scheme]
    proxy.password = password
    url = f"{scheme}://{CREDENTIALS if password else ''}{proxy.address}"
    if named == "argument":
        error = use(library, proxy=url)
    else:
        monkeypatch.setenv(named, url)
        error = use(library)
    assert error is None
    assert proxy.targets == [TARGETS[library]]
    assert len(lab.rest.seen if library in REST else lab.streams.seen) == 1
    reached = (lab.rest.seen or lab.streams.seen)[0]
    # What is for the proxy is not for the exchange.
    assert "proxy-authorization" not in reached.headers


@every
def test_no_proxy_goes_straight(library: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{lab.http.address}")
    monkeypatch.setenv("NO_PROXY", "example.com, .invalid")
    url = {"spot_base_url": "https://api.invalid", "spot_stream_url": "wss://api.invalid"}
    error = use(library, **url)
    assert isinstance(error, (errors.APIConnectionError, errors.StreamError))
    assert "cannot be resolved" in str(error)
    assert "api.invalid:443" in str(error)
    assert str(error).count("no connection") == 1
    assert lab.http.targets == []


@every
def test_what_to_do_about_no_connection_is_said_once(library: str) -> None:
    with closed_port() as port:
        url = {"spot_base_url": f"http://127.0.0.1:{port}", "spot_stream_url": f"ws://127.0.0.1:{port}"}
        error = use(library, **url)
    assert str(error).count("; check what listens there (`binance-sdk simulate` starts") == 1
    url = {"spot_base_url": "https://api.invalid", "spot_stream_url": "wss://api.invalid"}
    error = use(library, **url)
    assert str(error).count("; check the network, the base URL, and HTTPS_PROXY where a proxy is needed") == 1


@every
def test_a_server_without_tls_is_told_as_such(library: str) -> None:
    class Plain(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Plain) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        place = f"127.0.0.1:{server.server_address[1]}"
        error = use(library, spot_base_url=f"https://{place}", spot_stream_url=f"wss://{place}")
        server.shutdown()
        thread.join()
    assert "speaks no TLS" in str(error)
    assert "(http:// and ws://)" in str(error)


@every
@pytest.mark.parametrize("no_proxy", ["[::1", "http://[bad", ",;, ,", "*.", "10.0.0.0/99", "a:b:c", "%zz", "\u00fcber"])
def test_a_malformed_no_proxy_names_nobody(
    library: str, no_proxy: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{lab.http.address}")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert use(library) is None
    assert lab.http.targets == [TARGETS[library]]


@every
@pytest.mark.parametrize("named", ["argument", "environment"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_through_no_proxy(
    library: str, named: str, host: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"http://{lab.http.address}"
    url = {"spot_base_url": f"https://{host}:{lab.rest.port}", "spot_stream_url": f"wss://{host}:{lab.streams.port}"}
    if named == "argument":
        assert use(library, **url, proxy=proxy) is None
    else:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy)
        assert use(library, **url) is None
    assert lab.http.targets == []


@every
def test_an_untrusted_environment_names_no_proxy(library: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{lab.http.address}")
    url = {"spot_base_url": "https://api.invalid", "spot_stream_url": "wss://api.invalid"}
    assert use(library, trust_env=False, **url) is not None
    assert lab.http.targets == []


@pytest.mark.parametrize("library", REST)
def test_plain_http_is_asked_of_the_proxy_itself(library: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.http.password = PASSWORD
    monkeypatch.setenv("HTTP_PROXY", f"http://{CREDENTIALS}{lab.http.address}")
    assert use(library, spot_base_url="http://api.example") is None
    (seen,) = lab.http.seen
    assert seen.target.startswith("http://api.example/")
    assert seen.headers["proxy-authorization"] == basic(USER, PASSWORD)


@every
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_nobody_listens_at_the_proxy(library: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        place = f"127.0.0.1:{port}"
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{CREDENTIALS}{place}")
        error = use(library)
    assert type(error) is (errors.APIConnectionError if library in REST else errors.StreamError)
    text = str(error)
    assert f"{TARGETS[library]}" in text
    assert f"through the proxy {place} of HTTPS_PROXY" in text
    assert "Connection refused" in text
    assert text.count("no connection") == 1


@every
@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("given", ["", "user:wrong@"], ids=["nothing", "wrong"])
def test_a_proxy_that_wants_a_password(
    library: str, scheme: str, given: str, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = lab.http if scheme == "http" else lab.socks
    proxy.password = PASSWORD
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{given}{proxy.address}")
    error = use(library)
    assert type(error) is (errors.ConfigError if library in REST else errors.StreamError)
    assert "the proxy requires authentication" in str(error)
    assert f"in HTTPS_PROXY: {scheme}://user:password@{proxy.address}" in str(error)
    assert lab.rest.seen == lab.streams.seen == []


@every
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_refuses(library: str, scheme: str, lab: Lab) -> None:
    proxy = lab.http if scheme == "http" else lab.socks
    proxy.refuse = "403 Forbidden"
    error = use(library, proxy=f"{scheme}://{proxy.address}")
    assert type(error) is (errors.APIConnectionError if library in REST else errors.StreamError)
    assert f"no connection: the proxy refused ({'403' if scheme == 'http' else ''}" in str(error)
    assert f"through the proxy {proxy.address} of proxy=" in str(error)


@every
@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("says", [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b""], ids=["no", "nothing"])
def test_a_proxy_that_never_hangs_up_is_left_for_good(
    library: str, scheme: str, says: bytes, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing TLS takes both sides: waiting for the other keeps the socket open for as long as that side likes."""
    monkeypatch.setattr(over_websockets, "OPEN_SECONDS", 0.3)
    monkeypatch.setattr(over_aiohttp, "OPEN_SECONDS", 0.3)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    asked: list[bytes] = []
    connections: list[socket.socket] = []

    def answer() -> None:
        while True:
            connection, _ = listener.accept()
            if done.is_set():
                connection.close()
                return
            if scheme == "https":
                connection = context.wrap_socket(connection, server_side=True)
            asked.append(connection.recv(65536))
            connection.sendall(says)
            # Below TLS, which would end this side as well.
            connections.append(socket.socket(fileno=connection.detach()))

    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as opened:
        done = threading.Event()
        thread = threading.Thread(target=answer)
        thread.start()
        # Silence has to last until the timeout; a refusal comes before any.
        timeout = 10 if says else 1
        error = use(library, proxy=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", timeout=timeout)
        done.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join()
        assert ("the proxy refused (403" if says else "in time") in str(error)
        assert asked
        assert all(request.startswith(b"CONNECT ") for request in asked)
        for connection in connections:
            opened.enter_context(connection)
            connection.settimeout(5)
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass


@every
def test_a_proxy_that_speaks_no_socks(library: str, lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        error = use(library, proxy=f"socks5://{place}")
        thread.join()
    assert type(error) is (errors.APIConnectionError if library in REST else errors.StreamError)
    assert f"through the proxy {place} of proxy=" in str(error)


@every
def test_a_missing_extra_is_named_with_variable_and_remedy(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import binance_sdk._runtime.transport.network as network

    monkeypatch.setattr(network, "find_spec", lambda name: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://user:s3cret@127.0.0.1:1080")
    error = use(library)
    assert type(error) is errors.ConfigError
    assert "ALL_PROXY names a SOCKS proxy (127.0.0.1:1080)" in str(error)
    assert "pip install 'binance-market-sdk[socks]'" in str(error)
    assert "s3cret" not in str(error)


@every
@pytest.mark.parametrize(
    "value",
    ["ftp://p.example", "http://", "http://p.example:99999", "http://u:pa/ss@p.example:1", "socks4://p.example"],
)
def test_a_variable_that_is_no_proxy(library: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    error = use(library)
    assert type(error) is errors.ConfigError
    assert "HTTPS_PROXY" in str(error)
    assert "socks5://" in str(error)
    assert "pa" not in str(error).replace("password", "").replace("special characters of a", "").replace("part", "")


@every
def test_no_netrc(library: str, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{lab.http.address}")
    assert use(library) is None
    (reached,) = lab.rest.seen + lab.streams.seen
    assert "authorization" not in reached.headers
    assert "proxy-authorization" not in lab.http.seen[0].headers


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize(("password", "works"), [("s3cret", True), ("s3cret:@", True), ("s3cret/#", False)])
def test_a_websockets_that_takes_credentials_as_they_stand(
    scheme: str, password: str, works: bool, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_websockets, "_UNQUOTES_CREDENTIALS", False)
    if over_websockets.websockets_version >= "17" and works:
        password = "s3cret"  # What this version unquotes is left as it is where nothing is quoted.
    proxy = lab.http if scheme == "http" else lab.socks
    proxy.password = password
    error = use("websockets", proxy=f"{scheme}://{USER}:{quote(password, safe='')}@{proxy.address}")
    if works:
        assert error is None
    else:
        assert isinstance(error, errors.ConfigError)
        assert proxy.address in str(error)
        assert "websockets 17" in str(error)
        assert "s3cret" not in str(error)
