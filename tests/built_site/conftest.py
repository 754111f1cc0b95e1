"""The site that ``make docs`` has built, a server for it, and Debian's chromium."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.loopback_server import LoopbackServer

SITE = Path(__file__).parents[2] / "site"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Nothing: a failed request is an assertion of the tests."""


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if not (SITE / "index.html").is_file():
        pytest.skip("no site was built: make docs builds it and runs these tests")
    return SITE


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """Every page, from the root of the site."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [name for name in found if name != "404.html"]


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with LoopbackServer(handler) as server:
        yield server.url


# Not kept for the whole session: as long as it is there an event loop runs in this thread, and asyncio refuses another.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, who runs it in containers and in CI.
        root = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=root)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A fresh profile that reaches nothing but the site."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], base_url=address)
    foreign: list[str] = []

    def only_here(route: object) -> None:
        request = route.request  # type: ignore[attr-defined]
        if request.url.startswith(address):
            route.continue_()  # type: ignore[attr-defined]
        else:
            foreign.append(request.url)
            route.abort()  # type: ignore[attr-defined]

    context.route("**/*", only_here)
    yield context
    context.close()
    assert foreign == [], "the site asks other hosts"
