"""The section ``exchanges.binance`` of Virtuoso's configuration, read once and checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from binance_sdk import Caps
from binance_sdk.base_urls import read_base_url, read_stream_url
from binance_sdk.errors import ConfigError, shown
from virtuoso_binance.config.env_vars import UNSET, environment, expand
from virtuoso_binance.config.field_types import (
    Flag,
    Http,
    MarketTypes,
    PerMinute,
    PerSecond,
    Positive,
    Seconds,
    Secret,
    Streaming,
    Symbols,
    Texts,
    Volume,
    WebSocketUrl,
    is_given,
)
from virtuoso_binance.config.hints import STALE_TESTNET_STREAM, remedy_for, warnings_about
from virtuoso_binance.config.loading import block_of, is_switched_off

__all__ = [
    "ApiCredentials",
    "RateLimits",
    "Section",
    "SettingRemark",
    "Settings",
    "Validation",
    "load_settings",
    "log_warnings",
    "validate",
]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_REQUIRED = {
    "api_credentials": ("api_key", "api_secret"),
    "rate_limits": ("requests_per_minute", "requests_per_second"),
    "websocket": ("public",),
}
"""What Virtuoso's own validator insists on, though every value has a default here."""


class _Part(BaseModel):
    # hide_input_in_errors: a traceback must not show credentials.
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ApiCredentials(_Part):
    """Accepted because Virtuoso asks for them; never used: public data needs neither, and no limit rises by them."""

    api_key: Secret = SecretStr("")
    api_secret: Secret = SecretStr("")


class RateLimits(_Part):
    """Caps below Binance's own limits."""

    requests_per_minute: PerMinute = 1200
    requests_per_second: PerSecond = 10
    weight_per_minute: PerMinute = 6000
    """The default is spot's; futures have a counter of their own, and Binance's 2400 above it."""
    futures_weight_per_minute: PerMinute | None = None
    """Ours: the same for futures; where it is left out, ``weight_per_minute`` holds for futures too."""


class WebSocketSection(_Part):
    public: WebSocketUrl = "wss://stream.binance.com:9443/ws"
    futures_public: WebSocketUrl = "wss://fstream.binance.com"
    testnet_public: WebSocketUrl = "wss://stream.testnet.binance.vision"
    futures_testnet_public: WebSocketUrl = "wss://fstream.binancefuture.com"
    keep_alive: Flag = True
    ping_interval: Seconds = 30
    reconnect_attempts: Positive = 3
    # Written into the section by Virtuoso's factory; the second one holds a REST address. Neither is read.
    mainnet_endpoint: object = None
    testnet_endpoint: object = None


class DataPreferences(_Part):
    preferred_quote_currencies: Texts = ["USDT", "BTC", "ETH"]
    exclude_symbols: Symbols = []
    min_24h_volume: Volume = 1_000_000
    """In the quote asset of each symbol."""


class Section(_Part):
    """Everything that may stand below ``exchanges.binance``."""

    enabled: Flag = False
    primary: Flag = False
    data_only: Flag = True
    use_ccxt: Flag = False
    api_credentials: ApiCredentials = ApiCredentials()
    rate_limits: RateLimits = RateLimits()
    rest_endpoint: Http = "https://api.binance.com"
    testnet_endpoint: Http = "https://testnet.binance.vision"
    testnet: Flag = False
    futures_rest_endpoint: Http = "https://fapi.binance.com"
    futures_testnet_endpoint: Http = "https://testnet.binancefuture.com"
    websocket: WebSocketSection = WebSocketSection()
    market_types: MarketTypes = ["spot", "futures"]
    data_preferences: DataPreferences = DataPreferences()
    cache: Flag = False
    """Ours: let the SDK use answers again for as long as its spec says."""
    streaming: Streaming = []
    """Ours: what of the market data comes from streams, wherever those are known to be true; the rest over REST."""


@dataclass(frozen=True, slots=True)
class SettingRemark:
    """One remark about the section.

    Args:
        field: Dotted name below ``exchanges.binance``.
        message: What is wrong and what to do.
        severity: ``error`` or ``warning``.
    """

    field: str
    message: str
    severity: str


@dataclass(frozen=True, slots=True)
class Validation:
    """What ``validate`` found."""

    errors: tuple[SettingRemark, ...]
    warnings: tuple[SettingRemark, ...]

    @property
    def is_valid(self) -> bool:
        return not self.errors


@dataclass(frozen=True)
class Settings:
    """The section in the form the adapter works with."""

    section: Section
    disabled: bool
    """It was said in so many words; a section without ``enabled`` is judged by Virtuoso."""
    warnings: tuple[SettingRemark, ...] = field(default=(), repr=False)

    @property
    def spot(self) -> bool:
        return "spot" in self._markets

    @property
    def futures(self) -> bool:
        return "futures" in self._markets

    @property
    def _markets(self) -> list[str]:
        served = [name for name in self.section.market_types if name in ("spot", "futures")]
        return served or ["spot", "futures"]

    @property
    def spot_url(self) -> str:
        return self.section.testnet_endpoint if self.section.testnet else self.section.rest_endpoint

    @property
    def futures_url(self) -> str:
        return self.section.futures_testnet_endpoint if self.section.testnet else self.section.futures_rest_endpoint

    @property
    def spot_stream_url(self) -> str:
        stream = self.section.websocket
        return _base(stream.testnet_public if self.section.testnet else stream.public)

    @property
    def futures_stream_url(self) -> str:
        stream = self.section.websocket
        return _base(stream.futures_testnet_public if self.section.testnet else stream.futures_public)

    @property
    def caps(self) -> Caps:
        """The ``rate_limits`` as the SDK enforces them."""
        limits = self.section.rate_limits
        futures = limits.futures_weight_per_minute or limits.weight_per_minute
        return Caps(
            spot_weight_per_minute=max(1, int(limits.weight_per_minute)),
            futures_weight_per_minute=max(1, int(futures)),
            requests_per_minute=max(1, int(limits.requests_per_minute)),
            requests_per_second=float(limits.requests_per_second),
        )


def _base(url: str) -> str:
    return url.removesuffix("/ws").removesuffix("/stream")


def validate(section: Mapping[str, Any] | None, names: Mapping[str, str] | None = None) -> Validation:
    """Judge a section as strictly as Virtuoso's validator: keys it demands have to be there.

    Args:
        section: What stands below ``exchanges.binance``.
        names: What placeholders mean; by default the environment and ``.env``.
    """
    known = environment() if names is None else names
    expanded = cast("dict[str, Any]", expand(block_of(section), known))
    missing: list[SettingRemark] = []
    for block, keys in _REQUIRED.items():
        found = expanded.get(block)
        if not isinstance(found, Mapping):
            text = f"{block} is missing; {remedy_for(block)}"
            missing += [SettingRemark(block, text, "error")] if found is None or found is UNSET else []
            continue
        rows = cast("Mapping[str, object]", found)
        # Credentials may be empty, as long as the keys are there.
        absent = [k for k in keys if k not in rows or (block != "api_credentials" and rows[k] in (None, UNSET))]
        missing += [SettingRemark(f"{block}.{k}", _missing(block, k), "error") for k in absent]
    model, errors = _read(_without_unset(expanded))
    if model is not None:
        errors += _unreachable(Settings(model, disabled=False))
    return Validation((*missing, *errors), tuple(_warnings(expanded)))


def _missing(block: str, key: str) -> str:
    return f"{block}.{key} is missing; {remedy_for(f'{block}.{key}')}"


def load_settings(section: Mapping[str, Any] | None, names: Mapping[str, str] | None = None) -> Settings:
    """Read a section; what is missing takes its default.

    Args:
        section: What stands below ``exchanges.binance``.
        names: What placeholders mean; by default the environment and ``.env``.

    Raises:
        ConfigError: a value cannot be used; the message names key, value and remedy.
    """
    known = environment() if names is None else names
    expanded = cast("dict[str, Any]", expand(block_of(section), known))
    given = _without_unset(expanded)
    model, errors = _read(given)
    if model is not None:
        errors += _unreachable(Settings(model, disabled=False))
    if model is None or errors:
        # `from None`: the pydantic error would print the input, and with it the credentials.
        raise ConfigError("; ".join(f"exchanges.binance.{finding.message}" for finding in errors)) from None
    if model.websocket.testnet_public.startswith(STALE_TESTNET_STREAM):
        fresh = model.websocket.model_copy(update={"testnet_public": WebSocketSection().testnet_public})
        model = model.model_copy(update={"websocket": fresh})
    return Settings(model, is_switched_off(given, known), tuple(_warnings(expanded)))


def log_warnings(settings: Settings) -> None:
    """Log the warnings about the section, each on a line of its own."""
    for finding in settings.warnings:
        # Running without a key is what we recommend, so that is information and no warning.
        level = logging.INFO if finding.field == "api_credentials" else logging.WARNING
        logger.log(level, "exchanges.binance.%s", finding.message)


def _read(given: Mapping[str, Any]) -> tuple[Section | None, list[SettingRemark]]:
    errors: list[SettingRemark] = []
    model: Section | None = None
    try:
        model = Section.model_validate(dict(given))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        errors.extend(_finding(tuple(str(step) for step in item["loc"]), item["msg"], given) for item in found)
    credentials = given.get("api_credentials")
    if isinstance(credentials, Mapping):
        pair = [is_given(cast("Mapping[str, object]", credentials).get(k)) for k in _REQUIRED["api_credentials"]]
        if any(pair) and not all(pair):
            absent = "api_secret" if pair[0] else "api_key"
            text = f"api_credentials.{absent} is empty while the other one is set; set both or leave both empty"
            errors.append(SettingRemark(f"api_credentials.{absent}", text, "error"))
    return model, errors


def _finding(loc: tuple[str, ...], message: str, given: Mapping[str, Any]) -> SettingRemark:
    name = ".".join(loc)
    value: object = given
    for step in loc:
        value = cast("Mapping[str, object]", value).get(step) if isinstance(value, Mapping) else None
    text = "" if _may_be_secret(name, value) else f"={shown(value)}"
    words = message.removeprefix("Value error, ")
    if "should be a valid dictionary" in words:
        words = "must be a block of keys and values"
    return SettingRemark(name, f"{name}{text} {words}; {remedy_for(name)}", "error")


def _may_be_secret(name: str, value: object) -> bool:
    # What stands before an @ may be a password, and a query may hold a token.
    return name.startswith("api_credentials") or (isinstance(value, str) and any(mark in value for mark in "@?#"))


def _unreachable(settings: Settings) -> list[SettingRemark]:
    """The addresses in use to which no request could be sent."""
    testnet = settings.section.testnet
    used: tuple[tuple[str, str, Callable[[object, str], str]], ...] = (
        ("testnet_endpoint" if testnet else "rest_endpoint", settings.spot_url, read_base_url),
        ("futures_testnet_endpoint" if testnet else "futures_rest_endpoint", settings.futures_url, read_base_url),
        ("websocket.testnet_public" if testnet else "websocket.public", settings.spot_stream_url, read_stream_url),
        (
            "websocket.futures_testnet_public" if testnet else "websocket.futures_public",
            settings.futures_stream_url,
            read_stream_url,
        ),
    )
    found: list[SettingRemark] = []
    for name, url, read in used:
        try:
            read(url, name)
        except ConfigError as error:
            found.append(SettingRemark(name, str(error), "error"))
    return found


def _without_unset(value: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for key, item in value.items():
        if item is UNSET or item is None:
            continue
        given[key] = _without_unset(cast("Mapping[str, Any]", item)) if isinstance(item, Mapping) else item
    return given


def _warnings(expanded: Mapping[str, Any]) -> list[SettingRemark]:
    unknown = [
        SettingRemark(name, f"{name} is not known and not read; check its spelling", "warning")
        for name in _unknown(Section, expanded, "")
    ]
    return unknown + [SettingRemark(name, name + text, "warning") for name, text in warnings_about(expanded)]


def _unknown(model: type[BaseModel], given: Mapping[str, Any], prefix: str) -> list[str]:
    names: list[str] = []
    for key, value in given.items():
        known = model.model_fields.get(str(key))
        if known is None:
            names.append(f"{prefix}{key}")
        elif isinstance(value, Mapping) and isinstance(known.annotation, type) and issubclass(known.annotation, _Part):
            names += _unknown(known.annotation, cast("Mapping[str, Any]", value), f"{prefix}{key}.")
    return names
