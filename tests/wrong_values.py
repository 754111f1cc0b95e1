"""Values that people pass by mistake, wherever something is set: by argument or in a file."""

from __future__ import annotations

WRONG: dict[str, object] = {
    "True": True,
    "False": False,
    "0": 0,
    "1": 1,
    "-1": -1,
    "0.5": 0.5,
    "1e300": 1e300,
    "10**400": 10**400,
    "empty": "",
    "blank": " ",
    "surrogate": "\ud800",
    "huge": "a" * 100_000,
    "bytes": b"http://127.0.0.1:1",
    "list": [],
}
