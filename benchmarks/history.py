"""History: a year of files to Parquet against bare libraries, millions of rows over REST, and their proof.

The archive is the simulator's, in a process of its own. REST is that of the judge, which counts by its own table.
"""

from __future__ import annotations

from typing import Any

from benchmarks._figures import Figure
from benchmarks._history_archive import figures_of_archive
from benchmarks._history_rest import figures_of_rest


def run(options: Any) -> list[Figure]:
    """All figures of history."""
    return [*figures_of_archive(), *figures_of_rest(options.rows)]
