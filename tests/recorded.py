"""Where recordings of real services and language corpora are, which are not part of this repository.

`BURSAR_SHARED` names the directory; by default it is `shared` beside the checkout. Tests that need it say so when it
is not there.
"""

import os
from pathlib import Path

SHARED = Path(os.environ.get("BURSAR_SHARED") or Path(__file__).resolve().parents[2] / "shared")
TRANSCRIPTS = SHARED / "transcripts"
CORPUS = SHARED / "corpus"
