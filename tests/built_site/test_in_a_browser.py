"""The site as a reader meets it: no error in the console, search, catalogue, copied code, and a narrow screen."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

NARROW = 390
"""Width of a phone, in pixels."""
WIDE = 1280
"""Width of a laptop."""


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and everything that goes wrong on it."""
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: _note_failure(wrong, request.url, request.failure))
    page.on("response", lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    return page, wrong


def _note_failure(wrong: list[str], url: str, failure: str | None) -> None:
    # Whatever a page still loads is broken off when the next one is opened.
    if failure != "net::ERR_ABORTED":
        wrong.append(f"{url}: {failure}")


HIDDEN = """() => [...document.querySelectorAll("article pre > code, article .md-typeset__scrollwrap")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => `${box.scrollWidth} pixels in a column of ${box.clientWidth}: ${box.innerText.slice(0, 60)}`)"""
"""Code and tables of which a reader does not see the right end; on a phone he has to move them to the side."""


def too_wide(page: Page, width: int) -> list[str]:
    """Whether a page that is open is wider than a screen."""
    page.set_viewport_size({"width": width, "height": 844})
    taken = page.evaluate("document.scrollingElement.scrollWidth")
    return [f"{taken} pixels wide on a screen of {width}"] if taken > width else []


def test_every_page_opens_without_an_error_and_fits_a_phone_and_a_laptop(
    context: BrowserContext, pages: list[str]
) -> None:
    page, wrong = watched(context)
    # What slides out of the way while a page is made wider is in the way for a moment.
    page.emulate_media(reduced_motion="reduce")
    faults = {}
    for name in pages:
        page.set_viewport_size({"width": NARROW, "height": 844})
        page.goto(f"/{name}", wait_until="load")
        told = too_wide(page, NARROW)
        if page.locator("h1").count() != 1:
            told.append(f"{page.locator('h1').count()} headings of the first level")
        # Loading is what takes the time: the same page is made wider. All of the reference is set alike, and long.
        if not name.startswith("reference/") or name == "reference/client.html":
            told += too_wide(page, WIDE)
            told += page.evaluate(HIDDEN)
        told += wrong
        wrong.clear()
        if told:
            faults[name] = told
    assert faults == {}
    assert len(pages) > 30


@pytest.mark.parametrize(
    ("words", "page"),
    [("order book", "order-books.html"), ("limits_url", "many-processes.html"), ("open_interest_hist", "catalogue/")],
)
def test_search_finds(context: BrowserContext, words: str, page: str) -> None:
    opened, wrong = watched(context)
    opened.goto("/index.html")
    opened.locator("[data-md-component=search-query]").fill(words)
    found = opened.locator(".md-search-result__link")
    expect(found.first).to_be_visible(timeout=20_000)
    assert any(page in (link.get_attribute("href") or "") for link in found.all()), words
    found.first.click()
    expect(opened.locator("h1")).to_be_visible()
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_are_readable_on_a_phone(context: BrowserContext, scheme: Literal["light", "dark"]) -> None:
    page, wrong = watched(context)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": NARROW, "height": 844})
    page.goto("/benchmarks.html")
    charts = page.locator("figure.chart svg")
    assert charts.count() > 5
    for drawn in charts.all():
        drawing = drawn.bounding_box()
        assert drawing is not None
        assert drawing["width"] <= NARROW
        # In pixels of the screen, after the drawing was made as narrow as the page.
        sizes = drawn.evaluate(
            """svg => {
                const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
                return [...svg.querySelectorAll("text")].map(
                    text => {
                        const box = text.getBBox();
                        return [parseFloat(getComputedStyle(text).fontSize) * scale, box.x + box.width];
                    }
                );
            }"""
        )
        assert min(size for size, _ in sizes) >= 9
        # Nothing is cut off at the right.
        assert max(end for _, end in sizes) <= drawn.evaluate("svg => svg.viewBox.baseVal.width")
    colours = charts.first.evaluate(
        "svg => [getComputedStyle(svg.querySelector('text')).fill, getComputedStyle(document.body).color]"
    )
    text, around = ([int(float(part)) for part in re.findall(r"[\d.]+", colour)[:3]] for colour in colours)
    assert text == around
    assert wrong == []


def test_what_a_setting_is_can_be_read_on_a_phone(context: BrowserContext) -> None:
    page, wrong = watched(context)
    page.set_viewport_size({"width": NARROW, "height": 844})
    page.goto("/settings.html")
    told = page.locator("article table").first.locator("td:nth-child(2)").first.bounding_box()
    assert told is not None
    assert told["x"] + told["width"] <= NARROW, "the column is cut off at the right"
    assert wrong == []


def test_an_entry_of_the_catalogue_is_reached_by_its_link(context: BrowserContext) -> None:
    page, wrong = watched(context)
    page.goto("/catalogue/index.html")
    page.locator("article a", has_text=re.compile("^(?:GET )?.*depth.*$")).first.click()
    expect(page.locator("article")).to_contain_text("/depth")
    expect(page.locator("article")).to_contain_text("250")
    assert wrong == []


def test_code_is_copied_as_it_stands(context: BrowserContext) -> None:
    page, wrong = watched(context)
    page.goto("/index.html")
    block = page.locator("div.highlight", has=page.locator("code")).first
    block.hover()
    block.locator("button.md-clipboard, button[data-md-type=copy], .md-code__button").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").inner_text().strip()
    assert "SyncBinanceClient" in copied
    assert wrong == []


def test_the_navigation_leads_to_every_guide(context: BrowserContext) -> None:
    page, wrong = watched(context)
    page.set_viewport_size({"width": WIDE, "height": 800})
    page.goto("/index.html")
    titles = page.locator(".md-nav--primary > .md-nav__list > .md-nav__item").all_inner_texts()
    assert titles
    page.locator(".md-tabs a", has_text="Guides").click()
    page.locator(".md-nav--primary a", has_text="Order books").first.click()
    expect(page.locator("h1")).to_contain_text("Order books")
    tabs = page.locator(".md-tabs__item")
    last = tabs.last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= WIDE, "a tab that nobody sees"
    assert wrong == []


def test_whoever_prefers_the_dark_gets_it(context: BrowserContext) -> None:
    page, wrong = watched(context)
    page.emulate_media(color_scheme="dark")
    page.goto("/index.html")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert wrong == []
