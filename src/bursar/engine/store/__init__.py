"""Where rows live. `table` declares them, `base` is the seam, `sqlite` the first store."""

from bursar.engine.store.base import Rows, Store, Where
from bursar.engine.store.table import Amount, Key, Scalar, Table

__all__ = ["Amount", "Key", "Rows", "Scalar", "Store", "Table", "Where"]
