"""The modules of src/bursar and what each imports, read from the syntax tree."""

import ast
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"


@dataclass(frozen=True)
class Import:
    """One imported module, and where and how it is imported."""

    line: int
    target: str
    typing_only: bool
    in_function: bool


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found: dict[str, Path] = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> list[Import]:
    """All imports of a module, wherever they stand; `from a import b` names a.b where that is a module."""
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
    found: list[Import] = []

    def add(node: ast.Import | ast.ImportFrom, typing_only: bool, in_function: bool) -> None:
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            targets = [t if (t := f"{origin}.{alias.name}") in MODULES else origin for alias in node.names]
        found.extend(Import(node.lineno, t, typing_only, in_function) for t in dict.fromkeys(targets))

    def walk(node: ast.AST, typing_only: bool, in_function: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                add(child, typing_only, in_function)
            elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                for statement in child.body:
                    walk(ast.Module([statement], []), True, in_function)
                for statement in child.orelse:
                    walk(ast.Module([statement], []), typing_only, in_function)
            else:
                walk(
                    child,
                    typing_only,
                    in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef),
                )

    walk(ast.parse(MODULES[name].read_text("utf-8")), False, False)
    return found


def within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")
