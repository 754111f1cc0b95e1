"""Both commands: what they print and write, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from binance_sdk.cli.app import app
from codegen.__main__ import main

from .drifts import DRIFTS, Drift
from .mutated import MutatedExchange

REPOSITORY = Path(__file__).resolve().parents[2]


def drift(name: str) -> Drift:
    return next(one for one in DRIFTS if one.name == name)


def options(exchange: MutatedExchange, only: str) -> list[str]:
    base, stream = exchange.simulator.base_url("spot"), exchange.simulator.stream_url("spot")
    return ["verify", "--only", only, "--listen", "0", "--spot-base-url", base, "--spot-stream-url", stream]


@pytest.mark.parametrize(
    ("name", "code"), [("", 0), ("a field added", 7), ("a field removed", 4)], ids=["none", "noted", "breaking"]
)
def test_both_commands_end_with_the_worst_that_they_found(
    name: str,
    code: int,
    exchange: MutatedExchange,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if name:
        drift(name).change(exchange, monkeypatch)
    json_file, markdown_file = tmp_path / "report.json", tmp_path / "report.md"
    arguments = [*options(exchange, "spot.avg_price"), "--json", str(json_file), "--markdown", str(markdown_file)]
    ran = CliRunner().invoke(app, arguments, prog_name="binance-sdk")
    assert ran.exit_code == code, ran.output
    report = json.loads(json_file.read_text("utf-8"))
    assert [one["kind"] for one in report["findings"]] == ([drift(name).kind] if name else [])
    assert all(
        set(one) >= {"subject", "variant", "where", "path", "spec", "seen", "remedy"} for one in report["findings"]
    )
    assert markdown_file.read_text("utf-8").count("\n| ") == (2 if name else 0)
    assert "operations and 0 streams" in ran.output
    assert main(options(exchange, "spot.avg_price")) == code
    assert ("field_" in capsys.readouterr().out) == bool(name)


def test_nothing_is_sent_where_only_the_cost_is_asked_for(
    exchange: MutatedExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    before = exchange.simulator.requests
    ran = CliRunner().invoke(app, [*options(exchange, "spot.*"), "--dry-run"], prog_name="binance-sdk")
    assert ran.exit_code == 0
    assert "Nothing was sent." in ran.output
    assert main([*options(exchange, "spot.*"), "--dry-run"]) == 0
    assert "Nothing was sent." in capsys.readouterr().out
    assert exchange.simulator.requests == before


def test_where_nothing_could_be_compared_there_was_no_connection() -> None:
    arguments = ["verify", "--spot-base-url", "http://127.0.0.1:9", "--only", "spot.ping", "--listen", "0"]
    ran = CliRunner().invoke(app, arguments, prog_name="binance-sdk")
    assert ran.exit_code == 3
    assert "no connection" in ran.output.replace("\n", " ")


def test_json_in_the_place_of_the_table(exchange: MutatedExchange) -> None:
    ran = CliRunner().invoke(app, [*options(exchange, "spot.ping"), "--json", "-"], prog_name="binance-sdk")
    assert json.loads(ran.stdout)["findings"] == []


@pytest.mark.parametrize("arguments", [["--only", "margin.*", "--dry-run"], ["--spot-base-url", "nowhere"]])
def test_wrong_settings_are_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["verify", *arguments], prog_name="binance-sdk").exit_code == 2
    assert main(["verify", *arguments]) == 2


def test_the_generator_takes_no_option_that_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--margin-base-url", "http://127.0.0.1:9"])
    assert "--margin-base-url" in capsys.readouterr().err
