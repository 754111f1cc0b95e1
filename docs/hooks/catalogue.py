"""Adds the catalogue of endpoints and streams to the site, written from ``spec/`` when the site is built."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from codegen.load import load
from codegen.rendering.catalogue_pages import pages

SPEC = Path(__file__).parents[2] / "spec"
TITLE = "Catalogue"


@cache
def _pages() -> dict[str, str]:
    return pages(load(SPEC))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every page of it into the navigation."""
    nav: list[Any] = config.nav or []
    for entry in nav:
        if isinstance(entry, dict) and TITLE in entry:
            entry[TITLE] = list(_pages())
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages to those of the folder."""
    for path, text in _pages().items():
        files.append(File.generated(config, path, content=text))
    return files
