"""The option that chooses an environment, which many commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from binance_sdk.catalogue import CATALOGUE


def complete_environment(incomplete: str) -> list[str]:
    """Known environments."""
    return [name for name in CATALOGUE.environments if name.startswith(incomplete)]


EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        help=f"One of {', '.join(CATALOGUE.environments)}.",
        show_default=f"BINANCE_SDK_SIMULATOR or BINANCE_SDK_ENVIRONMENT, else {next(iter(CATALOGUE.environments))}",
        autocompletion=complete_environment,
    ),
]
