"""Pages as tests read them: their fenced blocks, and how Python in one of them is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"^(?: *<!-- (?P<mark>[^\n]*?) -->\n\s*^)?"
    r"(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)``` *$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The page, from the root of the repository.
        line: Its first line of code.
        language: What stands behind the fence; empty where nothing does.
        code: What stands in it, not indented.
        mark: What the comment right before it says, for tests: ``file`` of ``<!-- file: a.py -->``; empty without one.
        place: What follows the mark's colon: mostly a file.
    """

    page: str
    line: int
    language: str
    code: str
    mark: str = ""
    place: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """Every page that readers are sent to."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "adapters").rglob("*.md"))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def blocks(page: str, language: str | None = None, *, mark: str | None = None) -> list[Block]:
    """The blocks of a page, in its order: all of them, or those of a language or with a mark."""
    found = blocks_of((ROOT / page).read_text(encoding="utf-8"), page)
    return [block for block in found if language in (None, block.language) and (mark is None or block.mark == mark)]


def blocks_of(text: str, page: str = "") -> list[Block]:
    """Every block of a text."""
    found: list[Block] = []
    for match in _BLOCK.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] if line.strip() else "\n" for line in match["code"].splitlines(keepends=True))
        mark, _, place = (match["mark"] or "").partition(":")
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(page, line, match["language"], code, mark, place.strip()))
    return found


def commands(page: str, program: str) -> Iterator[tuple[int, str]]:
    """Lines of blocks that call a program, continued ones as one, without the remark behind them."""
    for block in blocks(page):
        if block.language in ("", "bash", "console", "shell", "sh", "text"):
            code = block.code.replace("\\\n", " ")
            for number, line in enumerate(code.splitlines()):
                said = re.sub(r"\s+# .*", "", line.strip().removeprefix("$ "))
                if said.split(" ")[0] == program:
                    yield block.line + number, said


def start(code: str | ast.Module, names: dict[str, Any], page: str = "page") -> Coroutine[Any, Any, None] | None:
    """Run code, as a notebook does: where it has an ``await`` outside of functions, the caller has to await it."""
    running: Coroutine[Any, Any, None] | None = eval(
        compile(code, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names
    )
    return running


async def run_python(code: str | ast.Module, names: dict[str, Any], page: str = "page") -> None:
    """Run code in the event loop that is running."""
    running = start(code, names, page)
    if running is not None:
        await running
