"""What the names and hosts of ``markets.yaml`` have to keep to."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.documents import Document, Problem
from codegen.names import RESERVED_MARKETS, class_names, english_list, shadowing
from codegen.spec_markets import EnvironmentsFile, MarketsFile


def check_markets(document: Document, file: MarketsFile, environments: EnvironmentsFile | None) -> Iterator[Problem]:
    """Every market whose name or hosts cannot be, at its line."""
    classes: dict[str, str] = {}
    for market, entry in file.markets.items():
        reason = shadowing(market)
        if reason is None and market in RESERVED_MARKETS:
            reason = "is that of something else in the package, the client or the spec"
        if reason is not None:
            yield _problem(document, f"the name {reason}; choose another one", market)
        for name in class_names(market):
            other = classes.setdefault(name, market)
            if other != market:
                yield _problem(document, f"its class {name} is one of `{other}` too; choose another name", market)
                break
        known = None if environments is None else list(environments.environments)
        for host in entry.hosts:
            if known is not None and host not in known:
                text = f"environments.yaml has no `{host}`; it has {english_list(known)}"
                yield _problem(document, text, market, "hosts", host)


def _problem(document: Document, text: str, market: str, *path: str) -> Problem:
    return Problem(document.file, document.line("markets", market, *path), f"{market}: {text}")
