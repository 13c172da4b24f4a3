"""The real server's flags."""

import pytest

from bursar.server.ledger.flags import UnknownFlag, parse


def test_values_follow_or_are_joined():
    for text in (
        "--bulk-max-size 2 --schema-enforcement-mode strict",
        "--bulk-max-size=2 --schema-enforcement-mode=strict",
    ):
        settings = parse(text).settings
        assert (settings.bulk_max_size, settings.strict) == (2, True)


def test_flags_about_parts_that_are_not_here_are_let_through():
    parse("--worker --worker-grpc-address 127.0.0.1:1 --debug --bind :3068 --publisher-http-enabled=true")


@pytest.mark.parametrize(
    "text",
    [
        "--nope",
        "nope",
        "--bulk-max-size",
        "--bulk-max-size=many",
        "--schema-enforcement-mode=maybe",
        "--debug=perhaps",
    ],
)
def test_what_the_real_server_refuses_is_refused(text):
    with pytest.raises(UnknownFlag):
        parse(text)


def test_197_a_bulk_has_a_largest_size(served):
    api = served("--bulk-max-size=1")
    api("POST", "/v2/l")
    element = {"action": "ADD_METADATA", "data": {"targetType": "ACCOUNT", "targetId": "a", "metadata": {}}}
    assert api("POST", "/v2/l/_bulk", [element]).status == 200
    assert api("POST", "/v2/l/_bulk", [element] * 2).code == "BULK_SIZE_EXCEEDED"


def test_159_pages_have_a_largest_size(served):
    api = served("--default-page-size=2 --max-page-size=3")
    api("POST", "/v2/l")
    assert api("GET", "/v2/l/logs").json["cursor"]["pageSize"] == 2
    assert api("GET", "/v2/l/logs?pageSize=9").json["cursor"]["pageSize"] == 3
