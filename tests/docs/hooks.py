"""The hooks of the site, loaded by their paths as MkDocs does."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest

from tests.pages import ROOT


def hook(name: str) -> ModuleType:
    """The hook of this name; the test is skipped where MkDocs is not installed."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed: pip install mkdocs-material")
    found = importlib.util.spec_from_file_location(f"{name}_hook", ROOT / "docs" / "hooks" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module
