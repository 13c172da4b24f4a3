"""What is written below fields, members and named types, which Python does not keep: read from the source."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z_]\w*")


def parameter(function: Callable[..., Any], name: str) -> str:
    """Return what the named type of a parameter says: that of `PageSize` for ``page_size: PageSize = None``."""
    written: Any = function.__annotations__.get(name, "")
    return _named_type(function.__module__, written) if isinstance(written, str) else ""


def attribute(owner: type[Any], name: str) -> str:
    """Return what is written below a field of a model or a member of an enum, or what its named type says."""
    for place in owner.__mro__:
        found = _attributes(place.__module__).get((place.__name__, name))
        if found is not None:
            doc, written = found
            return doc or _named_type(place.__module__, written)
    return ""


def _named_type(module: str, written: str) -> str:
    names = _NAME.findall(
        written.split("[", maxsplit=1)[0] if written.startswith(("list[", "dict[")) else written
    )
    return next((doc for name in names if (doc := _type_docs(module).get(name))), "")


@cache
def _tree(module: str) -> ast.Module | None:
    """Return a module of Bursar as it is written; None for any other, or where there is no source."""
    spec = importlib.util.find_spec(module) if module.startswith("bursar.") else None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return ast.parse(Path(spec.origin).read_text("utf-8"))


@cache
def _type_docs(module: str) -> dict[str, str]:
    """Return what a module says of the types it names, or of those it imports from a module that does."""
    tree = _tree(module)
    if tree is None:
        return {}
    docs = {name: doc for name, doc, _ in _documented(tree.body) if doc}
    for line in tree.body:
        if isinstance(line, ast.ImportFrom):
            source = _source(module, line)
            for alias in line.names:
                if alias.name[:1].isupper() and (doc := _type_docs(source).get(alias.name)):
                    docs.setdefault(alias.asname or alias.name, doc)
    return docs


def _source(module: str, line: ast.ImportFrom) -> str:
    if not line.level:
        return line.module or ""
    spec = importlib.util.find_spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    parts = module.split(".")
    kept = len(parts) - line.level + is_package
    return ".".join([*parts[:kept], *([line.module] if line.module else [])])


@cache
def _attributes(module: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return doc and annotation of the attributes of a module's classes, by class and name."""
    tree = _tree(module)
    return {
        (node.name, name): (doc, written)
        for node in (tree.body if tree else ())
        if isinstance(node, ast.ClassDef)
        for name, doc, written in _documented(node.body)
    }


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str, str]]:
    """Go through the assignments of a body: name, the text below it, annotation."""
    for line, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, _text(below), ast.unparse(line.annotation)
        elif isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            yield line.targets[0].id, _text(below), ""


def _text(line: ast.stmt | None) -> str:
    if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
        said = line.value.value
        return " ".join(said.split()) if isinstance(said, str) else ""
    return ""
