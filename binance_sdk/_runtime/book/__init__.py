"""The order book as a pure core, without IO and without a clock.

``rules``, ``messages``, ``levels``, ``state``, and what is read from them: ``reading`` and ``comparison``.
"""
