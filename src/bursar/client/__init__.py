"""How a described endpoint is called."""

from .call import Session, call
from .caller import AsyncCaller, RawCaller, SyncCaller
from .clock import SYSTEM, Clock
from .effects import Flow, Invoke, Send, Sleep
from .events import AttemptFinished, AttemptStarted, Event, Hook, RetryScheduled
from .failure import ErrorFamily
from .policy import Policy
from .shell import AsyncClient, Given, SyncClient
from .tokens import Credentials, ProvidedTokens, Token, TokenManager, TokenSource
from .transport import AsyncTransport, Transport, asynchronous, blocking

__all__ = [
    "SYSTEM",
    "AsyncCaller",
    "AsyncClient",
    "AsyncTransport",
    "AttemptFinished",
    "AttemptStarted",
    "Clock",
    "Credentials",
    "ErrorFamily",
    "Event",
    "Flow",
    "Given",
    "Hook",
    "Invoke",
    "Policy",
    "ProvidedTokens",
    "RawCaller",
    "RetryScheduled",
    "Send",
    "Session",
    "Sleep",
    "SyncCaller",
    "SyncClient",
    "Token",
    "TokenManager",
    "TokenSource",
    "Transport",
    "asynchronous",
    "blocking",
    "call",
]
