"""Pages that list all there are of something list each of them, and nothing else."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import fields
from importlib.metadata import metadata
from pathlib import Path

import pytest
import typer

from binance_sdk import Caps, RequestOptions, errors
from binance_sdk._arguments import VARIABLES
from binance_sdk.catalogue import MARKETS
from binance_sdk.cli.app import app
from binance_sdk.cli.exit_codes import ExitCode
from binance_sdk.cli.signals import TERMINATED
from binance_sdk.spot import AsyncSpotMarket, SyncSpotMarket
from codegen.load import load
from tests.docs import settings_table
from tests.pages import ROOT, blocks

SETTINGS = settings_table.PAGE.read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
ERRORS = (ROOT / "docs" / "errors.md").read_text("utf-8")


def test_the_table_of_settings_is_that_of_their_declaration() -> None:
    assert settings_table.filled(SETTINGS) == SETTINGS, "run `python -m tests.docs.settings_table`"
    assert SETTINGS.count("\n| <nobr>`") > len(settings_table.settings()) > 20


def test_every_environment_variable_is_on_the_page_of_settings() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "binance_sdk").rglob("*.py"))
    read = {*re.findall(r"\bBINANCE_[A-Z]+(?:_[A-Z]+)*\b", code)}
    assert read >= {*VARIABLES.values(), "BINANCE_SDK_LOG", "BINANCE_SDK_ARCHIVE_URL"}
    assert {*re.findall(r"\bBINANCE_[A-Z_]+\b", SETTINGS)} == read


@pytest.mark.parametrize("kind", [RequestOptions, Caps])
def test_every_option_of_a_call_and_every_cap_is_on_it(kind: type[RequestOptions] | type[Caps]) -> None:
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in SETTINGS] == []


def test_the_tree_of_errors_is_that_of_the_module() -> None:
    tree = re.search(r"tree\.\n\n(.*?)\n\n", errors.__doc__ or "", re.DOTALL)
    assert tree is not None
    shown = blocks("docs/errors.md", "text")[0].code
    assert shown.rstrip() == textwrap.dedent(tree[1]).replace("``", "")


def test_every_error_that_is_raised_has_a_remedy() -> None:
    known = {name: one for name, one in vars(errors).items() if inspect.isclass(one) and name.endswith("Error")}
    assert set(known) == set(errors.__all__)
    raised = {name for name, one in known.items() if not one.__subclasses__()}
    listed = set(re.findall(r"^\| <nobr>`(\w+Error)`</nobr> \|", ERRORS, re.MULTILINE))
    assert listed >= raised
    assert listed <= set(errors.__all__)


def test_every_command_is_on_the_page_of_the_command_line() -> None:
    known = getattr(typer.main.get_command(app), "commands", {})
    assert set(re.findall(r"^\| `binance-sdk (\w+)` \|", COMMAND_LINE, re.MULTILINE)) == set(known)


def test_every_exit_code_is_on_it() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", COMMAND_LINE, re.MULTILINE)] == [*ExitCode, TERMINATED]


def test_the_readme_counts_endpoints_and_streams() -> None:
    spec = load(ROOT / "spec")
    counts = [len(list(spec.of_market(market))) for market in spec.market_names]
    streams = sum(len(list(spec.streams_of(market))) for market in spec.market_names)
    beginnings = (f"**All {sum(counts)} public REST endpoints** ({counts[0]} spot, ", f"All {streams} market streams")
    assert [text for text in beginnings if text not in README] == [], "the README does not say this"
    told = re.search(r"All \d+ public REST endpoints\*\* \(([^)]*)\)", README)
    assert told is not None
    assert [int(number) for number in re.findall(r"\d+", told[1])] == counts


def test_the_readme_says_how_many_books_a_connection_has_room_for() -> None:
    told = re.search(r"order_books\(symbols\).*# one connection for up to (\d+) of them", README)
    assert told is not None
    assert {int(told[1])} == {facts.streams.streams_a_connection for facts in MARKETS.values()}


def test_the_readme_says_what_share_of_the_weight_snapshots_may_take() -> None:
    (told,) = re.findall(r"within `share=([\d.]+)` of the weight", README)
    for market in (AsyncSpotMarket, SyncSpotMarket):
        assert float(told) == inspect.signature(market.order_books).parameters["share"].default


def test_the_readme_tells_every_extra_that_users_install() -> None:
    told = {extra for found in re.findall(r"binance-market-sdk\[([^]]*)\]", README) for extra in found.split(",")}
    known = set(metadata("binance-market-sdk").get_all("Provides-Extra", []))
    # Those of this repository: its documentation, its generator, its tests; and the one that is all of them.
    assert told == known - {"all", "codegen", "dev", "docs", "test"}


def _headings(page: Path) -> set[str]:
    """What a link may name behind ``#``, as forges and the site make it of headings."""
    found = re.findall(r"^#+ +(.+?) *$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


# Links of pages in docs/ are looked at in the built site.
@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"])
def test_links_of_pages_outside_of_the_site_lead_somewhere(page: str) -> None:
    file = ROOT / page
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = file.parent / path if path else file
        if not target.exists() or (heading and heading not in _headings(target)):
            broken.append(link)
    assert broken == []


def test_the_readme_leads_to_the_guides() -> None:
    assert README.count("](docs/") > 20
