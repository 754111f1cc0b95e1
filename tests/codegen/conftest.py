"""The tiny spec, ready to be broken, and one run of datamodel-code-generator for what many specs have alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import TinySpec

from codegen.rendering import render
from codegen.rendering.bundle import Bundle
from codegen.rendering.models import render_models

_RENDERS_ANEW = ("test_determinism", "test_tools")
"""What is about the run itself: that it gives the same again, and that it says what is missing."""
_MODELS: dict[tuple[str, str], str] = {}


@pytest.fixture
def tiny(tmp_path: Path) -> TinySpec:
    return TinySpec(tmp_path)


@pytest.fixture(autouse=True)
def _each_bundle_is_rendered_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests change one schema of the real spec, and ask for all its models.

    Processes that they start render by themselves.
    """

    def once(bundle: Bundle, header: str) -> str:
        # Everything there is in it, in its order.
        key = (repr(bundle), header)
        if key not in _MODELS:
            _MODELS[key] = render_models(bundle, header)
        return _MODELS[key]

    if request.module.__name__.rpartition(".")[2] not in _RENDERS_ANEW:
        monkeypatch.setattr(render, "render_models", once)
