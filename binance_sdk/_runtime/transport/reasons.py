"""Why there was no connection, in the same words whichever library tried, and without the secrets of the way."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote

from binance_sdk._runtime.secrets import behind
from binance_sdk._runtime.transport.protocol import TransportFailure
from binance_sdk._runtime.transport.proxies import Proxy

_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
_OUT_OF_DESCRIPTORS = "out of file descriptors: close connections and files, or allow more with ulimit -n"

# In the answers of proxies, and in the words of the libraries that speak SOCKS.
_WANTS_PASSWORD = ("407", "username", "authenti", "no acceptable")


@dataclass(frozen=True, slots=True)
class Reason:
    """What an error of the network comes down to."""

    text: str
    ours: bool = False
    """It is this machine's fault, and says nothing about the server."""


def reason(error: BaseException, proxy: Proxy | None) -> Reason:
    """Libraries wrap the errors of the operating system, some more than once; the innermost says what happened."""
    found = list(behind(error))
    for each in found:
        if isinstance(each, OSError) and each.errno in _NO_DESCRIPTORS:
            return Reason(_OUT_OF_DESCRIPTORS, ours=True)
    for each in reversed(found):
        if isinstance(each, ssl.SSLCertVerificationError):
            remedy = "if it is the right one here, name its authority with SSL_CERT_FILE or ssl_context="
            return Reason(f"the certificate is not trusted ({each.verify_message}); {remedy}")
        if isinstance(each, socket.gaierror) or _of_aiodns(each):
            if _no_descriptor_left():
                return Reason(_OUT_OF_DESCRIPTORS, ours=True)
            name = "the proxy" if proxy is not None else "the host"
            why = each.args[1] if len(each.args) > 1 else each
            return Reason(f"the name of {name} cannot be looked up ({why})")
    for each in reversed(found):
        if isinstance(each, OSError) and each.errno and not isinstance(each, ssl.SSLError):
            return Reason(os.strerror(each.errno))
    return Reason(scrubbed(str(error) or type(error).__name__, proxy))


def _of_aiodns(error: BaseException) -> bool:
    """aiohttp looks names up with aiodns where that is installed, whose errors are not those of the system."""
    return type(error).__module__.partition(".")[0] == "aiodns"


def _no_descriptor_left() -> bool:
    """A name that cannot be looked up for want of a descriptor looks like one that is not there."""
    try:
        socket.socket().close()
    except OSError as error:
        return error.errno in _NO_DESCRIPTORS
    return False


def proxy_refused(text: str, proxy: Proxy) -> TransportFailure:
    """The proxy answered, and the answer was no."""
    text = scrubbed(text, proxy)
    if any(sign in text.lower() for sign in _WANTS_PASSWORD):
        remedy = f"give user and password in {proxy.source}: {proxy.scheme}://user:password@{proxy.address}"
        return TransportFailure("setup", f"the proxy wants to know who asks ({text}); {remedy}", through(proxy))
    return TransportFailure("connect", f"no connection: the proxy refused ({text})", through(proxy))


def scrubbed(text: str, proxy: Proxy | None) -> str:
    """A library's own words, without user and password of the proxy."""
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
    """The end of a message about a connection."""
    return "" if proxy is None else f" through {proxy}"
