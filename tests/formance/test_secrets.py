"""A connector's configuration lets somebody in: it is shown to nobody by accident (FM-12)."""

import logging

import msgspec
import pytest

from bursar.formance.payments import configs
from bursar.formance.payments.configs import ProviderConfig

SECRET = "sk-very-secret"
PROVIDERS = [
    kind for kind in vars(configs).values() if isinstance(kind, type) and issubclass(kind, ProviderConfig)
]


def filled(kind: type[ProviderConfig]) -> ProviderConfig:
    """A configuration with the secret in each member that is hidden."""
    members = {
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
    ):
        assert SECRET not in text


def test_there_are_providers_with_secrets() -> None:
    with_secrets = [kind for kind in PROVIDERS if SECRET in msgspec.json.encode(filled(kind)).decode()]
    assert len(with_secrets) > 10
