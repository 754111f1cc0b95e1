"""The section ``exchanges.binance``: defaults, placeholders, errors, warnings, and what becomes of it."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest

from binance_sdk.errors import BinanceError, ConfigError
from tests.virtuoso import fake_virtuoso
from virtuoso_binance import load_config, load_settings, make_exchange_class, validate
from virtuoso_binance.config.env_vars import UNSET, environment, expand, read_dotenv
from virtuoso_binance.config.loading import is_switched_off, section_of, uses_ccxt
from virtuoso_binance.session import make_client

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "virtuoso" / "config.yaml"
KEY = "k" * 64


@pytest.fixture
def section() -> dict[str, Any]:
    """The example, expanded in an empty environment."""
    found = load_config(EXAMPLE, dotenv=None)["exchanges"]["binance"]
    return copy.deepcopy(found)


def put(section: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    *path, last = dotted.split(".")
    block = section
    for name in path:
        block = block[name]
    block[last] = value
    return section


def drop(section: dict[str, Any], dotted: str) -> dict[str, Any]:
    *path, last = dotted.split(".")
    block = section
    for name in path:
        block = block[name]
    del block[last]
    return section


# --------------------------------------------------------------------------------- the example


def test_the_example_is_valid_and_gives_the_defaults(section: dict[str, Any]) -> None:
    found = validate(section, {})
    assert found.is_valid
    assert [problem.field for problem in found.warnings] == ["api_credentials"]
    example, defaults = load_settings(section, {}), load_settings({}, {})
    assert example.section == defaults.section
    assert example.disabled is True
    assert defaults.disabled is False


def test_the_example_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENABLE_BINANCE_DATA", "true")
    monkeypatch.setenv("BINANCE_AS_PRIMARY", "true")
    section = load_config(EXAMPLE, dotenv=None)["exchanges"]["binance"]
    settings = load_settings(section)
    assert (settings.section.enabled, settings.section.primary, settings.disabled) == (True, True, False)


def test_the_env_example_names_what_the_config_example_asks_for() -> None:
    names = read_dotenv(ROOT / ".env.example")
    assert names == {
        "ENABLE_BINANCE_DATA": "true", "BINANCE_AS_PRIMARY": "false", "BINANCE_API_KEY": "", "BINANCE_API_SECRET": "",
    }  # fmt: skip
    text = EXAMPLE.read_text("utf-8")
    assert all(f"${{{name}:" in text for name in names)


def test_nothing_at_all_is_a_section_too() -> None:
    settings = load_settings(None, {})
    assert settings.spot
    assert settings.futures
    assert (settings.spot_url, settings.futures_url) == ("https://api.binance.com", "https://fapi.binance.com")
    assert settings.spot_stream_url == "wss://stream.binance.com:9443"


# --------------------------------------------------------------------------------- placeholders


@pytest.mark.parametrize(
    ("text", "names", "value"),
    [
        ("${A:1}", {}, 1),
        ("${A:1}", {"A": "x"}, "x"),
        ("${A:false}", {}, False),
        ("${A:}", {}, ""),
        ("${A}", {"A": "TRUE"}, True),
        ("${A}", {}, UNSET),
        ("${A:http://h:1/x}", {}, "http://h:1/x"),
        ("a${A:1}", {}, "a${A:1}"),
        ("007", {}, "007"),
    ],
)
def test_placeholders(text: str, names: dict[str, str], value: object) -> None:
    assert expand({"x": [text]}, names) == {"x": [value]}


def test_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".env"
    path.write_text("# no\nexport A=1 # note\nB=\"two # words\"\nC='x'\nnonsense\nD=\n", "utf-8")
    assert read_dotenv(path) == {"A": "1", "B": "two # words", "C": "x", "D": ""}
    monkeypatch.setenv("A", "env")
    assert (environment(path)["A"], environment(path)["C"]) == ("env", "x")
    assert read_dotenv(tmp_path / "none") == {}


def test_dotenv_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ENABLE_BINANCE_DATA=false\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings({"enabled": True}).disabled is True


def test_a_file_that_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")
    for text in ("[1, 2]", "a: [", ""):
        (tmp_path / "bad.yaml").write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=r"bad\.yaml"):
            load_config(tmp_path / "bad.yaml")


def test_the_section_is_found_in_a_whole_config() -> None:
    assert section_of({"exchanges": {"binance": {"a": 1}, "bybit": {}}}) == {"a": 1}
    assert section_of({"exchanges": {"other": {"a": 1}}}) == {"a": 1}
    assert section_of({"a": 1}) == {"a": 1}
    assert section_of(None) == section_of({"exchanges": {}}) == {}


# ---------------------------------------------------------------------------------- switching off


@pytest.mark.parametrize(
    ("section", "names", "off"),
    [
        ({}, {}, False),
        ({"enabled": True}, {}, False),
        ({"enabled": "true"}, {}, False),
        ({"enabled": False}, {}, True),
        ({"enabled": "False"}, {}, True),
        ({"enabled": "${ENABLE_BINANCE_DATA:false}"}, {}, True),
        ({"enabled": "${ENABLE_BINANCE_DATA:false}"}, {"ENABLE_BINANCE_DATA": "true"}, False),
        ({"enabled": True}, {"ENABLE_BINANCE_DATA": "false"}, True),
    ],
)
def test_when_it_is_off(section: dict[str, Any], names: dict[str, str], off: bool) -> None:
    assert is_switched_off(section, names) is off
    assert load_settings(section, names).disabled is off


async def test_off_means_that_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    section = {"enabled": "${ENABLE_BINANCE_DATA:false}", "rest_endpoint": "http://127.0.0.1:9"}
    exchange: Any = make_exchange_class(fake_virtuoso.BaseExchange, section)({})
    with caplog.at_level(logging.INFO, "virtuoso_binance"):
        assert await exchange.initialize() is False
    assert "switched off" in caplog.text
    assert (await exchange.fetch_status())["online"] is False
    with pytest.raises(fake_virtuoso.ExchangeError, match="switched off"):
        await exchange.fetch_ticker("BTCUSDT")
    await exchange.close()


def test_use_ccxt_is_explained() -> None:
    assert uses_ccxt({"use_ccxt": "true"}, {}) is True
    assert uses_ccxt({}, {}) is False
    warning = next(problem for problem in validate({"use_ccxt": True}, {}).warnings if problem.field == "use_ccxt")
    assert "generic CCXT exchange" in warning.message


# ----------------------------------------------------------------------------- errors, as Virtuoso's


@pytest.mark.parametrize(
    "dotted",
    [
        "api_credentials", "rate_limits", "websocket", "rate_limits.requests_per_minute",
        "rate_limits.requests_per_second", "websocket.public", "api_credentials.api_key", "api_credentials.api_secret",
    ],
)  # fmt: skip
def test_what_has_to_be_there(section: dict[str, Any], dotted: str) -> None:
    found = validate(drop(section, dotted), {})
    assert [problem.field for problem in found.errors] == [dotted]
    assert "is missing; " in found.errors[0].message
    # To run without it is no error of ours: every value has a default.
    load_settings(section, {})


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("rate_limits.requests_per_minute", 0),
        ("rate_limits.requests_per_second", -1),
        ("rate_limits.weight_per_minute", "many"),
        ("rate_limits.requests_per_second", True),
        ("websocket.public", "https://stream.binance.com"),
        ("websocket.testnet_public", "stream"),
        ("market_types", "spot"),
        ("market_types", ["spot", "swap"]),
        ("data_preferences.preferred_quote_currencies", "USDT"),
        ("data_preferences.min_24h_volume", -1),
        ("data_preferences.min_24h_volume", "1000000"),
        ("data_preferences.exclude_symbols", [1]),
        ("enabled", "yes"),
        ("testnet", 1),
        ("rest_endpoint", "api.binance.com"),
        ("testnet_endpoint", "ftp://x"),
        ("futures_rest_endpoint", "https://"),
        ("rate_limits", 7),
    ],
)
def test_wrong_values_name_key_value_and_remedy(section: dict[str, Any], dotted: str, value: object) -> None:
    found = validate(put(section, dotted, value), {})
    assert not found.is_valid
    first = next(problem for problem in found.errors if problem.field == dotted)
    assert first.severity == "error"
    assert dotted in first.message
    assert repr(value) in first.message
    assert "; " in first.message
    with pytest.raises(ConfigError, match=r"exchanges\.binance\." + dotted.replace(".", r"\.")):
        make_exchange_class(fake_virtuoso.BaseExchange, section)


@pytest.mark.parametrize("given", ["api_key", "api_secret"])
def test_half_of_the_credentials_is_an_error(section: dict[str, Any], given: str) -> None:
    found = validate(put(section, f"api_credentials.{given}", KEY), {})
    assert len(found.errors) == 1
    assert "is empty while the other one is set" in found.errors[0].message


def test_credentials_are_never_told(section: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    secret = "S3CRET" * 5
    section["api_credentials"] = {"api_key": secret, "api_secret": secret + "x"}
    with caplog.at_level(logging.DEBUG):
        settings = load_settings(section, {})
        exchange: Any = make_exchange_class(fake_virtuoso.BaseExchange, section)({})
        section["rate_limits"] = 7
        with pytest.raises(ConfigError) as caught:
            load_settings(section, {})
    shown = f"{settings!r} {exchange!r} {caught.value!r} {validate(section, {})!r} {caplog.text}"
    assert "S3CRET" not in shown
    assert settings.section.api_credentials.api_key.get_secret_value()
    assert exchange.api_key == ""


async def test_credentials_are_never_sent(simulator: Any) -> None:
    section = {
        "api_credentials": {"api_key": KEY, "api_secret": KEY},
        "futures_rest_endpoint": simulator.base_url("futures"),
    }
    async with make_client(load_settings(section, {})) as client:
        # An endpoint that wants a key is refused, because none goes out.
        with pytest.raises(BinanceError, match="key"):
            await client.futures.historical_trades("BTCUSDT")


@pytest.mark.parametrize("value", ["", None, "${BINANCE_API_KEY}", "${BINANCE_API_KEY:}"])
def test_placeholders_are_no_credentials(value: object) -> None:
    settings = load_settings({"api_credentials": {"api_key": value, "api_secret": value}}, {})
    assert not settings.section.api_credentials.api_key.get_secret_value()


# -------------------------------------------------------------------------------------- warnings


@pytest.mark.parametrize(
    ("dotted", "value", "field"),
    [
        ("rate_limit", {}, "rate_limit"),
        ("websocket.pingInterval", 3, "websocket.pingInterval"),
        ("rate_limits.requests_per_minute", 2400, "rate_limits.requests_per_minute"),
        ("rate_limits.requests_per_second", 21, "rate_limits.requests_per_second"),
        ("rate_limits.weight_per_minute", 7000, "rate_limits.weight_per_minute"),
        ("websocket.ping_interval", 301, "websocket.ping_interval"),
        ("websocket.ping_interval", 0.5, "websocket.ping_interval"),
        ("websocket.reconnect_attempts", 11, "websocket.reconnect_attempts"),
        ("websocket.testnet_public", "wss://testnet.binance.vision/ws", "websocket.testnet_public"),
        ("market_types", [], "market_types"),
        ("market_types", ["spot", "margin"], "market_types"),
        ("data_preferences.preferred_quote_currencies", ["FDUSD"], "data_preferences.preferred_quote_currencies"),
        ("data_preferences.min_24h_volume", 99_999, "data_preferences.min_24h_volume"),
        ("enabled", "true", "enabled"),
        ("primary", True, "primary"),
        ("data_only", False, "data_only"),
    ],
)
def test_what_is_odd_is_a_warning(section: dict[str, Any], dotted: str, value: object, field: str) -> None:
    found = validate(put(section, dotted, value), {})
    assert found.is_valid, found.errors
    assert field in [problem.field for problem in found.warnings]
    assert load_settings(section, {}).warnings == found.warnings


def test_virtuosos_factory_writes_two_keys_that_are_no_surprise(section: dict[str, Any]) -> None:
    section["websocket"] |= {"mainnet_endpoint": "wss://x", "testnet_endpoint": "https://y"}
    assert [problem.field for problem in validate(section, {}).warnings] == ["api_credentials"]


def test_the_burst_of_the_plan_is_no_warning(section: dict[str, Any]) -> None:
    assert not [problem for problem in validate(section, {}).warnings if problem.field.startswith("rate_limits")]


def test_warnings_are_logged_when_an_exchange_is_made(caplog: pytest.LogCaptureFixture) -> None:
    cls = make_exchange_class(fake_virtuoso.BaseExchange, {"typo": 1})
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        cls({})
    assert [record.getMessage() for record in caplog.records] == [
        "exchanges.binance.typo is not known and not read; check its spelling"
    ]


# ---------------------------------------------------------------------------------------- applied


def test_caps(section: dict[str, Any]) -> None:
    caps = load_settings(section, {}).caps
    assert (caps.requests_per_minute, caps.requests_per_second) == (1200, 10)
    assert (caps.spot_weight_per_minute, caps.futures_weight_per_minute) == (6000, 6000)
    section["rate_limits"]["futures_weight_per_minute"] = 900
    assert load_settings(section, {}).caps.futures_weight_per_minute == 900


def test_testnet(section: dict[str, Any]) -> None:
    settings = load_settings(put(section, "testnet", "true"), {})
    assert settings.spot_url == "https://testnet.binance.vision"
    assert settings.futures_url == "https://testnet.binancefuture.com"
    assert settings.spot_stream_url == "wss://stream.testnet.binance.vision"
    assert settings.futures_stream_url == "wss://fstream.binancefuture.com"


def test_stream_addresses_lose_their_tail(section: dict[str, Any]) -> None:
    put(section, "websocket.public", "ws://127.0.0.1:9/ws")
    put(section, "websocket.futures_public", "ws://127.0.0.1:9/stream/")
    settings = load_settings(section, {})
    assert settings.spot_stream_url == settings.futures_stream_url == "ws://127.0.0.1:9"


async def test_the_addresses_of_binance_share_the_budget_of_their_environment(section: dict[str, Any]) -> None:
    async with make_client(load_settings(section, {})) as client:
        assert "mainnet" in repr(client)
    async with make_client(load_settings(put(section, "testnet", True), {})) as client:
        assert "testnet" in repr(client)
