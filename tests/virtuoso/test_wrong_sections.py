"""Every key of the section with values that people write by mistake: a located ``ConfigError``, or it works."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from binance_sdk.errors import ConfigError
from tests import wrong_values
from tests.virtuoso import fake_virtuoso
from virtuoso_binance import load_config, load_settings, make_exchange_class, register, validate
from virtuoso_binance.config import Section
from virtuoso_binance.config.env_vars import read_dotenv
from virtuoso_binance.session import make_client

WRONG: dict[str, object] = {
    **wrong_values.WRONG,
    ".nan": math.nan,
    ".inf": math.inf,
    "-.inf": -math.inf,
    "10**5000": 10**5000,
    "true": "true",
    "yes": "yes",
    "digits": "1200",
    "text": "BTCUSDT",
    "date": date(2026, 1, 1),
    "list of one": ["USDT"],
    "list of a number": [1],
    "list of a blank": [" "],
    "list of a list": [[]],
    "block": {},
    "filled block": {"a": 1},
}
FLAG = {"True", "False", "true"}
ABOVE_ZERO = {"1", "0.5"}
CREDENTIAL: set[str] = {"empty"}

TAKEN: dict[str, set[str]] = {
    "enabled": FLAG,
    "primary": FLAG,
    "data_only": FLAG,
    "use_ccxt": FLAG,
    "testnet": FLAG,
    "cache": FLAG,
    "streaming": FLAG | {"list"},
    # One of the two without the other is another error.
    "api_credentials.api_key": CREDENTIAL,
    "api_credentials.api_secret": CREDENTIAL,
    "rate_limits.requests_per_minute": ABOVE_ZERO,
    "rate_limits.requests_per_second": ABOVE_ZERO,
    "rate_limits.weight_per_minute": ABOVE_ZERO,
    "rate_limits.futures_weight_per_minute": ABOVE_ZERO,
    "rest_endpoint": set(),
    "testnet_endpoint": set(),
    "futures_rest_endpoint": set(),
    "futures_testnet_endpoint": set(),
    "websocket.public": set(),
    "websocket.futures_public": set(),
    "websocket.testnet_public": set(),
    "websocket.futures_testnet_public": set(),
    "websocket.keep_alive": FLAG,
    "websocket.ping_interval": ABOVE_ZERO,
    "websocket.reconnect_attempts": ABOVE_ZERO,
    # Written by Virtuoso's factory, and not read.
    "websocket.mainnet_endpoint": set(WRONG),
    "websocket.testnet_endpoint": set(WRONG),
    "market_types": {"list"},
    "data_preferences.preferred_quote_currencies": {"list", "list of one"},
    "data_preferences.exclude_symbols": {"list", "list of one"},
    "data_preferences.min_24h_volume": {"0", "1", "0.5"},
}
BLOCKS = ("api_credentials", "rate_limits", "websocket", "data_preferences")


def section_with(dotted: str, value: object) -> dict[str, Any]:
    first, _, last = dotted.partition(".")
    return {first: {last: value}} if last else {first: value}


def test_the_table_has_every_key() -> None:
    names: set[str] = set()
    for name, field in Section.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        names |= {f"{name}.{key}" for key in inner} if inner else {name}
    assert names == set(TAKEN)
    assert {name.partition(".")[0] for name in TAKEN if "." in name} == set(BLOCKS)


@pytest.mark.parametrize("dotted", TAKEN)
def test_a_wrong_value_is_refused_with_its_place(dotted: str) -> None:
    taken: set[str] = set()
    for label, value in WRONG.items():
        section = section_with(dotted, value)
        judged = validate(section, {})
        try:
            settings = load_settings(section, {})
        except ConfigError as error:
            message = str(error)
        else:
            taken.add(label)
            make_client(settings)
            continue
        named = [
            problem
            for problem in judged.errors
            if problem.field == dotted or problem.field.startswith("api_credentials.")
        ]
        assert named, label
        assert message.startswith("exchanges.binance."), message
        assert dotted in message or "api_credentials" in dotted, message
        assert len(message) < 500, label
        with pytest.raises(ConfigError):
            make_exchange_class(fake_virtuoso.BaseExchange, section)
    assert taken == TAKEN[dotted]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    "value", [1, "text", [], True, [{}], 10**5000, math.inf], ids=lambda value: type(value).__name__
)
def test_a_block_is_a_block(block: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"exchanges.binance.{block}.* must be a block of keys and values"):
        load_settings({block: value}, {})
    assert any(problem.field == block for problem in validate({block: value}, {}).errors)


@pytest.mark.parametrize("section", [[], [1], "text", 1, True, 10**5000], ids=lambda value: type(value).__name__)
def test_a_section_is_a_block(section: Any) -> None:
    for given in (section, {"exchanges": {"binance": section}}):
        with pytest.raises(ConfigError, match=r"exchanges\.binance.* must be a block of keys and values"):
            make_exchange_class(fake_virtuoso.BaseExchange, given)
        with pytest.raises(ConfigError, match=r"exchanges\.binance.* must be a block of keys and values"):
            register(object(), given)


@pytest.mark.parametrize(
    ("dotted", "url", "remedy"),
    [
        ("rest_endpoint", "https://api.binance.com/api/v3", "write https://api.binance.com"),
        ("rest_endpoint", "http://127.0.0.1:8080/api/v3/", "write http://127.0.0.1:8080"),
        ("futures_rest_endpoint", "https://fapi.binance.com/fapi/v1", "write https://fapi.binance.com"),
        ("futures_rest_endpoint", "https://exa mple", "write e.g."),
        ("rest_endpoint", "https://user:S3CRET@127.0.0.1", "write e.g."),
        ("rest_endpoint", "https://127.0.0.1?token=S3CRET", "write e.g."),
        ("websocket.public", "wss://127.0.0.1:port/ws", "write e.g."),
        ("websocket.futures_public", "wss://fstream.binance.com/public/ws", "write wss://fstream.binance.com"),
        ("rest_endpoint", "ftp://user:S3CRET@127.0.0.1", "write e.g."),
    ],
)
def test_an_address_that_nothing_can_be_sent_to(dotted: str, url: str, remedy: str) -> None:
    section = section_with(dotted, url)
    with pytest.raises(ConfigError, match=rf"^exchanges\.binance\.{dotted}") as caught:
        load_settings(section, {})
    assert remedy in str(caught.value)
    assert "S3CRET" not in str(caught.value)
    (found,) = [problem for problem in validate(section, {}).errors if problem.field == dotted]
    assert "S3CRET" not in found.message


def test_an_address_that_is_not_in_use_harms_nobody() -> None:
    unused = {"testnet_endpoint": "https://testnet.binance.vision/api"}
    load_settings(unused, {})
    with pytest.raises(ConfigError, match=r"write https://testnet\.binance\.vision$"):
        load_settings({**unused, "testnet": True}, {})


def test_symbols_that_cannot_be_read_are_refused_when_the_section_is_read() -> None:
    for name in ("BTC USDT", "BTC/USD:BTC", "BTCUSDT_260327"):
        with pytest.raises(ConfigError, match=r"exclude_symbols.*invalid symbol"):
            load_settings({"data_preferences": {"exclude_symbols": ["ETHUSDT", name]}}, {})
    load_settings({"data_preferences": {"exclude_symbols": ["eth-usdt", "BTC/USDT:USDT"]}}, {})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for content, reason in (
        (b"\xff\xfea: 1", "UTF-8"),
        (b"a: \x00", "not YAML"),
        (b"[" * 3000, "nested too deeply"),
        (b"a: &a [*a]\nb: *c", "not YAML"),
        (b"a: &a [*a]", "more than 100000 values"),
        (b"a: &a {b: *a}", "more than 100000 values"),
        (
            b"a0: &a0 [1]\n"
            + b"".join(b"a%d: &a%d [%b]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 30)),
            "more than 100000 values",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=reason) as caught:
            load_config(path)
        assert "config.yaml" in str(caught.value)
    for odd in (None, 1, "a\0b", b"x"):
        with pytest.raises(ConfigError):
            load_config(odd)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"BINANCE_API_SECRET=S3CRET\xff\n")
    with pytest.raises(ConfigError, match=r"\.env cannot be read") as found:
        read_dotenv(dotenv)
    assert "S3CRET" not in str(found.value)
