"""Prometheus metrics of clients; needs the extra ``metrics``.

    from binance_sdk.metrics import instrument

    client = BinanceClient()
    instrument(client)
    prometheus_client.start_http_server(9000)

Everything that happens is counted as it happens; whatever is a state (limits, gate, circuit breakers, streams, books,
the store) is read when Prometheus asks. There is no timer, and no label is a symbol unless you ask for it.
"""

from binance_sdk.metrics.instrumentation import Instrumentation, instrument

__all__ = ["Instrumentation", "instrument"]
