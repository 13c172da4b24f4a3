"""Which expressions must be of the same asset: union-find over expressions, variables and statements."""

from __future__ import annotations


class AssetNode:
    """An asset, known or not, that may turn out to be the same as another node's."""

    __slots__ = ("_joined", "asset")

    def __init__(self, asset: str | None = None) -> None:
        self.asset = asset
        self._joined: AssetNode | None = None

    def root(self) -> AssetNode:
        """The node that stands for all that are the same; paths are shortened on the way."""
        node = self
        while node._joined is not None:
            if node._joined._joined is not None:
                node._joined = node._joined._joined
            node = node._joined
        return node

    def join(self, other: AssetNode) -> tuple[str, str] | None:
        """Make both the same; if they are known to differ, their two assets."""
        mine, theirs = self.root(), other.root()
        if mine is theirs:
            return None
        if mine.asset is None:
            mine._joined = theirs
        elif theirs.asset is None:
            theirs._joined = mine
        elif mine.asset != theirs.asset:
            return mine.asset, theirs.asset
        return None
