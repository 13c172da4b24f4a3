"""Bursar: move money from Python."""

__version__ = "0.1.0"
