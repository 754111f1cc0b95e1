"""Runs the blocks of a page one after the other, as a reader would who pastes them into a notebook."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from collections.abc import Mapping
from typing import Any

from tests.pages import Block, start

_MOST = 3
"""Rounds of an ``async for`` over what never ends, or would take too long."""


class _FewRounds(ast.NodeTransformer):
    """Ends every ``async for`` after a few rounds: those of readers go on until they stop them."""

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        self.generic_visit(node)
        few = ast.Call(ast.Name("_few", ast.Load()), [node.iter], [])
        return ast.copy_location(ast.AsyncFor(node.target, few, node.body, node.orelse, node.type_comment), node)


async def _few(items: Any) -> Any:
    count = 0
    try:
        async for item in items:
            yield item
            count += 1
            if count == _MOST:
                return
    finally:
        # Whoever leaves the loop of an iterator ends it; nobody else knows a generator that was made for the loop.
        if inspect.isasyncgen(items):
            await items.aclose()


_OUTPUT = re.compile(r"#\s(?P<text>\d+|[a-z_]+\.[a-z_]+ -\d+ .*?|.+(?= \.\.\.$))(?: \.\.\.|, .*)?:?$")
"""A comment that says what is printed: a number, the code and message of an error, or a text that ends in ``...``."""


def check_outputs(block: Block, printed: Mapping[int, str]) -> None:
    """What comments beside or above a ``print`` say is what it prints, or how that begins.

    Args:
        block: The block that was run.
        printed: What was printed first by each line of the page.
    """
    lines = block.code.splitlines()
    for number, line in enumerate(lines):
        comment = _OUTPUT.search(line)
        at = number if "print(" in line else number + 1
        if comment and at < len(lines) and "print(" in lines[at]:
            found = printed.get(block.line + at, "nothing")
            assert f"{found} ".startswith(f"{comment['text']} "), f"{block.page}:{block.line + at}: it prints {found}"


def run(block: Block, names: dict[str, Any]) -> None:
    """Run one block; a page's blocks share their names. Top-level ``await`` is allowed."""
    tree = ast.fix_missing_locations(_FewRounds().visit(ast.parse("\n" * (block.line - 1) + block.code)))
    names["_few"] = _few
    printed: dict[int, str] = {}
    names["print"] = lambda *values, **_: printed.setdefault(sys._getframe(1).f_lineno, " ".join(map(str, values)))
    running = start(tree, names, block.page)
    if running is not None:
        loop: asyncio.AbstractEventLoop = names["_loop"]
        loop.run_until_complete(asyncio.wait_for(running, 60))
    check_outputs(block, printed)
