"""How a client reaches the servers: proxies and certificates, shared by its REST calls and its streams."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec

from binance_sdk._runtime.transport.certificates import FILE, FOLDER, client_context
from binance_sdk._runtime.transport.proxies import Proxies, Proxy, parse_proxy, proxies_of_environment
from binance_sdk.errors import ConfigError, shown


@dataclass(frozen=True, slots=True)
class Route:
    """How one host is reached."""

    proxy: Proxy | None
    uses_tls: bool
    """Whether TLS is used, with the host or with the proxy."""

    @property
    def over_socks(self) -> bool:
        return self.proxy is not None and self.proxy.scheme == "socks5"


class Network:
    """Proxies and certificates of one client.

    Args:
        proxy: URL of a proxy for every host but this machine; None reads the environment, if that is trusted.
        ssl_context: Used for every TLS connection instead of our own.
        trust_env: Whether environment variables are read: proxies, ``SSL_CERT_FILE``, ``SSL_CERT_DIR``.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(self, *, proxy: object = None, ssl_context: object = None, trust_env: object = True) -> None:
        if proxy is not None and not isinstance(proxy, str):
            raise ConfigError(f"proxy must be a URL as str, not {type(proxy).__name__}")
        if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
            raise ConfigError(f"ssl_context must be an ssl.SSLContext, not {type(ssl_context).__name__}")
        if not isinstance(trust_env, bool):
            raise ConfigError(f"trust_env={shown(trust_env)} must be True or False")
        self._given = None if proxy is None else parse_proxy(proxy, "proxy=")
        del proxy
        self._context = ssl_context
        self._trust_env = trust_env
        self._routes: dict[str, Route] = {}

    def __repr__(self) -> str:
        return f"Network(proxy={self._given!r}, trust_env={self._trust_env})"

    @cached_property
    def _proxies(self) -> Proxies:
        if self._given is not None:
            return Proxies(self._given)
        return proxies_of_environment(os.environ) if self._trust_env else Proxies()

    def route(self, url: str) -> Route:
        """How this URL is reached.

        Raises:
            ConfigError: what the environment names as the proxy for it is not the URL of a proxy.
        """
        end = url.find("/", url.find("://") + 3)
        origin = url if end < 0 else url[:end]
        found = self._routes.get(origin)
        if found is None:
            proxy = self._proxies.of(origin)
            uses_tls = origin.startswith(("https:", "wss:")) or (proxy is not None and proxy.scheme == "https")
            found = self._routes[origin] = Route(proxy, uses_tls)
        return found

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """Used for every TLS connection of the client; created when the first one is opened.

        Raises:
            ConfigError: an environment variable names certificates that cannot be read.
        """
        if self._context is not None:
            return self._context
        if not self._trust_env:
            return client_context()
        return client_context(os.environ.get(FILE), os.environ.get(FOLDER))


def require_socks_package(proxy: Proxy, module: str) -> None:
    """Check that the package for SOCKS proxies is installed, if the proxy is one.

    Raises:
        ConfigError: it is missing; names the variable or argument, and the extra to install.
    """
    if proxy.scheme == "socks5" and find_spec(module) is None:
        raise ConfigError(
            f"{proxy.source} names a SOCKS proxy ({proxy.address}), which needs {module.replace('_', '-')}: "
            "pip install 'binance-market-sdk[socks]', or do not use it: trust_env=False, NO_PROXY, or another proxy="
        )
