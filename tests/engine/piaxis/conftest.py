"""A fresh sandbox rail for each test."""

from collections.abc import Iterator

import pytest

from tests.engine.piaxis.rail import Rail


@pytest.fixture
def rail() -> Iterator[Rail]:
    with Rail() as sandbox:
        yield sandbox
        # Whatever a test did: the book must be right afterwards (B16, PS112).
        assert sandbox.damages() == []
