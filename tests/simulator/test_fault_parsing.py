"""Faults as one line, and where they are written down."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from binance_sdk.simulator import Fault, Simulator, SimulatorError, StreamFault, simulator_process
from binance_sdk.simulator.faults.parsing import ParsedFault, describe_faults, parse_fault, usual_faults
from binance_sdk.simulator.faults.requests import FaultKind
from binance_sdk.simulator.faults.streams import StreamFaultKind
from tests.simulated_http import NO_CERTIFICATES

from .conftest import simulator

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("server_error", ParsedFault(Fault.server_error())),
        (" page:status=200 ", ParsedFault(Fault.page(200))),
        ("latency:seconds=0.2,longest=1", ParsedFault(Fault.latency(0.2, 1.0))),
        ("reset:in_body=true,probability=0.5", ParsedFault(Fault.reset(in_body=True), probability=0.5)),
        ("short_page:rows=7,where=a.*|b,count=3", ParsedFault(Fault.short_page(7), ("a.*", "b"), count=3)),
        ("server_error:retry_after=86400", ParsedFault(Fault.server_error(retry_after=86400.0))),
        ("close:code=1008,reason=slow", ParsedFault(StreamFault.close(1008, "slow"))),
        ("refuse:status=418,retry_after=0,seed=4", ParsedFault(StreamFault.refuse(418, retry_after=0.0), seed=4)),
    ],
)  # fmt: skip
def test_lines(line: str, order: ParsedFault) -> None:
    assert parse_fault(line) == order


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "there is no fault ''"),
        ("servererror", "did you mean server_error?"),
        ("passing", "there is no fault 'passing'"),
        ("latency", "latency needs seconds"),
        ("close:cod=3", "'cod=3' must be KEY=VALUE, the key one of code, reason, where"),
        ("close:code", "'code' must be KEY=VALUE"),
        ("close:code=soon", "close: code=soon: "),
        ("server_error:status=200", "500 to 599"),
        ("redirect:status=200", "300 to 399"),
        ("refuse:status=200", "300 to 599"),
        ("short_page:rows=0", "at least one row"),
        # The number of pings has the name of the number of faults: the fault's own goes first.
        ("pings:count=0", "at least one"),
        ("refuse:status=499", "a known one from 300 to 599"),
    ],
)
def test_lines_that_say_nothing_known(line: str, told: str) -> None:
    with pytest.raises(SimulatorError, match=re.escape(told)):
        parse_fault(line)


def test_every_kind_has_a_word_and_stands_in_the_documents() -> None:
    words, page = describe_faults(), PAGE.read_text("utf-8")
    assert len({word.name for word in words}) == len(words)
    for word in words:
        row = next((line for line in page.splitlines() if line.startswith(f"| `{word.name}` |")), "")
        assert word.meaning.replace("``", "`") in row, word
        assert all(f"`{argument}`" in row for argument in word.arguments), word
    about = {about: {word.name for word in words if word.about == about} for about in ("requests", "streams")}
    # A reset in the body is an argument of reset.
    assert about["requests"] == set(get_args(FaultKind)) - {"reset_in_body"}
    assert about["streams"] == set(get_args(StreamFaultKind))
    assert set(usual_faults()) == set(get_args(FaultKind))


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, verify=NO_CERTIFICATES, trust_env=False, **options)


def klines(running: Simulator, **params: Any) -> httpx.Response:
    query = {"symbol": "BTCUSDT", "interval": "1h", "limit": 5, **params}
    return get(f"{running.url}/api/v3/klines", params=query)


def test_a_line_injects_into_requests(running: Simulator) -> None:
    rule = running.add_fault("server_error:status=502,count=1,where=spot.klines")
    assert klines(running).status_code == 502
    assert klines(running).status_code == 200
    assert rule.injected == 1
    with pytest.raises(SimulatorError, match="matches nothing"):
        running.add_fault("server_error:where=spot.nothing")


def test_a_line_goes_to_another_process_too() -> None:
    with simulator_process(symbols=["BTCUSDT"], history_days=1) as control:
        rule = control.add_fault("restricted:where=spot.time")
        refused = control.add_fault("refuse:status=451")
        assert get(f"{control.url}/api/v3/time").status_code == 451
        rule.remove()
        refused.remove()
        assert get(f"{control.url}/api/v3/time").status_code == 200
        with pytest.raises(SimulatorError, match="there is no fault 'nothing'"):
            control.add_fault("nothing")


def test_a_page_of_fewer_rows_is_the_page_of_a_lower_limit(running: Simulator) -> None:
    newest, fewer = klines(running).json(), klines(running, limit=2).json()
    oldest = klines(running, startTime=newest[0][0], limit=2).json()
    running.add_fault("short_page:rows=2")
    assert klines(running).json() == fewer
    assert klines(running, startTime=newest[0][0]).json() == oldest
    # What has no rows is left alone.
    assert get(f"{running.url}/api/v3/time").status_code == 200


def test_rows_in_the_wrong_order_and_a_row_that_is_none(running: Simulator) -> None:
    rows = klines(running).json()
    running.add_fault("newest_first:count=1")
    assert klines(running).json() == rows[::-1]
    running.add_fault("bad_row:count=1")
    damaged = klines(running).json()
    assert damaged[2] == [rows[2][0], "", *rows[2][2:]]
    assert damaged[:2] + damaged[3:] == rows[:2] + rows[3:]
    running.add_fault("bad_row:count=1")
    ticker = get(f"{running.url}/api/v3/ticker/24hr?symbol=BTCUSDT").json()
    assert [name for name, value in ticker.items() if value == ""] == ["openPrice"]


def test_a_country_that_is_blocked_and_a_redirect(running: Simulator) -> None:
    before = running.used_weight("spot")
    running.add_fault("country_blocked:count=1")
    blocked = klines(running)
    assert (blocked.status_code, blocked.headers["content-type"]) == (403, "text/html;charset=UTF-8")
    assert "configured to block access from your country" in blocked.text
    running.add_fault("redirect:status=307,location=http://127.0.0.1:1/x,count=1")
    moved = klines(running)
    assert (moved.status_code, moved.headers["location"]) == (307, "http://127.0.0.1:1/x")
    assert running.used_weight("spot") == before
    running.add_fault("server_error:retry_after=86400,count=1")
    assert klines(running).headers["retry-after"] == "86400"


def test_a_body_that_comes_slowly_comes_whole(running: Simulator) -> None:
    rows = klines(running).json()
    running.add_fault("slow_body:seconds=0.1,count=1")
    with httpx.stream(
        "GET", f"{running.url}/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=5", trust_env=False
    ) as slow:
        pieces = list(slow.iter_raw())
    assert len(pieces) > 1
    assert httpx.Response(200, content=b"".join(pieces)).json() == rows


def test_a_calm_market_and_a_lively_one() -> None:
    with simulator(lively=False) as calm, simulator() as lively:
        counted = []
        for exchange in (calm, lively):
            exchange.clock.advance(60)  # type: ignore[attr-defined]
            now = exchange.clock.now_ms()
            query = {"symbol": "BTCUSDT", "startTime": now - 60_000 + 1, "endTime": now, "limit": 1000}
            counted.append(get(f"{exchange.url}/api/v3/aggTrades", params=query).json())
            # What was before the start is the same in both.
            counted.append(klines(exchange, endTime=now - 3_600_000).json())
        assert counted[1] == counted[3]
        assert len(counted[0]) < 10
        times = [row["T"] for row in counted[2]]
        assert len(times) > 100
        assert max(later - earlier for earlier, later in pairwise(times)) < 1500
        # As many coins in smaller orders.
        amounts = [sum(float(row["q"]) for row in rows) for rows in (counted[0], counted[2])]
        assert 0.1 < amounts[1] / amounts[0] < 10
