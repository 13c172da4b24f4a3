"""`python -m tests.model`: see `tests.model.campaign`."""

import sys

from tests.model.campaign import main

if __name__ == "__main__":
    sys.exit(main())
