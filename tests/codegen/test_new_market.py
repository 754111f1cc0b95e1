"""CONTRIBUTING's "add a market", followed in a copy: no line of Python is written for a market but this test's."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest
from project import Project

from tests.pages import blocks

HERE = Path(__file__).parent / "new_market"

_AROUND = """
from decimal import Decimal
from binance_sdk.simulator import Simulator
{body}
print("followed")
"""


def steps(kind: str) -> list[tuple[str, str]]:
    """Where something goes, and what, in the order of the page."""
    # Parts of a file are indented on the page as they are there.
    found = blocks("CONTRIBUTING.md", mark=kind)
    return [(block.place, textwrap.dedent(block.code).removesuffix("\n")) for block in found]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("new_market"))
    for where, body in steps("market"):
        file, _, section = where.partition(" ")
        path = project.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{body}\n" if not section else in_section(path.read_text(encoding="utf-8"), section, body)
        path.write_text(text, encoding="utf-8")
    project.generate()
    return project


def in_section(text: str, section: str, body: str) -> str:
    """``text`` with a block at the end of a section."""
    begin = re.search(rf"^{section}:\n", text, re.MULTILINE)
    assert begin is not None
    following = re.compile(r"^\w", re.MULTILINE).search(text, begin.end())
    end = len(text) if following is None else following.start()
    return f"{text[:end]}{textwrap.indent(body, '  ')}\n{text[end:]}"


def test_the_page_as_written(project: Project) -> None:
    ((_, body),) = steps("market-python")
    assert project.run("-W", "error", "-c", _AROUND.format(body=body)) == "followed\n"


def test_the_market_works_async_and_sync(project: Project) -> None:
    shutil.copy(HERE / "use.py", project.root)
    assert project.run("-W", "error", "use.py") == "used\n"


def test_the_command_line_knows_it(project: Project) -> None:
    assert "quote" in project.run("-m", "binance_sdk", "operations", "metals")
