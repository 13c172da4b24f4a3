"""What the models of the Piaxis API share: amounts as text, answers that are also read like dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from bursar.contract import InvalidRequestError, Model, OpenEnum
from bursar.contract.digits import AmountForm
from bursar.contract.json import dumps, loads

Text = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
"""A name or id: not blank, at most 255 characters."""
Currency = Annotated[str, Meta(max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217 code")]
Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$(?!\n)")]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{1,14}$(?!\n)", description="E.164")]
Limit = Annotated[int, Meta(ge=1, le=100)]
Offset = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Reason = Annotated[str, Meta(max_length=1000)]


class PaymentMethod(OpenEnum):
    """How money comes or goes."""

    MTN = "mtn"
    AIRTEL = "airtel"
    CARD = "card"
    PIAXIS = "piaxis"
    PIAXIS_EXTERNAL = "piaxis_external"
    BANK = "bank"


class Answer(Model, kw_only=True, omit_defaults=True):
    """What the API answers with.

    Attributes are typed: amounts are `Decimal`. ``answer["field"]`` gives the member as it stands in JSON, where
    amounts are text, as the vendor's dictionaries do. Members that this version does not know are in `extra`.
    """

    amounts: ClassVar[AmountForm] = AmountForm.TEXT

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON has it."""
        members: dict[str, Any] = loads(dumps(self))
        return members

    def __getitem__(self, name: str) -> Any:
        return self.to_dict()[name]

    def __contains__(self, name: object) -> bool:
        return name in self.to_dict()

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member as it stands in JSON, or the default."""
        return self.to_dict().get(name, default)

    def keys(self) -> list[str]:
        """Return the names of the members, so that ``dict(answer)`` works."""
        return list(self.to_dict())


class Input(Model, kw_only=True, omit_defaults=True, forbid_unknown_fields=False):
    """What the API is sent; plain mappings of the same form do as well.

    Members that this version does not know are sent as they are, and a server ignores them.
    """

    amounts: ClassVar[AmountForm] = AmountForm.TEXT


class PageAnswer(Answer, kw_only=True):
    """Where in a listing a page stands."""

    total: int
    offset: int
    limit: int


class UserLocation(Input, kw_only=True):
    """Where somebody is, in degrees."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


def require_positive(amount: Decimal, pointer: str) -> None:
    """Refuse an amount that is not above zero. Raises `InvalidRequestError`."""
    if not amount > 0:
        raise InvalidRequestError(f"{pointer.rpartition('/')[2]} must be more than 0", pointer)
