"""JSON as Binance sends it: compact, and with the characters themselves instead of escapes."""

from __future__ import annotations

import json


def json_text(body: object) -> bytes:
    """The JSON of anything that JSON can hold."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
