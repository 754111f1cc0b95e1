"""Where a fact about Binance was read, when, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the facts about one endpoint, stream or pool were read.

    Attributes:
        document: Binance's document, as its readers call it.
        date: The day on which it was read.
        observed: What others saw that differs from the document, with the day; None where nothing does.
        uncertain: What the documents leave open; the SDK takes the reading that is refused less.
        parts: What of it was read elsewhere or on another day, by its name: a parameter (``limit``), a field
            (``AggTrade.trade_time``), an enum (``SymbolStatus``) or a limit (``weight``).
    """

    document: str
    date: date
    observed: str | None = None
    uncertain: tuple[str, ...] = ()
    parts: tuple[tuple[str, Provenance], ...] = ()
