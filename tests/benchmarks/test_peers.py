"""What is made of a run beside other libraries: each cell that a library offers, and none that it does not."""

from __future__ import annotations

import subprocess
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _peer_bench, peers, peers_rest
from benchmarks._figures import Figure
from benchmarks._peer_bench import Environments, Peer

OPERATIONS = (*("klines", "depth", "depth100", "trades", "tickers", "exchange_info", "fapi_klines", "premium_index"),)
MODULES = ("ours", "ours_speed", "ref_httpx_msgspec", "ref_aiohttp_msgspec", "ccxt_unified", "binance_sdk")


def a_round(cpu: dict[str, float], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the peers' benchmark reports, with as much CPU for every operation of a module."""
    return {
        module: {
            "rest": {
                "ops": {
                    operation: {"cpu_ms": cpu.get(module, 4.0)}
                    for operation in OPERATIONS
                    if not (module == "ccxt_unified" and operation in without)
                }
            },
            "import": [{"cpu_ms": 100.0 * cpu.get(module, 4.0)}, {"cpu_ms": 100.0 * cpu.get(module, 4.0)}],
        }
        for module in MODULES
    }


def found(*rounds: dict[str, Any]) -> dict[str, Figure]:
    there = [peer for peer in peers_rest._PEERS if peer.module in MODULES]
    return {figure.name: figure for figure in peers_rest.figures(list(rounds), there)}


def test_a_ratio_is_the_median_of_its_rounds_and_less_is_wanted() -> None:
    lines = found(a_round({"ours": 1.0}), a_round({"ours": 2.0}), a_round({"ours": 40.0, "ccxt_unified": 40.0}))
    line = lines["1000 trades, over httpx, beside ccxt"]
    assert (line.ours, line.floor, line.ratio, line.met) == (2.0, 4.0, 0.5, True)
    assert found(a_round({"ours": 4.0}))["1000 trades, over httpx, beside ccxt"].met is False


def test_rows_and_objects_over_aiohttp_have_a_bound_beside_msgspec() -> None:
    lines = found(a_round({"ours_speed": 8.0, "ref_aiohttp_msgspec": 4.0}))
    assert lines["1000 klines, over aiohttp, beside msgspec"].met is False
    assert lines["1000 trades, over aiohttp, beside msgspec"].met is True
    assert lines["1000 trades, over aiohttp, beside ccxt"].met is None


def test_what_a_library_does_not_offer_or_does_not_type_is_not_judged() -> None:
    lines = found(a_round({}, without=("fapi_klines", "premium_index")))
    assert "620 premium indexes, over httpx, beside ccxt" not in lines
    assert lines["620 premium indexes, over httpx, beside the official SDK"].met is False
    assert lines["1000 klines, over httpx, beside the official SDK"].target is None
    assert lines["import beside the official SDK"].ratio == 1


def test_a_library_that_cannot_be_installed_is_named_and_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def install(python: Path, *wanted: str) -> None:
        if "gone" in wanted:
            raise subprocess.CalledProcessError(1, "pip", stderr="first\nno such distribution: gone")

    monkeypatch.setattr(_peer_bench, "_made", lambda python, folder: tmp_path / folder / "python")
    monkeypatch.setattr(_peer_bench, "_pip", install)
    monkeypatch.setattr(_peer_bench, "wheel_of_the_checkout", lambda: nullcontext(Path("a.whl")))
    wanted = [
        Peer("here", "here", ("here",)),
        Peer("gone", "gone", ("gone",)),
        Peer("own", "own_", ("own",), alone=True),
    ]
    made = _peer_bench.environments(tmp_path, wanted)
    assert made.missing == {"gone": "no such distribution: gone"}
    assert made.others == {"own_": tmp_path / "bench-own" / "python"}
    figure = _peer_bench.missing("peers-rest", made)
    assert (figure.ours, figure.met) == (1, False)
    assert "peers-rest: gone is missing: no such distribution: gone" in capsys.readouterr().err
    assert _peer_bench.missing("peers-rest", Environments(tmp_path)).met is True


@pytest.mark.parametrize("module", [peers, peers_rest])
def test_without_the_benchmark_or_an_interpreter_it_says_so(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(_peer_bench, "BENCH", tmp_path)
    assert module.run(Namespace(peer_python="no-such-python")) == []
    assert "left out, there is no no-such-python: name one with --peer-python" in capsys.readouterr().err
    monkeypatch.setattr(_peer_bench, "BENCH", tmp_path / "nothing")
    assert module.run(Namespace(peer_python=None)) == []
    assert "left out, the peers' benchmark is not beside this checkout" in capsys.readouterr().err
