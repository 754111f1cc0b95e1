"""How much memory a process takes."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path


def resident() -> float:
    """MiB of this process; where the system does not tell it simply, what Python itself has in use."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return float(sys.getallocatedblocks()) / 2**14
