"""The recorded answers of the real services, but for the differences that docs/fidelity.md explains."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.recorded import TRANSCRIPTS

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "replay.py"


def _replay():
    spec = importlib.util.spec_from_file_location("replay", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["replay"] = module
    spec.loader.exec_module(module)
    return module


replay = _replay()
RECORDINGS = [path for path in replay.recordings() if path.stem.startswith("ledger_")]


def test_there_are_recordings():
    if not RECORDINGS:
        pytest.skip(f"no recordings in {TRANSCRIPTS} (BURSAR_SHARED): no recorded answer was compared")
    assert len(RECORDINGS) > 20


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_answers_are_those_of_the_real_service(path):
    result = replay.play(path)
    assert not replay.complaints(result, replay.listed())
    assert result.agreed


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_two_servers_on_one_postgresql_answer_alike(path, postgres):
    """Each request goes to the other server than the one before it."""
    result = replay.play(path, replay.Stage(2, postgres.database))
    assert not replay.complaints(result, replay.listed())
    assert result.agreed
