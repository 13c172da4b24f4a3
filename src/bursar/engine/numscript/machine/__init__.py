"""The older runtime of the ledger: the same trees, a stricter grammar, checks before the run, and other funds rules.

Read `parser` (what may be written), then `compiler` (what is refused), then `runtime` (what it does).
"""
