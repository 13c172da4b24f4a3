"""Who calls, as the server has proved it."""

from __future__ import annotations

from msgspec import Struct, field


class Replay(Struct):
    """What a service tells the server about one call, beside its answer."""

    replayed: bool = False
    """The answer is that of an earlier call with the same idempotency key (PS97)."""


class Caller(Struct, frozen=True):
    """An authenticated caller: one for each call.

    `merchant` is the merchant's account id. `key` is the id of the API key, None for a bearer token. `user` is the
    account id of the user that granted the token, None without one. `client` is the OAuth client id that the request
    named. `owner`: may force releases and see secrets of the merchant (PS14, PS55).
    """

    merchant: str
    key: str | None = None
    user: str | None = None
    client: str | None = None
    owner: bool = False
    replay: Replay = field(default_factory=Replay)
