"""Where Prometheus's own checker is."""

from __future__ import annotations

import shutil

import pytest

_FOUND = shutil.which("promtool")
PROMTOOL = _FOUND or "promtool"
needs_promtool = pytest.mark.skipif(_FOUND is None, reason="promtool is not installed: apt-get install prometheus")
