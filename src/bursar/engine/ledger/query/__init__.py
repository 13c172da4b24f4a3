"""Reads of a ledger: filters, pages, points in time. Every list becomes one SQL query of the store."""
