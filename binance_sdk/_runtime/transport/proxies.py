"""Which proxy a URL is reached through: one decision for REST and streams, whatever the library.

Variables are read as in ``urllib.request``: ``HTTPS_PROXY`` (for ``https`` and ``wss``), ``HTTP_PROXY`` (for ``http``
and ``ws``), ``ALL_PROXY`` for both, ``NO_PROXY`` for hosts without a proxy; the lower-case spelling comes first. Where
none of them is set, the settings of Windows or macOS are used. This machine itself is never reached through a proxy.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from binance_sdk._runtime.secrets import Hidden
from binance_sdk.errors import ConfigError

ProxyScheme = Literal["http", "https", "socks5"]

# Linux desktops write socks://. In every case the proxy resolves the host name.
_SCHEMES: Mapping[str, ProxyScheme] = {
    "http": "http",
    "https": "https",
    "socks": "socks5",
    "socks5": "socks5",
    "socks5h": "socks5",
}
_PORTS: Mapping[str, int] = {"http": 80, "ws": 80, "https": 443, "wss": 443, "socks5": 1080}
_AS_REST: Mapping[str, str] = {"ws": "http", "wss": "https"}
_HOST = re.compile(r"[A-Za-z0-9._~%:-]+")
_REMEDY = (
    "write e.g. http://proxy.example:8080 or socks5://user:password@proxy.example:1080, "
    "with special characters of a password as %XX"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and where it was configured. Its ``repr`` and ``str`` never show user or password."""

    scheme: ProxyScheme
    host: str
    port: int
    source: str = field(compare=False)
    """The argument or variable that it comes from."""
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.address} of {self.source}"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"{self.scheme}://{self.address}"

    @property
    def url_with_credentials(self) -> str:
        """For libraries that take nothing else; must not appear in a message."""
        if self.user is None:
            return self.url
        return f"{self.scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{self.address}"

    @property
    def url_with_plain_credentials(self) -> str | None:
        """The same without percent-encoding, for libraries that do not decode; None where a URL cannot hold them so."""
        if self.user is None:
            return self.url
        url = f"{self.scheme}://{self.user}:{self.password}@{self.address}"
        try:
            parts = urlsplit(url)
            if (parts.username, parts.password, parts.hostname) != (self.user, self.password, self.host.lower()):
                return None
            if parts.port != self.port:
                return None
        except ValueError:
            return None
        return url

    @property
    def authorization(self) -> str | None:
        """Value of ``Proxy-Authorization``; None where there is no user."""
        if self.user is None:
            return None
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def parse_proxy(text: str, source: str) -> Proxy:
    """The proxy of a URL, whose scheme is ``http`` where it has none.

    Raises:
        ConfigError: it is not the URL of a proxy. The text is not shown, as it may hold a password.
    """
    found = _parsed(text, source)
    # Many error reporters show the variables of every frame.
    del text
    if isinstance(found, str):
        raise ConfigError(found)
    return found


def _parsed(text: str, source: str) -> Proxy | str:
    """The proxy, or what is wrong with the text."""
    wrong = f"{source} must be the URL of a proxy (its value may be a secret and is not shown); {_REMEDY}"
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        # The text of the error may be a part of the password.
        return wrong
    if parts.scheme in ("socks4", "socks4a"):
        return f"{source} names a {parts.scheme} proxy, which is not supported; use socks5://"
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not _HOST.fullmatch(host) or port == 0:
        return wrong
    if parts.path.strip("/") or parts.query or parts.fragment:
        # A # or / in an unescaped password ends the host.
        return wrong
    user = None if parts.username is None else unquote(parts.username)
    return Proxy(scheme, host, port or _PORTS[scheme], source, user, unquote(parts.password or ""))


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the machine we run on."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    if address is None:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def bypasses_proxy(no_proxy: str, host: str, port: int) -> bool:
    """Whether ``NO_PROXY`` names a host.

    Its entries are separated by commas or blanks: ``*``, a domain (with its subdomains), an address, or a network such
    as ``10.0.0.0/8``; all but networks may have a port. Any other entry is ignored: programs share the variable, and an
    entry for another program must not stop this one.
    """
    host = host.strip("[]").rstrip(".").lower()
    return any(_names(entry, host, port) for entry in re.split(r"[\s,;]+", no_proxy.lower()) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    if "/" in entry:
        address = _address(host)
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            entry = entry.partition("/")[0]
        else:
            return address is not None and address in network
    name, wanted = _split_port(entry)
    if wanted is not None and wanted != str(port):
        return False
    name = name.removeprefix("*").strip(".")
    if not name:
        return False
    address = _address(name)
    if address is not None:
        return address == _address(host)
    return host == name or host.endswith(f".{name}")


def _split_port(entry: str) -> tuple[str, str | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest[1:] if rest.startswith(":") else None
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, None


@dataclass(frozen=True)
class Proxies:
    """Everything that decides which proxy a URL is reached through."""

    given: Proxy | None = None
    """The one given as an argument: used for every host but this machine, whatever the environment says."""
    named: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]], repr=False)
    """Those of the environment by scheme (``http``, ``https``, ``all``): source and text."""
    no_proxy: str = ""
    bypass: Callable[[str], bool] = field(default=lambda host: False, repr=False)
    """Whether the operating system wants no proxy for a host."""

    def of(self, url: str) -> Proxy | None:
        """The proxy for a URL, or None where there is none.

        Raises:
            ConfigError: what is configured for it is not the URL of a proxy.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_this_machine(host):
            return None
        if self.given is not None:
            return self.given
        scheme = _AS_REST.get(parts.scheme, parts.scheme)
        found = self.named.get(scheme) or self.named.get("all")
        if found is None or bypasses_proxy(self.no_proxy, host, parts.port or _PORTS.get(parts.scheme, 0)):
            return None
        if self.bypass(host):
            return None
        source, text = found
        return parse_proxy(text, source)


def proxies_of_environment(environ: Mapping[str, str]) -> Proxies:
    """The proxies of the environment variables or, where none is set, of the operating system."""
    named: dict[str, tuple[str, str]] = {}
    for scheme in ("http", "https", "all"):
        found = _variable(environ, f"{scheme}_proxy")
        # In a CGI program, HTTP_PROXY holds the header "Proxy" of whoever sent the request.
        if found and not (found[0] == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
            named[scheme] = found
    if named:
        no_proxy = _variable(environ, "no_proxy")
        return Proxies(named=named, no_proxy=no_proxy[1] if no_proxy else "")
    if sys.platform in ("win32", "darwin"):
        # Takes longer to import than this whole module.
        import urllib.request

        system = urllib.request.getproxies()
        named = {scheme: ("the system's settings", system[scheme]) for scheme in ("http", "https") if scheme in system}
        return Proxies(named=named, bypass=lambda host: bool(urllib.request.proxy_bypass(host)))
    return Proxies()


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """Spelling and value of a variable; an empty lower-case one hides the upper-case one, as in curl and urllib."""
    for spelling in (name, name.upper()):
        value = environ.get(spelling)
        if value is not None:
            return (spelling, Hidden(value)) if value.strip() else None
    return None
