"""Numscript, the language in which transactions of a ledger are written. Pure: no I/O, no clock, no other package."""
