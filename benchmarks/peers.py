"""Streams beside another library's, where the peers' benchmark lies next to the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._environments import ROOT, wheel_of_the_checkout
from benchmarks._figures import Figure, Target

_BENCH = ROOT.parent / "shared" / "bench"
_PEERS = {
    "cryptofeed": ("cryptofeed_", "cryptofeed>=3"),
    "python-binance": ("python_binance", "python-binance>=1.0.37"),
}
"""Its module in the peers' benchmark, and what is installed, by the name of a library; the first is always compared."""
_ROUNDS = 5
_SCALE = 4
"""80 000 messages; what is built at the first one is a part of it."""
_KINDS = {
    "aggTrade": ("aggTrade, typed", 1.3, ("cryptofeed",)),
    "bookTicker": ("bookTicker, typed", 1.3, ("cryptofeed",)),
    "book": ("order book", 3.0, ("cryptofeed", "python-binance")),
}
"""What each is called, how many times as fast ours shall be, and as which peers."""
_SLOT = """
from clients._base import BenchClient
from benchmarks._peer_slot import Ours as Slot


class Bench(Slot, BenchClient):
    label = "{label}"
    group = "ours"
    imports = "import binance_sdk"
    dists = ("binance-market-sdk",)
    ws_kind = "pydantic model, Decimal"
    transport = "{transport}"
"""
_OURS = {"ours": "httpx", "ours_speed": "aiohttp"}
_CLIENTS = [*_OURS, *(client for client, _ in _PEERS.values()), "floor_aiohttp"]
_RUN = "import run; run.CLIENTS[:] = {clients!r}; run.main()"


def run(options: Any) -> list[Figure]:
    why = None if _BENCH.is_dir() else "the peers' benchmark is not beside this checkout"
    python = _interpreter(options.peer_python)
    if why is None and python is None:
        why = f"{next(iter(_PEERS))} 3 needs Python 3.13: name one with --peer-python"
    if why is not None:
        print(f"\npeers: left out, {why}", file=sys.stderr)
        return []
    assert python is not None
    rounds = _measure(_environment(python))
    return [
        _figure(rounds, kind, name, peer) for kind, (_, _, peers) in _KINDS.items() for peer in peers for name in _OURS
    ]


def _interpreter(given: str | None) -> str | None:
    for candidate in (given, "python3.13"):
        found = shutil.which(candidate) if candidate else None
        if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
            return found
    return None


def _environment(python: str) -> Path:
    place = ROOT / ".venv" / "bench-peers"
    inside = place / "bin" / "python"
    if not inside.exists():
        print(f"setting up {place.relative_to(ROOT)} ...", file=sys.stderr)
        subprocess.run([python, "-m", "venv", str(place)], check=True)
    with wheel_of_the_checkout() as wheel:
        wanted = [*(wanted for _, wanted in _PEERS.values()), "orjson", "packaging", f"{wheel}[speed]"]
        pip = [str(inside), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *wanted], check=True)
        subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return inside


def _measure(python: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        bench, found = Path(folder) / "bench", Path(folder) / "found.json"
        shutil.copytree(_BENCH, bench)
        for name, transport in _OURS.items():
            slot = _SLOT.format(label=name, transport=transport)
            (bench / "clients" / f"{name}.py").write_text(slot, encoding="utf-8")
        subprocess.run(
            [
                *(str(python), "-c", _RUN.format(clients=_CLIENTS)),
                *("--rounds", str(_ROUNDS), "--scale", str(_SCALE), "--skip", "import,rest", "--out", str(found)),
            ],
            check=True,
            cwd=bench,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(bench), str(ROOT)])},
        )
        report: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    failed = {name: told["failed"] for name, told in report["summary"].items() if told["failed"]} | report["missing"]
    if failed:
        raise RuntimeError(f"the peers' benchmark refused an answer: {failed}")
    rounds: list[dict[str, Any]] = report["rounds"]
    return rounds


def _figure(rounds: list[dict[str, Any]], kind: str, name: str, peer: str) -> Figure:
    def rates(client: str) -> list[float]:
        return [round_[client]["ws"]["kinds"][kind]["msg_per_cpu_s"] for round_ in rounds]

    ours, theirs = rates(name), rates(_PEERS[peer][0])
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    what, bound, _ = _KINDS[kind]
    shown = f"{what}, over {'websockets' if _OURS[name] == 'httpx' else 'aiohttp'}, beside {peer}"
    note = f"{20_000 * _SCALE} messages of a server in a process of its own, {_ROUNDS} rounds; floor: {peer}"
    return Figure("peers", shown, median(ours), "/s", median(theirs), ratio, Target("≥", bound, "ratio"), note)
