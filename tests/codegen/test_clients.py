"""The modules that compose the client are written from one declaration of settings."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from tiny import PACKAGE, REPOSITORY, TinySpec

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk._arguments import VARIABLES, Arguments
from binance_sdk._limits import LimitsView
from binance_sdk.catalogue import MARKETS
from codegen.__main__ import main
from codegen.load import load
from codegen.names import RESERVED_MARKETS
from codegen.rendering.client_settings import client_settings
from codegen.rendering.clients import described_environments, render_clients

SPEC = load(REPOSITORY / "spec")
ENVIRONMENTS = described_environments(SPEC)
SETTINGS = list(client_settings(list(MARKETS), ENVIRONMENTS))


def test_what_is_written_is_what_the_declaration_says() -> None:
    for name, content in render_clients(SPEC).items():
        assert (PACKAGE / name).read_bytes() == content, f"{name}: run `python -m codegen generate`"


@pytest.mark.parametrize("client", [BinanceClient, SyncBinanceClient])
def test_a_client_takes_every_setting_and_says_what_it_is(client: type[object]) -> None:
    signature = inspect.signature(client)
    assert list(signature.parameters) == [setting.name for setting in SETTINGS]
    described = " ".join((client.__doc__ or "").split())
    for setting in SETTINGS:
        parameter = signature.parameters[setting.name]
        wanted = parameter.POSITIONAL_OR_KEYWORD if setting.name == "environment" else parameter.KEYWORD_ONLY
        assert parameter.kind is wanted
        assert parameter.annotation == setting.annotation(sync=client is SyncBinanceClient)
        assert f"{setting.name}: {setting.described(sync=client is SyncBinanceClient)}" in described


def test_both_clients_and_their_arguments_have_the_same_defaults() -> None:
    kept = {field.name: None if field.default is MISSING else field.default for field in fields(Arguments)}
    for client in (BinanceClient, SyncBinanceClient):
        assert {name: parameter.default for name, parameter in inspect.signature(client).parameters.items()} == kept


def test_every_variable_is_one_of_a_setting() -> None:
    assert {setting.name: setting.variable for setting in SETTINGS if setting.variable} == VARIABLES


def test_a_further_market_brings_its_own_settings() -> None:
    added = {setting.name: setting.variable for setting in client_settings([*MARKETS, "further_market"], ENVIRONMENTS)}
    for setting in SETTINGS:
        del added[setting.name]
    assert added == {
        "further_market_base_url": "BINANCE_SDK_FURTHER_MARKET_BASE_URL",
        "further_market_stream_url": "BINANCE_SDK_FURTHER_MARKET_STREAM_URL",
    }


def test_secrets_do_not_show_in_the_arguments() -> None:
    secret = "S3CRET"
    assert secret not in repr(Arguments(api_key=secret, proxy=f"http://user:{secret}@proxy:1"))


def test_a_folder_of_another_name_gets_no_client(tiny: TinySpec, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "out"
    assert main(["--spec", str(tiny.folder), "--out", str(out), "generate"]) == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_check_sees_a_client_that_was_edited_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "binance_sdk" / "_generated"
    arguments = ["--spec", str(REPOSITORY / "spec"), "--out", str(out)]
    assert main([*arguments, "generate"]) == 0
    client = out.parent / "client.py"
    client.write_text(client.read_text("utf-8").replace("max_retries: int = 3", "max_retries: int = 4"), "utf-8")
    capsys.readouterr()
    assert main([*arguments, "check"]) == 1
    assert "+        max_retries: int = 3," in capsys.readouterr().out


def test_no_market_can_take_a_name_that_something_else_is_found_by() -> None:
    taken = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("_") and path.suffix in ("", ".py")}
    taken |= {path.stem for path in (PACKAGE / "_generated").iterdir() if not path.name.startswith("_")}
    taken |= {path.name for path in (REPOSITORY / "spec").iterdir() if path.is_dir()}
    taken |= {name for kind in (BinanceClient, SyncBinanceClient, LimitsView) for name in dir(kind)}
    free = {name for name in taken if not name.startswith("_")} - set(MARKETS) - RESERVED_MARKETS
    assert free - {"py"} == set()
