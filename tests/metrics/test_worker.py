"""The worker of ``deploy/compose.yaml``, run as a process: containers cannot be started wherever tests run.

The simulator there is an image with tests of its own.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
import yaml

from binance_sdk import SyncBinanceClient
from binance_sdk.simulator import Simulator
from tests.shared.servers import Server, free_port, running, valkey

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
_PATIENCE = 60.0


@contextmanager
def _started(command: list[str], **variables: str) -> Iterator[subprocess.Popen[str]]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE_")}
    with subprocess.Popen(
        command, cwd=ROOT, env={**plain, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


_BELIEVED = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local pool = cmsgpack.unpack(redis.call('HGET', key, 'pool'))
  for _, window in pairs(pool.windows) do
    if window.fixed then window.distrusted = -1 else window.distrusted_until = 0 end
  end
  redis.call('HSET', key, 'pool', cmsgpack.pack(pool))
end
"""


def _let_it_be_used(store: Server, client: SyncBinanceClient) -> None:
    """Let the store believe that it has run for long: a new one gives out little until the minute is over."""
    client.spot.ping()
    with redis.Redis(port=store.port) as connection:
        connection.eval(_BELIEVED, 0)


def _scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def _wait_for(port: int, process: subprocess.Popen[str], *lines: str) -> None:
    """Ask as Prometheus does until each of the lines is there."""
    until, text = time.monotonic() + _PATIENCE, ""
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        try:
            text = _scraped(port)
        except OSError:
            text = ""
        if all(re.search(f"^{line}$", text, re.MULTILINE) for line in lines):
            return
        time.sleep(0.1)
    raise AssertionError(f"{lines} are not all in:\n{text}")


def test_a_worker_shares_its_budget_and_is_measured(image_python: str) -> None:
    program, *arguments = SERVICES["worker-1"]["command"]
    assert program == "python"
    variables = dict(SERVICES["worker-1"]["environment"])
    assert set(variables) == {"BINANCE_SDK_LIMITS_URL", "BINANCE_SDK_SIMULATOR", "SYMBOLS", "METRICS_PORT"}
    with ExitStack() as stack:
        store = stack.enter_context(running(valkey()))
        url = stack.enter_context(Simulator()).url
        # Another process of the same budget.
        client = stack.enter_context(SyncBinanceClient(spot_base_url=url, limits_url=store.url))
        _let_it_be_used(store, client)
        port = free_port()
        variables |= {"BINANCE_SDK_LIMITS_URL": store.url, "BINANCE_SDK_SIMULATOR": url}
        variables |= {"SYMBOLS": "BTCUSDT,ETHUSDT", "METRICS_PORT": str(port)}
        worker = stack.enter_context(_started([image_python, *arguments], **variables))
        _wait_for(
            port,
            worker,
            r'binance_sdk_books\{environment="custom",market="spot",state="synced"\} 2\.0',
            r'binance_sdk_symbol_book_synced\{environment="custom",market="spot",symbol="ETHUSDT"\} 1\.0',
            r'binance_sdk_store_connected\{setting="limits_url"\} 1\.0',
            r'binance_sdk_store_processes\{limits_key="default"\} 2\.0',
            r'binance_sdk_request_duration_seconds_count\{.*operation="klines"\} [1-9].*',
        )
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=_PATIENCE)
        assert (worker.returncode, "Traceback" in errors) == (0, False), errors
        assert "the books of BTCUSDT, ETHUSDT are synced" in errors
        assert "BTCUSDT closed at" in errors
