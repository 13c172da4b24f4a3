"""The OpenAPI document says what the server does, and a fuzzer finds nothing that it does not say."""

import json
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import validator_for
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bursar.contract import Request
from bursar.server.milkyway import openapi_document
from bursar.testing import SandboxServer
from bursar.testing.plugin import SEED

load_all_checks()
DOCUMENT = openapi_document()


def test_the_document_is_served(http):
    answer = http("GET", "/milkyway/openapi.json")
    assert answer.media_type == "application/json"
    assert json.loads(answer.body) == json.loads(json.dumps(DOCUMENT))


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    schemas = DOCUMENT["components"]["schemas"]

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/components/schemas/") in schemas
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(DOCUMENT)
    for schema in schemas.values():
        validator_for({**schema, "components": {"schemas": schemas}})


def test_the_five_calls_and_their_errors_are_documented():
    paths = DOCUMENT["paths"]
    assert DOCUMENT["openapi"] == "3.1.0"
    pay = paths["/payments/v1"]["post"]
    assert {"200", "400", "401", "402", "405", "413", "415", "422", "500", "503"} <= pay["responses"].keys()
    assert paths["/payments/v1/postcheck"]["get"]["responses"].keys() >= {"200", "400", "401", "404"}
    assert "text/plain" in paths["/payments/v1/healthcheck"]["get"]["responses"]["200"]["content"]
    operations = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(operations) == len(set(operations)) > 30


def test_amounts_are_numbers_and_unknown_members_are_refused():
    pay = DOCUMENT["components"]["schemas"]["PayRequest"]
    assert pay["properties"]["amount_credit"]["type"] == "number"
    assert pay["additionalProperties"] is False


@pytest.fixture(scope="module")
def server():
    with SandboxServer(seed=SEED) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(server):
    def token(client_id):
        transport = server.engine.transport()
        options = server.options(client_id)
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": options.client_secret,
            }
        )
        request = Request("POST", options.token_url, (FORM,), form.encode())
        return json.loads(transport.send(request, 10).body)["access_token"]

    return {"payments": token("bank-alpha"), "operator": token("hub-operator")}


FORM = ("content-type", "application/x-www-form-urlencoded")
fuzzed = schemathesis.openapi.from_dict(DOCUMENT)


@fuzzed.parametrize()
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_fuzzer_finds_nothing_undocumented_and_no_500(case, server, tokens):
    # Random ids are of no bank, so what has the right form is refused often: that check has nothing to go by.
    tag = case.operation.definition.raw["tags"][0]
    case.call_and_validate(
        base_url=f"{server.url}/milkyway",
        headers={"authorization": f"Bearer {tokens[tag]}"},
        excluded_checks=[positive_data_acceptance],
    )


def test_the_books_are_sound_after_fuzzing(server):
    assert server.engine.verify().damages == []
