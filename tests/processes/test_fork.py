"""A client and the processes around it: each story runs in a process of its own, with warnings as errors."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from binance_sdk._runtime.budget.shared.script import PARTS, pool_key, source
from binance_sdk.simulator import Simulator
from tests.shared.servers import Server, running, valkey

from .server import EchoExchange

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no fork on this system"
)


@pytest.fixture(scope="module")
def exchange() -> Iterator[EchoExchange]:
    with EchoExchange() as running:
        yield running


def told_by(story: str, *more: str, **environment: str) -> Any:
    """What a story saw; nothing may complain meanwhile, in parent or child."""
    flags = [*("-W", "error"), *("-W", "ignore:This process:DeprecationWarning"), *more]
    done = subprocess.run(
        [sys.executable, *flags, "-m", "tests.processes.stories", story],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_process_gets_the_answers_to_its_own_questions(exchange: EchoExchange) -> None:
    assert told_by("used_before", EXCHANGE_URL=exchange.url) == [[], [], [[], []]]


def test_process_pools_of_every_start_method(exchange: EchoExchange) -> None:
    # The children do not close the client of the module, as an application would not.
    found = told_by("start_methods", "-W", "ignore::ResourceWarning", EXCHANGE_URL=exchange.url)
    assert found == {"fork": [], "spawn": [], "forkserver": []}


def test_a_fork_while_threads_make_their_first_calls_hangs_nobody(exchange: EchoExchange) -> None:
    assert told_by("while_threads_call", EXCHANGE_URL=exchange.url) == [[]] * 6


def test_a_child_does_not_wait_for_a_request_of_the_parent() -> None:
    with EchoExchange(pause=0.3) as slow:
        found = told_by("cache", EXCHANGE_URL=slow.url)
        assert found[0] == found[1] == found[2] > 0
        # The child has neither the parent's single_flight nor its answers.
        assert len(slow.asked) == 3


def test_an_async_client_says_that_it_belongs_to_the_parent(exchange: EchoExchange) -> None:
    *refused, left, blocking = told_by("async_client", EXCHANGE_URL=exchange.url)
    assert [line.partition(":")[0] for line in refused] == ["ConfigError"] * 4
    assert all("fork" in line and "in the child" in line for line in refused)
    assert refused[0].startswith("ConfigError: spot.ping: ")
    assert left == "left"
    assert blocking == "no error but 'NEWUSDT'"


def test_a_running_iterator_belongs_to_the_parent(exchange: EchoExchange) -> None:
    refused, batch, fresh, step, left = told_by("iterators", EXCHANGE_URL=exchange.url)
    assert refused.startswith("ConfigError: spot.klines: a running iterator belongs to the process before the fork")
    assert fresh
    assert batch.startswith("ConfigError: a running iterator belongs to the process before the fork")
    assert (step, left) == (60_000, 7)


def test_event_loops_of_several_threads(exchange: EchoExchange) -> None:
    found = told_by("several_loops", EXCHANGE_URL=exchange.url)
    assert found["parent"] == []
    for answers, refused in found["children"]:
        assert answers == []
        assert refused.startswith("ConfigError: spot.ticker_price: ")


def test_an_http_client_of_the_user_is_not_used_in_a_child(exchange: EchoExchange) -> None:
    refused = told_by("given_http_client", EXCHANGE_URL=exchange.url)
    assert refused.startswith("ConfigError: spot.ping: ")
    assert "http_client" in refused


def test_the_budget_of_a_child_begins_where_the_parent_was_and_it_says_once_what_it_cannot_see(
    exchange: EchoExchange,
) -> None:
    before, at_first, after, lines, parent, parents_lines = told_by("budget", EXCHANGE_URL=exchange.url)
    assert before == at_first == parent == 10
    assert after == 18
    assert len(lines) == 1
    assert lines[0].startswith("WARNING this process (")
    assert parents_lines == []


# One for each test: what another has spent there would be counted too.
@pytest.fixture
def store(exchange: EchoExchange) -> Iterator[Server]:
    """A store that believes what it counts, since it has had the pool for a while; the limits are out of reach."""
    with running(valkey()) as server, server.client() as client:
        pool = pool_key("default", f"{exchange.url.removeprefix('http://')}/spot")
        table = {"weight": ["fixed", [[60, 10**7]]], "raw_requests": ["sliding", [[300, 10**7]]]}
        message = {"id": "x", "seq": 1, "share": 1, "version": "", "settled": 0, "table": table, "leave": True}
        text = json.dumps({**message, "endings": [], "held": {}, "wants": []})
        client.eval(source(PARTS).replace("redis.call('TIME')", "{'1000000000', '0'}"), 1, pool, text)
        yield server


def test_parent_and_child_spend_from_one_store(exchange: EchoExchange, store: Server) -> None:
    used, state, processes, lines, parents_used, left, parents_lines = told_by(
        "shared_budget", EXCHANGE_URL=exchange.url, BINANCE_SDK_LIMITS_URL=store.url
    )
    assert (state, processes, left) == ("connected", 2, 1)
    assert 0 < used <= 8
    # A window may have turned in between.
    assert parents_used in {10, 8, 6, 4, 2}
    # The warning of a budget that the parent cannot see would be wrong.
    assert lines == parents_lines == []


def test_a_fork_while_threads_speak_to_the_store_hangs_nobody(exchange: EchoExchange, store: Server) -> None:
    story = "while_threads_speak_to_a_store"
    assert told_by(story, EXCHANGE_URL=exchange.url, BINANCE_SDK_LIMITS_URL=store.url) == []


def test_a_call_that_is_under_way_at_a_fork_is_settled_once_in_each_process(exchange: EchoExchange) -> None:
    parent, child = told_by("in_a_hook", EXCHANGE_URL=exchange.url)
    assert parent == [["BTCUSDT"], 8, 0]
    # What the parent had sent is charged; the child's own copy of that call was charged as the parent's.
    assert child == [["BTCUSDT"], 8, 0]


def test_an_open_stream_belongs_to_the_parent_and_goes_on_there() -> None:
    with Simulator() as simulator:
        environment = {"EXCHANGE_URL": simulator.url, "STREAM_URL": simulator.stream_url("spot")}
        refused, symbol = told_by("streams", **environment)
        assert [line.partition(":")[0] for line in refused[:3]] == ["ConfigError"] * 3
        assert refused[3:] == ["ETHUSDT"]
        assert symbol == "BTCUSDT"
        *refused, left = (told := told_by("async_streams", **environment))[0]
        assert [line.partition(":")[0] for line in refused] == ["ConfigError"] * 3
        assert left == "left"
        assert told[1] == "BTCUSDT"


def test_a_web_server_that_loads_the_application_before_it_forks(exchange: EchoExchange) -> None:
    """The client of the application has connections, and every worker inherits them."""
    pytest.importorskip("gunicorn", reason="gunicorn is missing: install the dev extra")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = "{}:{}".format(*free.getsockname())
    options = ["--preload", "--workers=3", f"--bind={place}", "--log-level=warning", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *options, "tests.processes.module_client:used_application()"]
    environment = {**os.environ, "EXCHANGE_URL": exchange.url}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urlopen(f"http://{place}/FIRSTUSDT", timeout=10).close()
                break
            except URLError:
                assert time.monotonic() < until
                assert server.poll() is None
                time.sleep(0.05)
        symbols = [f"W{n}USDT" for n in range(60)]

        def ask(symbol: str) -> str:
            with urlopen(f"http://{place}/{symbol}", timeout=60) as answer:
                text: str = answer.read().decode()
                return text

        with ThreadPoolExecutor(6) as threads:
            answers = [answer.split(" ", 1) for answer in threads.map(ask, symbols)]
    finally:
        server.terminate()
        complaints = server.communicate(timeout=60)[1]
    assert [symbol for _, symbol in answers] == symbols
    assert len({worker for worker, _ in answers}) > 1
    # One line from each worker that was asked, and no more.
    assert all("was forked" in line for line in complaints.splitlines() if line.strip()), complaints
