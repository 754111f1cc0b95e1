"""``simulate --fault``: what goes wrong, from the command line."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from binance_sdk import simulator
from binance_sdk.simulator import Simulator
from binance_sdk.simulator.faults.parsing import describe_faults

from .support import Cli, start

WAIT = 60.0


def test_a_fault_of_each_kind_reaches_clients() -> None:
    process = start(
        *("simulate", "--port", "0"),
        *("--fault", "restricted:where=spot.time", "--fault", "refuse:status=451,where=futures"),
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith("export "))
    name, _, url = line.removeprefix("export ").strip().partition("=")
    refused = start("call", "spot", "time", **{name: url})
    assert "451" in refused.communicate(timeout=WAIT)[1]
    assert refused.returncode == 1
    served = start("call", "spot", "ping", "--json", **{name: url})
    assert served.communicate(timeout=WAIT) == ("{}\n", "")
    stream = start("stream", "futures", "book_ticker", "BTCUSDT", "--count", "1", **{name: url})
    output, errors = stream.communicate(timeout=WAIT)
    assert (output, errors.count("\n")) == ("", 1)
    assert "451" in errors
    assert stream.returncode in (1, 3)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=WAIT)[1] == ""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("resett", "did you mean reset?"),
        ("latency:seconds=-1", "delays must not be negative"),
        ("server_error:where=spot.nothing", "matches nothing"),
    ],
)
def test_a_fault_that_is_none_is_a_mistake_on_the_command_line(cli: Cli, fault: str, told: str) -> None:
    ran = cli("simulate", "--port", "0", "--fault", fault)
    assert (ran.code, ran.output, ran.errors.count("\n")) == (2, "", 1)
    assert told in ran.errors


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_who_listens_everywhere_is_told_what_others_have_to_write(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    asked: list[str] = []

    def serve_on_loopback(host: str, port: int, *, seed: int, on_start: Callable[[Simulator], None]) -> None:
        asked.append(host)
        with Simulator() as running:
            on_start(running)

    monkeypatch.setattr(simulator, "serve", serve_on_loopback)
    output = cli("simulate", "--host", host).output
    assert asked == [host]
    assert "export BINANCE_SDK_SIMULATOR=http://127.0.0.1:" in output
    assert ("write the name of this\none instead" in output) == (host == "0.0.0.0")


def test_all_faults_are_listed(cli: Cli) -> None:
    ran = cli("simulate", "--list-faults")
    assert ran.code == 0
    for word in describe_faults():
        assert f"│ {word.name} " in ran.output
