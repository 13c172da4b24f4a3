"""Every bound of the language in one place; passing one is always an error of the script, never of the process."""

from typing import Final

SCRIPT_CHARS: Final = 100_000
"""Longest script."""

NESTING: Final = 64
"""Deepest nesting of blocks, parentheses and signs; each operator of one expression counts too."""

DIGITS: Final = 1_000
"""Most digits of a number, written or given as a variable."""

ACCOUNT_CHARS: Final = 4_096
"""Longest account name put together from variables."""

PORTION_BITS: Final = 10_000
"""Most bits of the common denominator of one allotment."""

SCALE: Final = 100
"""Largest scale (digits after the point) that asset scaling converts from or to."""

WORK: Final = 1_000_000
"""Most units of the work that can grow faster than the script: copies for `oneof`, rows looked at by scaling."""

PROBLEMS: Final = 100
"""Most lexical and syntax problems told about one script."""

CACHED_SCRIPTS: Final = 1_024
"""Most parsed scripts kept."""

CACHED_CHARS: Final = 2_000_000
"""Most characters of source of the parsed scripts kept."""
