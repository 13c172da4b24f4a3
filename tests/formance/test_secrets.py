"""A connector's configuration lets somebody in: it is shown to nobody by accident (FM-12)."""

import logging
import pickle
import re
import traceback
from typing import Any

import msgspec
import pytest

from bursar.contract import InvalidRequestError
from bursar.formance import Formance, FormanceOptions, FormanceValidationError
from bursar.formance.payments import configs
from bursar.formance.payments.configs import ProviderConfig, StripeConfig
from tests.client.server import Server, reply

SECRET = "sk-very-secret"
PROVIDERS = [
    kind for kind in vars(configs).values() if isinstance(kind, type) and issubclass(kind, ProviderConfig)
]
SOUNDS_SECRET = re.compile(r"(?<!public_)key$|secret|token|pass|private")


def filled(kind: type[ProviderConfig]) -> ProviderConfig:
    """A configuration with the secret in each member that is hidden."""
    members: dict[str, Any] = {
        field.name: SECRET if field.name in kind.hidden else "x" for field in msgspec.structs.fields(kind)
    }
    return kind(**{name: value for name, value in members.items() if name != "page_size"})


@pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.__name__)
def test_no_text_of_a_configuration_holds_its_secrets(
    kind: type[ProviderConfig], caplog: pytest.LogCaptureFixture
) -> None:
    config = filled(kind)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("shop").warning("installing %s", config)
    for text in (
        repr(config),
        str(config),
        f"{config}",
        caplog.text,
        repr([config]),
        repr({"config": config}),
        str(config.__rich_repr__()),
    ):
        assert SECRET not in text


def test_members_that_sound_secret_are_hidden() -> None:
    names = {name for kind in PROVIDERS for name in kind.__struct_fields__ if SOUNDS_SECRET.search(name)}
    assert "api_key" in names
    assert names <= ProviderConfig.hidden


def test_there_are_providers_with_secrets() -> None:
    with_secrets = [kind for kind in PROVIDERS if SECRET in msgspec.json.encode(filled(kind)).decode()]
    assert len(with_secrets) > 10


def texts_of(error: BaseException) -> str:
    """What a log, or the queue of a worker process, gets of an error."""
    return f"{error} {error!r} {pickle.dumps(error)!r} {''.join(traceback.format_exception(error))}"


def test_a_refused_connector_leaves_its_secret_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the logs nor in the error, its pickle or its traceback; so with an argument that cannot be sent."""
    answer = reply({"errorCode": "VALIDATION", "errorMessage": "no"}, status=400)
    config = StripeConfig(name="shop", api_key=SECRET)
    with (
        caplog.at_level(logging.DEBUG),
        Server(lambda _: answer) as server,
        Formance(FormanceOptions(server.url)) as client,
    ):
        with pytest.raises(FormanceValidationError) as refused:
            client.payments.v3.install_connector("stripe", config)
        with pytest.raises(InvalidRequestError) as bad:
            client.payments.v3.install_connector(
                "stripe", {"name": 1, "apiKey": SECRET, "provider": "Stripe"}
            )
    assert SECRET not in caplog.text
    assert SECRET not in texts_of(refused.value) + texts_of(bad.value)
