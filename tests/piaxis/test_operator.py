"""The back office's clients: an operator's token, exact amounts, one family of errors."""

from __future__ import annotations

import asyncio
import pickle
from decimal import Decimal
from typing import Any

import pytest

from bursar.piaxis import PiaxisAuthError, PiaxisConflictError
from bursar.piaxis.back_office import AsyncPiaxisOperatorClient, OperatorOptions, PiaxisOperatorClient
from bursar.piaxis.operator import FeeSettings, Resolution
from tests.client.server import Action, Recorded, reply
from tests.piaxis.api import Api, sent
from tests.piaxis.conftest import Open

FEE = {"percent": 1.5, "fixed": 100, "minimum": 0}


def office(request: Recorded) -> Action:
    if request.path == "/token":
        return reply({"access_token": "op-1", "expires_in": 300})
    if request.path.endswith("/resolve"):
        return reply({"detail": {"code": "INVALID_STATE", "message": "decided already"}}, 409)
    return reply({"kind": "payout", "method": "mtn", "currency": "UGX", "settings": FEE})


def options(api: Api) -> OperatorOptions:
    server = api.server.url
    return OperatorOptions(
        base_url=f"{server}/piaxis", token_url=f"{server}/token", client_id="office", client_secret="s-1"
    )


def settle(client: Any) -> Any:
    return client.put_fee("payout", "mtn", "UGX", FeeSettings(percent=Decimal("1.50")))


def test_operators_of_both_colours(open_api: Open) -> None:
    api = open_api(office)

    async def awaited() -> Any:
        async with AsyncPiaxisOperatorClient(options(api)) as client:
            return (await settle(client)), (await settle(client.raw)).attempts

    with PiaxisOperatorClient(options(api)) as client:
        assert asyncio.run(awaited()) == (settle(client), settle(client.raw).attempts)
        assert settle(client).settings.percent == Decimal("1.5")
        with pickle.loads(pickle.dumps(client)) as revived:
            assert settle(revived).settings.fixed == 100
        assert "s-1" not in repr(client)
    assert (api.last.method, api.last.path) == ("PUT", "/piaxis/operator/v1/fees/payout/mtn/UGX")
    assert sent(api.last)["percent"] == Decimal("1.50")
    assert api.last.header("Authorization") == "Bearer op-1"


def test_refusals_are_of_the_one_family(open_api: Open) -> None:
    api = open_api(office)
    with (
        PiaxisOperatorClient(options(api)) as client,
        pytest.raises(PiaxisConflictError, match="decided") as caught,
    ):
        client.resolve_dispute("d-1", Resolution(release=Decimal(1), reverse=Decimal(2), reason="evidence"))
    assert caught.value.code == "INVALID_STATE"
    unknown = open_api(reply({"error": "invalid_client"}, 401))
    with (
        PiaxisOperatorClient(options(unknown)) as client,
        pytest.raises(PiaxisAuthError, match="invalid_client"),
    ):
        client.trial_balance()
