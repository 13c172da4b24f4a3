"""The recorded answers of the real auth service, but for the differences that docs/fidelity.md explains."""

import pytest

from tests.recorded import TRANSCRIPTS
from tests.server.ledger.test_replay import replay

RECORDINGS = [path for path in replay.recordings() if path.stem.startswith("auth_")]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_answers_are_those_of_the_real_service(path):
    result = replay.play(path)
    assert not replay.complaints(result, replay.listed())
    assert result.agreed


def test_there_are_recordings():
    if not RECORDINGS:
        pytest.skip(f"no recordings in {TRANSCRIPTS} (BURSAR_SHARED): no recorded answer was compared")
    assert len(RECORDINGS) == 2
