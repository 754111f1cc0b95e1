"""Everything a client can be told: one declaration, from which both constructors, their docstrings, the environment
variables and ``binance_sdk/_arguments.py`` are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from codegen.names import english_list

VARIABLES = "BINANCE_SDK_"


@dataclass(frozen=True)
class Setting:
    """One keyword of ``BinanceClient`` and ``SyncBinanceClient``."""

    name: str
    type: str
    default: str
    doc: str
    variable: str = ""
    """Environment variable that is read where the keyword is left out; it ends the description."""
    sync_type: str = ""
    """Type for the blocking client, where it is another one."""
    sync_doc: str = ""
    secret: bool = False
    """Whether its value must not show in a ``repr``."""
    stored_type: str = ""
    """Type in ``Arguments``, where both clients have a type of their own."""

    def described(self, *, sync: bool) -> str:
        text = self.sync_doc if sync and self.sync_doc else self.doc
        return text.replace("{variable}", f"``{self.variable}``")

    def annotation(self, *, sync: bool) -> str:
        return self.sync_type if sync and self.sync_type else self.type


def client_settings(markets: Sequence[str], environments: Mapping[str, str]) -> Iterator[Setting]:
    """Every setting, in the order of the constructors; a market's own come from its name.

    Args:
        markets: Their names.
        environments: Their names with what each is, the default first.
    """
    default, *others = environments.items()
    told = [f"``{default[0]}`` (default)", *(f"``{name}`` ({what})" for name, what in others)]
    yield Setting(
        "environment",
        "EnvironmentName | None",
        "None",
        f"{english_list(told, 'or')}; by default {{variable}}. Where ``BINANCE_SDK_SIMULATOR`` is set to the address "
        "of a simulator, that simulator is used for every market for which no URL is given.",
        variable=f"{VARIABLES}ENVIRONMENT",
    )
    for market in markets:
        yield Setting(
            f"{market}_base_url",
            "str | None",
            "None",
            f"Another {market} host, e.g. a simulator; by default {{variable}}.",
            variable=f"{VARIABLES}{market.upper()}_BASE_URL",
        )
    for market in markets:
        yield Setting(
            f"{market}_stream_url",
            "str | None",
            "None",
            f"Host of the {market} streams (``ws://`` or ``wss://``); by default {{variable}}, or that of the "
            f"environment unless ``{market}_base_url`` is given.",
            variable=f"{VARIABLES}{market.upper()}_STREAM_URL",
        )
    yield Setting(
        "api_key",
        "str | None",
        "None",
        "Sent to the few endpoints that need one and to no other; by default {variable}. No secret is ever needed.",
        variable="BINANCE_API_KEY",
        secret=True,
    )
    yield Setting(
        "timeout",
        "float",
        "10.0",
        "Seconds for connection and whole answer, for each attempt; above 0, at most 1 000 000.",
    )
    yield Setting(
        "max_retries",
        "int",
        "3",
        "Attempts after the first one, where another may succeed: no connection, 5xx, 408, 429; from 0, which switches "
        "retries off, to 1000.",
    )
    yield Setting(
        "transport",
        "TransportName",
        '"httpx"',
        "``httpx`` (with ``websockets`` for streams), or ``aiohttp`` for both: faster, needs ``[speed]``.",
        sync_doc="``httpx``, or ``aiohttp``, which a blocking client uses for its streams only; needs ``[speed]``.",
    )
    yield Setting(
        "http_client",
        "httpx.AsyncClient | None",
        "None",
        "An ``httpx.AsyncClient`` of your own (hooks, a pool of your size). We do not close it, and it keeps its own "
        "proxies, certificates and cookies: the three settings that follow then apply to streams alone.",
        sync_type="httpx.Client | None",
        sync_doc="An ``httpx.Client`` of your own (hooks, a pool of your size). We do not close it, and it keeps its "
        "own proxies, certificates and cookies: the three settings that follow then apply to streams alone.",
        stored_type="object",
    )
    yield Setting(
        "proxy",
        "str | None",
        "None",
        "URL of a proxy, ``http://``, ``https://`` or ``socks5://`` (needs ``[socks]``), with ``user:password@`` where "
        "it wants them; used for REST and streams, but never to reach this machine. By default what ``HTTPS_PROXY``, "
        "``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say.",
        secret=True,
    )
    yield Setting(
        "ssl_context",
        "ssl.SSLContext | None",
        "None",
        "Used for every TLS connection; by default one that trusts the certificates of ``SSL_CERT_FILE`` and "
        "``SSL_CERT_DIR``, or else of the package ``certifi``.",
    )
    yield Setting("trust_env", "bool", "True", "False ignores those environment variables (proxies and certificates).")
    yield Setting(
        "cache",
        "bool | float",
        "False",
        "True reuses answers for as long as the spec says they stay valid, a number for so many seconds, from 0 to "
        "1 000 000; identical calls made at the same time share one request.",
    )
    yield Setting(
        "cache_url",
        "str | None",
        "None",
        "A Valkey or Redis, as in ``limits_url``, in which processes share cached answers; by default {variable}, or "
        "the store of ``limits_url`` where ``cache`` is not False. An empty text keeps answers in the memory of this "
        "process. Needs ``[shared]``.",
        variable=f"{VARIABLES}CACHE_URL",
        secret=True,
    )
    yield Setting("caps", "Caps | None", "None", "Limits of your own below Binance's.")
    yield Setting(
        "safety_margin",
        "float",
        "0.05",
        "Share of each of Binance's limits that is left unused: 0 or more, and below 1.",
    )
    yield Setting(
        "budget",
        "bool",
        "True",
        "False switches ledger and gate off, for those who have a rate limiter of their own.",
    )
    yield Setting(
        "limits_url",
        "str | None",
        "None",
        "A Valkey or Redis in which all processes and hosts behind one IP address share one budget: ``redis://``, "
        "``rediss://`` (TLS), ``unix://``, ``redis+sentinel://`` or ``redis+cluster://``; by default {variable}. Needs "
        "``[shared]``.",
        variable=f"{VARIABLES}LIMITS_URL",
        secret=True,
    )
    yield Setting(
        "limits_key",
        "str",
        '"default"',
        "Name of the budget in that store. Processes that leave by the same IP address use the same one: give each "
        "address a name of its own if you have several.",
    )
    yield Setting(
        "limits_share",
        "float",
        "1.0",
        "Part of this process when several want more than there is: one with 2 gets twice as much as one with 1. From "
        "0.01 to 1000.",
    )
    yield Setting("max_concurrency", "int", "16", "Most requests in flight at once, from 1 to 10 000.")
    yield Setting(
        "hooks",
        "Sequence[Hook]",
        "()",
        "Plain functions that are called with each event of the client; see ``binance_sdk.events``.",
    )
    yield Setting(
        "on_drift",
        "Callable[[Drift], None] | None",
        "None",
        "A plain function, called once for each difference between exchange and spec that is met: a ``WeightDrift``, "
        "``FieldDrift`` or ``ValueDrift`` of ``binance_sdk.events``.",
    )
