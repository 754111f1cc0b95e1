"""How many retries one IP address can afford."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from binance_sdk._runtime.locks import new_lock


@dataclass
class RetryQuota:
    """Tokens: a retry costs one and a success earns a part of one, so that retries do not multiply an outage."""

    size: float = 100.0
    earned: float = 0.5
    tokens: float = field(default=100.0)
    _lock: threading.Lock = field(default_factory=new_lock)

    def spend(self) -> bool:
        with self._lock:
            if self.tokens < 1.0:
                return False
            self.tokens -= 1.0
            return True

    def earn(self) -> None:
        with self._lock:
            self.tokens = min(self.size, self.tokens + self.earned)
