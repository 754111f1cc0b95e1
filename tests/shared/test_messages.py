"""What is read from a store is checked, value by value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_sdk._runtime.budget.shared.messages import Reply, ReplyError, read_reply

_REPLY: dict[str, Any] = {
    "granted": "10",
    "short": {"weight/60": [1.5, 20], "group/300": [-1, 1]},
    "taken": {"weight/60": [29_933_775, 0, 12, 1, True]},
    "used": {"weight/60": 13},
    "version": "1796026521.174583",
    "settled": 4,
    "doubted": False,
    "live": 2,
    "shares": 2.5,
    "now": "1796026521.409990",
    "closed": 0,
    "banned": 0.5,
    "reason": "over a request limit (429)",
    "in_a_row": [2, 0, 1],
}


def test_a_reply_is_read() -> None:
    assert read_reply(json.dumps(_REPLY).encode()) == Reply(
        granted="10",
        short={"weight/60": (1.5, 20), "group/300": (-1, 1)},
        taken={"weight/60": (29_933_775, 0, 12, 1, True)},
        used={"weight/60": 13},
        table=None,
        version="1796026521.174583",
        settled=4,
        doubted=False,
        live=2,
        shares=2.5,
        now="1796026521.409990",
        closed=0.0,
        banned=0.5,
        reason="over a request limit (429)",
        in_a_row=(2, 0, 1),
    )
    table = {"weight": ["fixed", [[60, 6000], [1, 300]]]}
    found = read_reply(json.dumps({**_REPLY, "table": table}))
    assert isinstance(found, Reply)
    assert found.limits == {"weight": {60: 6000, 1: 300}}
    assert read_reply('{"stale":true}') == "stale"
    assert read_reply('{"unknown":true}') == "unknown"


_WRONG: list[tuple[str, Any]] = [
    ("granted", "12"),
    ("granted", None),
    ("short", "none"),
    ("short", {"weight/60": [1.5]}),
    ("short", {"weight/60": [-2, 1]}),
    ("short", {"weight/60": [1, 1.5]}),
    ("taken", {"weight/60": [1, 0, 12, 1]}),
    ("taken", {"weight/60": [1, 0, 12, 1, "true"]}),
    ("taken", {"weight/60": [1, 0, "12", 1, True]}),
    ("used", {"weight/60": -1}),
    ("used", {"weight/60": True}),
    ("used", {"weight/60": 1e300}),
    ("table", {"weight": ["fixed", []]}),
    ("table", {"weight": ["fixed", [[0, 10]]]}),
    ("table", {"weight": ["fixed", [[60]]]}),
    ("table", "weight"),
    ("version", 17),
    ("settled", 1.5),
    ("doubted", 0),
    ("live", "2"),
    ("shares", 0),
    ("now", "yesterday"),
    ("now", "nan"),
    ("closed", -1),
    ("banned", None),
    ("reason", "x" * 1000),
    ("reason", "two\nlines"),
    ("in_a_row", [1, 2]),
    ("in_a_row", [1, 2, -1]),
]


@pytest.mark.parametrize(("name", "value"), _WRONG)
def test_a_wrong_value_is_named(name: str, value: object) -> None:
    with pytest.raises(ReplyError, match=name):
        read_reply(json.dumps({**_REPLY, name: value}))


@pytest.mark.parametrize("text", ["", "[]", "17", "\\x80", "{"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ReplyError):
        read_reply(text)
