"""What mistakes are made of a module, and that they are all of one kind: small, and still Python."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from .mutations import mutants

ROOT = Path(__file__).parents[2]


def after(code: str) -> list[str]:
    """The lines that take the place of one in a function, in the order they are made."""
    source = "def f(self, a, b, c, rows):\n" + textwrap.indent(code, "    ") + "\n"
    return [mutant.after for mutant in mutants("m.py", source.encode())]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("return a < b", ["return a <= b"]),
        ("return a is not b", ["return a is b"]),
        ("return a not in rows", ["return a in rows"]),
        ("return a + b", ["return a - b"]),
        ("return rows[0]", ["return rows[1]"]),
        ("return a and b", ["return ((b))", "return ((a))", "return a or b"]),
        ("return not a", ["return (a)"]),
        ("return min(a, b)", ["return max(a, b)", "return (a)", "return (b)"]),
        ("return a if b else c", ["return (a)", "return (c)"]),
        ("return [row for row in rows if row]", ["return [row for row in rows if True]"]),
        ("self.count += a", ["pass", "self.count -= a"]),
        ("self.rows.append(a)", ["pass"]),
        ("self.last = a", ["pass"]),
        ("with self.lock:\n    self.last = a", ["if True:", "pass"]),
        ("raise ValueError(f'{a} is above {b + 1}')", ["pass"]),
        ("while a:\n    break", ["pass"]),
        ("return", ["pass"]),
        # A local name that is missing is noticed by anything, and words are no behaviour.
        ("found = a", []),
        ("assert a < b", []),
        ("value: int | None = a", []),
        ("'''A docstring: 1 + 1.'''", []),
        ("return f'{a + 1}'", []),
    ],
)
def test_what_is_made_of_a_line(code: str, expected: list[str]) -> None:
    assert after(code) == expected


def test_a_figure_of_the_module_is_made_ten_times_as_large_and_one_of_a_function_one_more() -> None:
    made = mutants("m.py", b"LIMIT = 300\nNONE = 0\n\n\ndef f(size=100):\n    return size + 2.5\n")
    assert [mutant.after for mutant in made] == [
        "LIMIT = 3000",
        "NONE = 1",
        "def f(size=1000):",
        "return size - 2.5",
        "return size + 5.0",
    ]
    assert [mutant.function for mutant in made] == ["", "", "", "f", "f"]


def test_a_mutant_knows_its_place_and_the_lines_that_notice_it() -> None:
    source = (
        b'class Window:\n    def take(self, a):\n        self.rows.append(\n            "\xc3\xa9", a + 1\n        )\n'
    )
    found = [(mutant.function, mutant.line, mutant.before, mutant.lines) for mutant in mutants("m.py", source)]
    assert found == [
        ("Window.take", 3, "self.rows.append(", range(3, 6)),
        ("Window.take", 4, '"é", a + 1', range(3, 6)),
        ("Window.take", 4, '"é", a + 1', range(3, 6)),
    ]


@pytest.mark.parametrize("folder", ["binance_sdk/_runtime/budget", "binance_sdk/_runtime/calls"])
def test_every_mutant_is_python_and_no_two_are_the_same(folder: str) -> None:
    for file in sorted((ROOT / folder).rglob("*.py")):
        made = mutants(file.name, file.read_bytes())
        sources = {mutant.source for mutant in made}
        assert len(sources) == len(made)
        assert file.read_bytes() not in sources
        for mutant in made[:: max(1, len(made) // 20)]:
            ast.parse(mutant.source)
