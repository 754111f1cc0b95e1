"""What the names and hosts of ``markets.yaml`` have to keep to."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.documents import Document, Problem
from codegen.names import RESERVED_MARKETS, class_names, english_list, shadowing
from codegen.spec_model.explain import did_you_mean
from codegen.spec_model.markets import EnvironmentsFile, MarketsFile
from codegen.spec_model.spec import Spec


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
                hint = did_you_mean(host, known)
                text = f"environments.yaml has no `{host}`{hint or f'; it has {english_list(known)}'}"
                yield _problem(document, text, market, "hosts", host)


def check_endpoints(spec: Spec) -> Iterator[Problem]:
    """Every market has some, and its question to a host that was down is one that needs no argument."""
    document = next(document for document, file in spec.documents if file is spec.markets)
    for market, entry in spec.markets.markets.items():
        if not any(spec.of_market(market)):
            text = f"there is no endpoint below {market}/; write one there"
            yield _problem(document, text, market)
            continue
        if entry.probe is None:
            continue
        placed = spec.operations.get((market, entry.probe))
        if placed is None:
            known = sorted(name for scope, name in spec.operations if scope == market)
            hint = did_you_mean(entry.probe, known) or "; name one, or drop it"
            yield _problem(document, f"there is no endpoint `{entry.probe}`{hint}", market, "probe")
        elif needed := [wire for wire, parameter in placed.value.parameters.items() if parameter.required]:
            text = f"`{entry.probe}` needs {english_list(needed)}; name an endpoint that needs nothing"
            yield _problem(document, text, market, "probe")


def _problem(document: Document, text: str, market: str, *path: str) -> Problem:
    return Problem(document.file, document.line("markets", market, *path), f"{market}: {text}")
