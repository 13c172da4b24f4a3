"""A small API that uses every feature of a contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from bursar.client import ErrorFamily
from bursar.contract import (
    ApiError,
    C,
    CursorPaging,
    Effect,
    Header,
    IdempotencyKey,
    InvalidRequestError,
    Member,
    Model,
    OffsetPaging,
    OpenEnum,
    OpenIntEnum,
    Query,
    Resource,
    Response,
    delete,
    endpoint,
    get,
    listing,
    post,
    put,
)


class Kind(OpenEnum):
    BOOK = "book"
    TOY = "toy"


class Size(OpenIntEnum):
    SMALL = 1
    LARGE = 2


class Price(Model):
    amount: Decimal
    currency: str


class Item(Model):
    item_id: str
    price: Price
    kind: Kind = Kind.BOOK
    size: Size | None = None
    tags: list[str] = field(default_factory=list)
    weight: Decimal | None = None
    label: str | UnsetType = UNSET


class NewOrder(Model, omit_defaults=True):
    item_id: str
    amount: Decimal
    quantity: Annotated[int, Meta(ge=1)] = 1
    note: str | None = field(default=None, name="customerNote")
    data: dict[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"data"})

    def validate(self) -> None:
        if self.amount <= 0:
            raise InvalidRequestError("amount must be > 0", "/amount")


class Order(Model):
    order_id: int
    total: Decimal


class Shop(Resource[C]):
    """A shop."""

    @get("/items/{item_id}", echo=("item_id",))
    def item(self, item_id: str, *, fields: Annotated[list[str] | None, Query("field")] = None) -> Item:
        """Return an item."""
        ...

    @get("/items/{item_id}/text", media="text")
    def text(self, item_id: UUID, *, trace: Annotated[str | None, Header("X-Trace")] = None) -> str:
        """Return an item as text."""
        ...

    @post("/orders", effect=Effect.KEYED, status=201, unwrap="data")
    def order(
        self,
        order: NewOrder,
        *,
        dry_run: Annotated[bool | None, Query("dryRun")] = None,
        key: Annotated[str | None, IdempotencyKey("X-Key")] = None,
    ) -> Order:
        """Order something."""
        ...

    @post("/gifts", effect=Effect.KEYED)
    def gift(
        self, order: NewOrder, key: Annotated[str | None, IdempotencyKey("X-Key", mint=True)] = None
    ) -> Order:
        """Order something under a key that is made when none is given."""
        ...

    @post("/prices", effect=Effect.IDEMPOTENT)
    def set_price(
        self, item_id: Annotated[str, Member()], price: Annotated[Decimal, Member("newPrice")]
    ) -> Price:
        """Set a price."""
        ...

    @endpoint("POST", "/bell", effect=Effect.ONCE)
    def ring(self) -> None:
        """Ring once."""
        ...

    @put("/items/{item_id}")
    def replace(self, item_id: str, item: Item) -> Item:
        """Replace an item."""
        ...

    @delete("/items/{item_id}")
    def remove(self, item_id: str) -> None:
        """Remove an item."""
        ...

    @listing("/items", paging=CursorPaging())
    def items(
        self,
        *,
        kind: Kind | None = None,
        page_size: Annotated[int | None, Query("pageSize")] = None,
        cursor: str | None = None,
    ) -> Item:
        """List items."""
        ...

    @listing("/orders", paging=OffsetPaging())
    def orders(self, *, limit: int | None = None, offset: int | None = None) -> Order:
        """List orders."""
        ...


class ShopError(ApiError):
    """Base."""


class ShopDown(ShopError):
    """5xx or no answer."""


class ShopAuth(ShopError):
    """No token."""


class ShopUnreadable(ShopError):
    """2xx that cannot be read."""


class ShopMissing(ShopError):
    """404."""


def words(response: Response) -> str | None:
    return response.text.strip() or None


FAMILY = ErrorFamily(ShopError, ShopDown, ShopAuth, ShopUnreadable, {404: ShopMissing}, words)
