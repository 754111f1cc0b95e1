"""Reading a dataset back: frames of polars and pandas, Arrow tables, DuckDB, and the rows that REST answers."""
