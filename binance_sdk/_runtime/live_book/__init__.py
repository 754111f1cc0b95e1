"""Order books that are kept true by a connection and by snapshots.

``update_decoder`` and ``book_reader`` bring the updates, ``snapshots`` fetches snapshots within a share of the weight,
``keeper`` joins both in one book, and ``reading``, ``changes`` and the ``*_books`` are what users hold.
"""
