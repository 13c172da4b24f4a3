"""The types of terms (specification B5.3), one small pure module for each family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bursar.engine.piaxis.errors import Loc, invalid
from bursar.engine.piaxis.terms.base import TermKind
from bursar.engine.piaxis.terms.clock import ReturnPeriod, TimeLock
from bursar.engine.piaxis.terms.delivery import DeliveryConfirmation
from bursar.engine.piaxis.terms.manual import ManualRelease
from bursar.engine.piaxis.terms.parties import All, Meeting, Sequential, Threshold
from bursar.engine.piaxis.terms.places import GeoVerification, MeetingDelivery
from bursar.engine.piaxis.terms.rating import RatingThreshold
from bursar.engine.piaxis.terms.secrets import Password

TYPES: Final[Mapping[str, TermKind]] = {
    "manual_release": ManualRelease(),
    "meeting_delivery": MeetingDelivery(),
    "delivery_confirmation": DeliveryConfirmation(),
    "geo_verification": GeoVerification(),
    "time_lock": TimeLock(),
    "meeting_confirmation": Meeting(),
    "multi_party_approval_threshold": Threshold(),
    "multi_party_all": All(),
    "sequential_approvals": Sequential(),
    "password_confirmation": Password(),
    "return_period": ReturnPeriod(),
    "rating_threshold": RatingThreshold(),
}
"""Every type by the name it has on the wire."""


def known(type: str, at: Loc) -> TermKind:
    """Return a type of term. Raises `InvalidRequest` that lists them all (PS47)."""
    kind = TYPES.get(type)
    if kind is None:
        raise invalid(at, f"there is no term type {type}; known are {', '.join(TYPES)}", "enum")
    return kind
