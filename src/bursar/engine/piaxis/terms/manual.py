"""The term that the merchant meets by releasing."""

from __future__ import annotations

from typing import ClassVar

from bursar.engine.piaxis.terms.base import ByItself


class ManualRelease(ByItself):
    """Counts as met for a release, and is met by the one that empties the escrow (PS54)."""

    action: ClassVar[str] = "Merchant will release funds manually"
    done: ClassVar[str] = "Funds released"
    why: ClassVar[str] = "a manual release is met by releasing: POST /escrows/{id}/release"
    by_release: ClassVar[bool] = True
