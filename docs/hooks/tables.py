"""Lets code in a table go on in the next line between names and words, so that no column is pushed out of sight."""

from __future__ import annotations

import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

_CELL = re.compile(r"<td.*?</td>", re.DOTALL)
_CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")
_BETWEEN_NAMES = re.compile(r"(?<=[(\[{])(?=[^)\]}])|(?<=[\w)\]])(?=\.[A-Za-z_])")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9]_)(?=[a-z0-9])|(?<=[a-z])(?=[A-Z])")


def breakable(page: str) -> str:
    """The page with ``<wbr>`` where code in a cell may go on in the next line; what is copied stays the same.

    Between the words of a name that is ``<wbr class="narrow">``, which wide screens do without: see ``site.css``.
    """
    return _CELL.sub(lambda cell: _CODE.sub(lambda code: _marked(code[0]), cell[0]), page)


def _marked(code: str) -> str:
    names = _BETWEEN_NAMES.split(code)
    return "<wbr>".join(_BETWEEN_WORDS.sub('<wbr class="narrow">', name) for name in names)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mark them in every table."""
    return breakable(html)
