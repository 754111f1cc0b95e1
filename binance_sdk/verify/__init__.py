"""Compares the exchange, as it answers now, with what the spec says of it.

``verify`` asks every endpoint and listens to every stream, inside the budget of this address, and gives back a
``Report``: what is different, with what the spec says and what was seen, and what could not be judged, with the reason.
``binance-sdk verify`` is the same on the command line:

    report = await verify(VerifySettings(environment="mainnet", only="spot.klines"))
    print(report.as_markdown())
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from binance_sdk.verify.finding import KINDS, Finding, NotJudged, severity_of
    from binance_sdk.verify.market_spec import MarketSpec
    from binance_sdk.verify.report import Report
    from binance_sdk.verify.run import DryRun, VerifySettings, dry_run, verify

__all__ = [
    "KINDS",
    "DryRun",
    "Finding",
    "MarketSpec",
    "NotJudged",
    "Report",
    "VerifySettings",
    "dry_run",
    "severity_of",
    "verify",
]

_HOMES = {
    "KINDS": "finding",
    "DryRun": "run",
    "Finding": "finding",
    "MarketSpec": "market_spec",
    "NotJudged": "finding",
    "Report": "report",
    "VerifySettings": "run",
    "dry_run": "run",
    "severity_of": "finding",
    "verify": "run",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: who only wants the words for a difference needs no engine."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
