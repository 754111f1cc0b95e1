"""Draws the charts of the page on benchmarks from ``benchmarks/results.json`` when the site is built."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from benchmarks._charts import with_charts
from benchmarks._results import recorded


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put charts where the page asks for them."""
    return with_charts(markdown, recorded())
