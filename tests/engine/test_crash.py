"""What survives a kill and a power cut: every acknowledged commit, and never a part of one (invariant 6)."""

import pytest

from tests.engine.crash import on_postgres, on_sqlite, own_server
from tests.engine.scene import run
from tests.engine.torn import CHECKPOINT, check, cut, record, sweep


@pytest.mark.crash
def test_kill_9_loses_and_doubles_no_acknowledged_transaction(tmp_path):
    assert on_sqlite(tmp_path, cycles=6) >= 6


@pytest.mark.crash
def test_kill_9_of_writers_and_of_the_server_they_write_to(postgres):
    """`postgres` makes the user as whom servers run."""
    with own_server() as server:
        assert on_postgres(server, cycles=4) >= 4


@pytest.mark.crash
def test_a_torn_write_ahead_log_leaves_the_commits_before_the_damage(tmp_path):
    """A power cut or a worn disk at any byte: never a part of a commit, never less than what is whole."""
    tried = run(sweep(tmp_path, count=150, commits=6))
    assert {"cut in a page", "page zeroed", "bit flipped in a page", CHECKPOINT} <= set(tried)


@pytest.mark.crash
def test_the_sweep_notices_a_commit_too_few_and_one_too_many(tmp_path):
    async def scenario():
        log, _ = await record(tmp_path, commits=4, seed=1)
        point = cut(log, "after two commits", log.ends[1])
        await check(tmp_path / "torn.db", point, log.states[2], 0)
        for other in (log.states[1], log.states[3]):
            with pytest.raises(AssertionError, match="left"):
                await check(tmp_path / "torn.db", point, other, 0)

    run(scenario())
