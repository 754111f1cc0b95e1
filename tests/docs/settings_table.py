"""``python -m tests.docs.settings_table``: writes the table of settings into its page, from their one declaration."""

from __future__ import annotations

import re

from codegen.load import load
from codegen.rendering.client_settings import Setting, client_settings
from codegen.rendering.clients import described_environments
from tests.pages import ROOT

PAGE = ROOT / "docs" / "settings.md"
_TABLE = re.compile(r"(?<=<!--settings-->\n).*?(?=<!--/settings-->)", re.DOTALL)


def settings() -> list[Setting]:
    spec = load(ROOT / "spec")
    return list(client_settings(spec.market_names, described_environments(spec)))


def filled(page: str) -> str:
    """The page with the table as the declaration says it."""
    lines = ["", "| setting, default | what it is |", "|---|---|", *map(_line, settings()), "", ""]
    return _TABLE.sub(lambda _: "\n".join(lines), page)


def _line(setting: Setting) -> str:
    told = setting.described(sync=False)
    if setting.sync_type:
        told += f" ``SyncBinanceClient`` takes ``{setting.sync_type.removesuffix(' | None')}``."
    elif setting.sync_doc:
        told += f" In ``SyncBinanceClient``: {setting.described(sync=True)}"
    told = told.replace("``", "`").replace("|", r"\|")
    return f"| <nobr>`{setting.name}`</nobr><br>`{setting.default}` | {told} |"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
