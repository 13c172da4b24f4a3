"""How an endpoint is described; no I/O happens here."""

from .arguments import Prepared, prepare
from .binding import BadRequest, Incoming, Route, route
from .effect import Effect, Outcome
from .endpoint import (
    Async,
    BaseEndpoint,
    C,
    Caller,
    Colour,
    Endpoint,
    Listing,
    RawAsync,
    RawSync,
    Reply,
    Resource,
    Sync,
    delete,
    endpoint,
    get,
    listing,
    post,
    put,
)
from .errors import ApiError, BursarError, InvalidRequestError, TransportError, UnreadableAnswer
from .http import Headers, Request, Response
from .model import Model, OpenEnum, OpenIntEnum
from .page import AsyncListing, AsyncPage, CursorPaging, OffsetPaging, Page, Paging, Slice, Unreadable
from .params import Header, IdempotencyKey, Member, Query
from .secret import Secret

__all__ = [
    "ApiError",
    "Async",
    "AsyncListing",
    "AsyncPage",
    "BadRequest",
    "BaseEndpoint",
    "BursarError",
    "C",
    "Caller",
    "Colour",
    "CursorPaging",
    "Effect",
    "Endpoint",
    "Header",
    "Headers",
    "IdempotencyKey",
    "Incoming",
    "InvalidRequestError",
    "Listing",
    "Member",
    "Model",
    "OffsetPaging",
    "OpenEnum",
    "OpenIntEnum",
    "Outcome",
    "Page",
    "Paging",
    "Prepared",
    "Query",
    "RawAsync",
    "RawSync",
    "Reply",
    "Request",
    "Resource",
    "Response",
    "Route",
    "Secret",
    "Slice",
    "Sync",
    "TransportError",
    "Unreadable",
    "UnreadableAnswer",
    "delete",
    "endpoint",
    "get",
    "listing",
    "post",
    "prepare",
    "put",
    "route",
]
