"""Links of the built site: every page, file and heading that one leads to is there."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import binance_sdk

REPOSITORY = Path(__file__).parents[2]


class _Reader(HTMLParser):
    """What a page leads to, and what it can be led to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := known.get(name))}
        link = known.get({"a": "href", "link": "href", "img": "src", "script": "src"}.get(tag, ""))
        if link:
            self.links.append(link)


@cache
def read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def test_no_link_is_broken(site: Path, pages: list[str]) -> None:
    broken, followed = [], 0
    for name in pages:
        for link in read(site / name).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = target / "index.html" if target.is_dir() else target
            followed += 1
            if not target.resolve().is_file():
                broken.append(f"{name}: {link}: there is no such file")
            elif parts.fragment and target.suffix == ".html":
                ids = read(target.resolve()).ids
                if unquote(parts.fragment) not in ids:
                    broken.append(f"{name}: {link}: there is no such heading")
    assert not broken, "\n".join(broken)
    assert followed > 1000


def test_make_docs_fails_where_mkdocs_warns(tmp_path: Path) -> None:
    (recipe,) = re.findall(r"-m (mkdocs build.*)", (REPOSITORY / "Makefile").read_text("utf-8"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Top\n\n[away](gone.md)\n", encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text("site_name: try\nstrict: true\n", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", *shlex.split(recipe)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "gone.md" in ran.stderr


def test_a_broken_link_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<h1 id="top">Top</h1><a href="#top">up</a><a href="gone.html#x">away</a><img src="picture.svg">')
    found = read(page)
    assert found.links == ["#top", "gone.html#x", "picture.svg"]
    assert found.ids == {"top"}


def test_every_page_is_in_the_navigation(site: Path, pages: list[str]) -> None:
    led = {
        (site / unquote(urlsplit(link).path)).resolve()
        for link in read(site / "index.html").links
        if not urlsplit(link).scheme
    }
    lost = [name for name in pages if (site / name).resolve() not in led and name != "index.html"]
    assert not lost, f"no entry of the navigation leads to {', '.join(lost)}: add them to mkdocs.yml"


INTERNAL = {"binance_sdk.arithmetic", "binance_sdk.base_urls", "binance_sdk.cli"}
"""Modules that packages of ours share, and the command line, which has a page of its own."""
ELSEWHERE = {"binance_sdk.__version__", "binance_sdk.errors"}
"""Public names without an entry: the version, and a module with a page."""


def public_modules() -> list[str]:
    """The package and each module of it that says which of its names are public."""
    found = [f"binance_sdk.{module.name}" for module in pkgutil.iter_modules(binance_sdk.__path__)]
    named = [name for name in found if "._" not in name and name not in INTERNAL]
    return ["binance_sdk", *(name for name in named if hasattr(importlib.import_module(name), "__all__"))]


def stands_at(place: str) -> object:
    """What a module of ours has at a place of the reference; nothing for what belongs to a class."""
    module, _, name = place.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def missing_of(module: str, public: Iterable[str], there: set[str]) -> list[str]:
    """The public names of a module that no page of the reference has, there or where else the same thing is public."""
    places: dict[str, list[str]] = {}
    for place in there:
        places.setdefault(place.rpartition(".")[2], []).append(place)
    return [
        name
        for name in public
        if f"{module}.{name}" not in there
        and all(stands_at(place) is not stands_at(f"{module}.{name}") for place in places.get(name, ()))
    ]


def test_a_method_of_the_same_name_is_no_place_of_a_public_name() -> None:
    there = {"binance_sdk.books.LiveBook.fill", "binance_sdk.spot.Kline", "binance_sdk.verify.run.verify"}
    assert missing_of("binance_sdk.books", ["fill"], there) == ["fill"]
    assert missing_of("binance_sdk.verify", ["verify"], there) == []


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_has_its_place_in_the_reference(module: str, site: Path, pages: list[str]) -> None:
    there = {one for name in pages if name.startswith("reference/") for one in read(site / name).ids}
    public = [name for name in importlib.import_module(module).__all__ if f"{module}.{name}" not in ELSEWHERE]
    missing = missing_of(module, public, there)
    assert not missing, f"the reference lacks {', '.join(missing)} of {module}: add them to a page of docs/reference/"
