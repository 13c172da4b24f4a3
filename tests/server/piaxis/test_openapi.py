"""The OpenAPI documents say what the server does, and a fuzzer finds nothing that they do not say."""

import json
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import validator_for
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from bursar.contract import Request
from bursar.server.piaxis.openapi import outer_document, partner_document
from bursar.testing import SandboxServer
from bursar.testing.plugin import SEED
from tests.server.piaxis.scene import KEY

load_all_checks()
PARTNER, OUTER = partner_document(), outer_document()
FORM = ("content-type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(("path", "document"), [("/piaxis/api", PARTNER), ("/piaxis", OUTER)])
def test_the_documents_are_served(http, path, document):
    answer = http("GET", f"{path}/openapi.json", key=None)
    assert json.loads(answer.body) == json.loads(json.dumps(document))


@pytest.mark.parametrize("document", [PARTNER, OUTER])
def test_every_schema_is_one(document):
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        validator_for({**schema, "components": {"schemas": schemas}})


def test_amounts_are_texts_in_the_documented_forms():
    schemas = PARTNER["components"]["schemas"]
    assert schemas["NewPayment"]["properties"]["amount"]["type"] == ["string", "number"]
    assert "," in schemas["PaymentCreated"]["properties"]["amount"]["pattern"]
    assert "," not in schemas["DisbursementSummary"]["properties"]["total_amount"]["pattern"]


@pytest.fixture(scope="module")
def server():
    with SandboxServer(seed=SEED) as running:
        yield running


@pytest.fixture(scope="module")
def operator(server):
    options = server.engine.piaxis_operator_options()
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": options.client_id,
            "client_secret": options.client_secret,
        }
    )
    request = Request("POST", options.token_url, (FORM,), form.encode())
    return json.loads(server.engine.transport().send(request, 10).body)["access_token"]


def check(case, base_url, headers):
    # Random ids are of nobody, and members that are not documented are ignored: newer clients send more.
    case.call_and_validate(
        base_url=base_url,
        headers=headers,
        excluded_checks=[positive_data_acceptance, negative_data_rejection],
    )


SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@schemathesis.openapi.from_dict(PARTNER).parametrize()
@settings(max_examples=6, suppress_health_check=SLOW)
def test_a_fuzzer_finds_nothing_undocumented_and_no_500(case, server):
    check(case, f"{server.url}/piaxis/api", {"api-key": KEY})


@schemathesis.openapi.from_dict(OUTER).parametrize()
@settings(max_examples=5, suppress_health_check=SLOW)
def test_nor_does_it_beside_the_api(case, server, operator):
    tag = case.operation.definition.raw["tags"][0]
    headers = (
        {"authorization": f"Bearer {operator}"} if tag in ("operator", "connections") else {"api-key": KEY}
    )
    check(case, f"{server.url}/piaxis", headers)


def test_the_books_are_sound_after_fuzzing(server):
    assert server.engine.verify().damages == []
