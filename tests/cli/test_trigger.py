"""Every recipe of `bursar trigger` makes its event happen, through the API and nothing else."""

from typing import Any

import pytest

from bursar.cli.trigger import RECIPES, Stage
from bursar.engine.webhooks.subscriptions import EVENT_TYPES
from bursar.piaxis import PiaxisClient


class InProcess:
    """A sandbox as `Stage` sees one, without a port; its clock is frozen."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.piaxis = PiaxisClient(
            api_key="piaxis-sandbox-key", base_url=f"{engine.url}/piaxis/api", session=engine.transport()
        )

    def clock(self) -> dict[str, Any]:
        state = self._engine.clock.state()
        return {"frozen": state.frozen, "now_us": state.now_us}

    def run_to_next(self) -> None:
        self._engine.clock.run_to_next()


@pytest.mark.parametrize("event", RECIPES)
def test_the_event_happens(bursar_sandbox, webhook_receiver, event: str):
    sandbox: Any = InProcess(bursar_sandbox)
    told = RECIPES[event](Stage(sandbox))
    got = webhook_receiver.wait(event, within=60)
    assert webhook_receiver.verify(got).type == event
    assert any(str(value) in told for name, value in got.data.items() if name.endswith("_id"))
    assert bursar_sandbox.verify().ok


def test_only_what_an_operator_or_a_failed_funding_brings_has_no_recipe():
    assert set(EVENT_TYPES["piaxis"]) - set(RECIPES) == {"escrow.resolved", "escrow.cancelled"}
