"""What the generated docstrings say, read as somebody who knows Python's names only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

GENERATED = Path(__file__).parents[2] / "binance_sdk" / "_generated"
_WIRE_NAME = re.compile(r"(?<![\w.@/{!])[a-z]+[A-Z]\w*")


def _docstrings(file: Path) -> list[str]:
    return [
        node.value.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]


def test_no_docstring_calls_a_field_or_an_argument_as_the_wire_does() -> None:
    found = {
        (file.relative_to(GENERATED).as_posix(), name)
        for file in GENERATED.rglob("*.py")
        for text in _docstrings(file)
        # What stands between backticks was written so on purpose: a path, the name of a stream, a value.
        for name in _WIRE_NAME.findall(re.sub(r"`[^`]*`", "", text))
    }
    assert found == set()


def test_the_classes_of_methods_name_every_error_of_a_call() -> None:
    for market in ("spot", "futures", "coin_futures"):
        calls, streams = (
            next(text for text in _docstrings(GENERATED / market / file) if "Raises:" in text)
            for file in ("api.py", "streams.py")
        )
        errors = "ParameterError ConfigError BudgetError CircuitOpenError APIError APIConnectionError DecodeError"
        assert re.findall(r"^ +(\w+): ", calls, re.MULTILINE) == errors.split()
        assert re.findall(r"^ +(\w+): ", streams, re.MULTILINE) == [
            "ParameterError",
            "ConfigError",
            "StreamError",
            "APIError",
        ]
