"""The catalogue of the documentation: every endpoint and stream is on it, with what a caller asks first."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from binance_sdk.catalogue import CATALOGUE, STREAMS, fixture, source_of
from binance_sdk.cli.operations import documented
from codegen.load import load
from codegen.rendering.catalogue_pages import pages, shortened, written
from tests.pages import blocks_of

REPOSITORY = Path(__file__).parents[2]
PAGES = pages(load(REPOSITORY / "spec"))


def section(page: str, name: str) -> str:
    """What stands below a heading, up to the next of its level."""
    found = re.search(rf"^(##+) {name} {{ #[\w-]+ }}\n(.*?)(?=^\1 |\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no {name}"
    return found[2]


def test_every_endpoint_is_there_with_weight_parameters_hosts_and_source() -> None:
    contents = PAGES["catalogue/index.md"]
    for operation in CATALOGUE.operations:
        text = section(f"catalogue/{operation.market}.md", operation.name)
        summary, weight = documented(operation)
        assert summary in text
        assert f"- Weight: {weight}." in text.replace("`", "")
        assert f"`GET {operation.path}`" in text
        assert all(host in text for host in operation.hosts)
        for parameter in operation.parameters:
            assert f"\n| `{parameter.name}` | " in text
        source = source_of(operation)
        assert f"Source: {source.document}; as of {source.date.isoformat()}." in text
        assert f"[`{operation.name}`]({operation.market}.md#{operation.name})" in contents
        assert text.count("??? example") == sum(len(variant.fixtures) for variant in operation.variants)


def test_every_stream_is_there_with_its_name_parameters_and_source() -> None:
    contents = PAGES["catalogue/index.md"]
    for stream in STREAMS:
        text = section(f"catalogue/{stream.market}_streams.md", stream.name)
        assert f"`{stream.pattern}`" in text
        for parameter in stream.parameters:
            assert f"\n| `{parameter.name}` | " in text
        source = source_of(stream)
        assert f"Source: {source.document}; as of {source.date.isoformat()}." in text
        assert f"[`{stream.name}`]({stream.market}_streams.md#{stream.name})" in contents


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere_and_no_anchor_is_there_twice(page: str) -> None:
    anchors = {name: re.findall(r"\{ #([\w-]+) \}$", text, re.MULTILINE) for name, text in PAGES.items()}
    assert len(set(anchors[page])) == len(anchors[page]) > 0
    for target, anchor in re.findall(r"\]\(([\w.]*)#([\w-]+)\)", PAGES[page]):
        assert anchor in anchors[f"catalogue/{target}" if target else page]


@pytest.mark.parametrize("page", PAGES)
def test_a_cell_is_one_cell(page: str) -> None:
    """A bar that is not escaped would begin another one."""
    rows = [line for line in PAGES[page].splitlines() if line.startswith("|")]
    assert rows
    assert [row for row in rows if len(re.findall(r"(?<!\\)\|", row)) != 3] == []


def test_the_fields_of_an_answer_are_told_with_type_and_meaning() -> None:
    kline = section("catalogue/spot.md", "Kline")
    assert "| `close` | `decimal`, position 4<br>Last price; the latest one while the bar is open. |" in kline
    trade = section("catalogue/futures.md", "AggTrade")
    assert "| `normal_qty` | `decimal`, may be absent, `nq` on the wire<br>" in trade
    assert "[`PriceLevel`](#schema-PriceLevel)" in section("catalogue/spot.md", "OrderBook")


def test_examples_are_json_with_short_lists_and_whole_rows() -> None:
    value = json.loads(fixture("spot", "klines"))
    assert len(value) == 3
    assert shortened(value) == value[:2]
    assert json.loads(written(shortened(value))) == value[:2]
    assert max(map(len, written(shortened(value)).splitlines())) <= 72
    for text in PAGES.values():
        for block in blocks_of(text):
            if block.language == "json":
                json.loads(block.code)


def test_the_site_gets_the_pages_and_their_places_in_the_navigation() -> None:
    files = pytest.importorskip("mkdocs.structure.files")
    config = pytest.importorskip("mkdocs.config").load_config(str(REPOSITORY / "mkdocs.yml"))
    module = importlib.util.spec_from_file_location("hook", REPOSITORY / "docs" / "hooks" / "catalogue.py")
    assert module is not None
    assert module.loader is not None
    hook: Any = importlib.util.module_from_spec(module)
    module.loader.exec_module(hook)
    # As mkdocs does while it runs a hook.
    config.plugins._current_plugin = "catalogue"
    found = hook.on_files(files.Files([]), config=config)
    assert {file.src_uri: file.content_string for file in found} == PAGES
    assert {"Catalogue": list(PAGES)} in hook.on_config(config).nav
