"""Why there was no connection: the same words for every library, and without the password of a proxy."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from binance_sdk._runtime.transport.protocol import TransportFailure
from binance_sdk._runtime.transport.proxies import Proxy
from binance_sdk.errors import error_chain

_LOOPBACK = ("127.", "localhost:", "[::1]:")
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_OUT_OF_DESCRIPTORS = "out of file descriptors: close connections and files, or allow more with ulimit -n"

# What the bytes of plain HTTP look like to whoever expects TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")

# What proxies answer, and what the SOCKS libraries say, when user and password are missing or wrong.
_WANTS_PASSWORD = ("407", "username", "authenti", "no acceptable")


@dataclass(frozen=True, slots=True)
class Reason:
    """The cause of a network error, for a message."""

    text: str
    ours: bool = False
    """Whether it is a fault of this machine, which says nothing about the server."""


def reason(error: BaseException, proxy: Proxy | None) -> Reason:
    """The cause of an error: libraries wrap those of the operating system, and the innermost says what happened."""
    found = list(error_chain(error))
    for each in found:
        if isinstance(each, OSError) and each.errno in _NO_DESCRIPTORS:
            return Reason(_OUT_OF_DESCRIPTORS, ours=True)
    for each in reversed(found):
        if isinstance(each, ssl.SSLCertVerificationError):
            remedy = "if it is the right one, name its authority with SSL_CERT_FILE or ssl_context="
            return Reason(f"the certificate is not trusted ({each.verify_message}); {remedy}")
        if isinstance(each, ssl.SSLError) and each.reason in _NO_TLS:
            remedy = "if that is right, write its address without TLS (http:// and ws://)"
            return Reason(f"what answers there speaks no TLS ({each.reason}); {remedy}")
        if isinstance(each, socket.gaierror) or _of_aiodns(each):
            if _no_descriptor_left():
                return Reason(_OUT_OF_DESCRIPTORS, ours=True)
            name = "the proxy" if proxy is not None else "the host"
            why = each.args[1] if len(each.args) > 1 else each
            return Reason(f"the name of {name} cannot be resolved ({why})")
    for each in reversed(found):
        if isinstance(each, OSError) and each.errno and not isinstance(each, ssl.SSLError):
            return Reason(os.strerror(each.errno))
    return Reason(scrubbed(str(error) or type(error).__name__, proxy))


def with_remedy(text: str, address: str) -> str:
    """A message about a connection, and what to look at, unless it says that already.

    Args:
        text: Why there is none, with the proxy, if any.
        address: Host and port that were asked for.
    """
    if "; " in text:
        return text
    if "proxy" in text:
        return f"{text}; check the network and the proxy"
    if address.startswith(_LOOPBACK):
        return f"{text}; check what listens there (`binance-sdk simulate` starts the simulator), and the address"
    return f"{text}; check the network, the base URL, and HTTPS_PROXY where a proxy is needed"


def _of_aiodns(error: BaseException) -> bool:
    """Whether it is an error of aiodns, with which aiohttp resolves names where it is installed."""
    return type(error).__module__.partition(".")[0] == "aiodns"


def _no_descriptor_left() -> bool:
    """Whether no socket can be opened: then a name that was not resolved may well exist."""
    try:
        socket.socket().close()
    except OSError as error:
        return error.errno in _NO_DESCRIPTORS
    return False


def proxy_refused(text: str, proxy: Proxy) -> TransportFailure:
    """The failure for a proxy that answered and refused."""
    text = scrubbed(text, proxy)
    if any(sign in text.lower() for sign in _WANTS_PASSWORD):
        remedy = f"give user and password in {proxy.source}: {proxy.scheme}://user:password@{proxy.address}"
        return TransportFailure("setup", f"the proxy requires authentication ({text}); {remedy}", through(proxy))
    return TransportFailure("connect", f"no connection: the proxy refused ({text})", through(proxy))


def scrubbed(text: str, proxy: Proxy | None) -> str:
    """The text of a library, without user and password of the proxy."""
    if proxy is None or proxy.user is None:
        return text
    for user, password in ((proxy.user, proxy.password), (quote(proxy.user, safe=""), quote(proxy.password, safe=""))):
        text = text.replace(f"{user}:{password}", "***")
    secrets = (proxy.authorization or "", proxy.password, quote(proxy.password, safe=""))
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return text


def through(proxy: Proxy | None) -> str:
    """End of a message about a connection, which names the proxy if there is one."""
    return "" if proxy is None else f" through {proxy}"
