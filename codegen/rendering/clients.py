"""The modules of ``binance_sdk`` that compose the client: written from the settings and the markets, beside
``_generated`` because they stand above the runtime."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from codegen.names import english_list, pascal
from codegen.rendering import words
from codegen.rendering.books import BookView, book_view
from codegen.rendering.client_settings import Setting, client_settings
from codegen.rendering.docstrings import LINE_LENGTH
from codegen.rendering.render import MARK, formatted, jinja_environment
from codegen.spec_model.spec import Spec

_INDENT = 8


@dataclass(frozen=True)
class MarketView:
    """A market as the templates need it."""

    name: str
    title: str
    """As it begins a sentence."""
    description: str
    """Laid out as a paragraph of a docstring."""
    class_name: str
    exchange_info_weight: str
    """Empty where the spec does not tell the rules of its symbols."""
    book: BookView | None


@dataclass(frozen=True)
class PoolView:
    """A pool as ``Caps`` needs it."""

    name: str
    doc: str
    """The line of its cap in the docstring."""


@dataclass(frozen=True)
class KindView:
    """One of the two clients."""

    sync: bool
    prefix: str
    client: str
    core: str
    settings: tuple[Setting, ...]
    arguments: str
    """The section ``Args:`` of the docstring."""


def render_clients(spec: Spec) -> dict[str, bytes]:
    """Every file below ``binance_sdk`` that is generated outside ``_generated``, by name."""
    settings = tuple(client_settings(spec.market_names, described_environments(spec)))
    markets = [_market(spec, market) for market in spec.market_names]
    pools = [_pool(spec, pool) for pool in spec.markets.pools]
    environment = jinja_environment()
    kinds = [_kind(settings, sync=False), _kind(settings, sync=True)]
    common = {"header": MARK, "settings": settings, "markets": markets, "kinds": kinds}
    files = {
        "client.py": environment.get_template("client.py.j2").render(common),
        "_arguments.py": environment.get_template("arguments.py.j2").render(
            common, environments=list(spec.environments.environments)
        ),
        "_caps.py": environment.get_template("caps.py.j2").render(common, pools=pools),
        "_limits.py": environment.get_template("limits.py.j2").render(common),
    }
    for market in markets:
        files[f"{market.name}.py"] = environment.get_template("public_market.py.j2").render(common, market=market)
        files[f"_markets/{market.name}.py"] = environment.get_template("market.py.j2").render(common, market=market)
    return formatted(files)


def described_environments(spec: Spec) -> dict[str, str]:
    """Names with what each is, as it stands in brackets behind the name; the first is the default."""
    found: dict[str, str] = {}
    for name, environment in spec.environments.environments.items():
        what = environment.description.partition(". ")[0].rstrip(".")
        found[name] = what[0].lower() + what[1:]
    return found


def _market(spec: Spec, market: str) -> MarketView:
    placed = spec.operations.get((market, "exchange_info"))
    weight = ""
    if placed is not None and spec.entry(market).symbols is not None:
        weight = words.weight(placed.value.weight, placed.value)
    entry = spec.entry(market)
    about = textwrap.fill(entry.description, LINE_LENGTH, initial_indent=" " * _INDENT, subsequent_indent=" " * _INDENT)
    return MarketView(market, entry.title, about, pascal(market), weight, book_view(spec, market))


def _pool(spec: Spec, pool: str) -> PoolView:
    titles = [entry.title for entry in spec.markets.markets.values() if entry.pool == pool]
    whose = f"{english_list(titles)}{' together' if len(titles) > 1 else ''}"
    return PoolView(pool, "\n".join(_wrapped(f"{pool}_weight_per_minute: Request weight of {whose}, from 1 on.")))


def _kind(settings: tuple[Setting, ...], *, sync: bool) -> KindView:
    return KindView(
        sync=sync,
        prefix="Sync" if sync else "Async",
        client="SyncBinanceClient" if sync else "BinanceClient",
        core="BlockingCore" if sync else "AsyncCore",
        settings=settings,
        arguments="\n".join(_described(setting, sync=sync) for setting in settings),
    )


def _described(setting: Setting, *, sync: bool) -> str:
    return "\n".join(_wrapped(f"{setting.name}: {setting.described(sync=sync)}"))


def _wrapped(text: str) -> Iterable[str]:
    return textwrap.wrap(
        text,
        LINE_LENGTH,
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * (_INDENT + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
