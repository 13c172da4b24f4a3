"""Rules of the house that neither the formatter nor the linters know.

Docstrings, line length of code and naming are ruff's part (scripts/check).
"""

import ast
import re
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.source import MODULES, imports

ROOT = Path(__file__).resolve().parent.parent
CODE = sorted(
    path
    for place in ("src", "tests", "examples", "bench", "scripts")
    for path in (ROOT / place).rglob("*.py")
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")])
# What users import or start, beside the entry points of pyproject.toml.
ENTRANCES = [
    "bursar.milkyway",
    "bursar.formance",
    "bursar.formance.filters",
    "bursar.piaxis",
    "bursar.webhooks",
    "bursar.client.otel",
    "bursar.embedded",
    "bursar.testing",
    "bursar.testing.postgres",
    "bursar.cli.__main__",
]
MODULE_LINES_MAX = 700
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "stuff", "tools"}

MONEY = (
    "src/bursar/contract/money",
    "src/bursar/engine/",
    "src/bursar/milkyway/models",
    "src/bursar/piaxis/models/",
)

# (pattern, where it is banned, why)
BANNED = [
    (r"\bTODO\b|\bFIXME\b|\bbreakpoint\(", "", "finish it, or open an issue"),
    *((r"(?<!def )\bfloat\(", place, "money is never a float") for place in MONEY),
    (r"\btime\.sleep\(", "tests/", "tests inject the clock"),
    (r"\beval\(|\bexec\(", "src/", "no code from text"),
    (r"\bpickle\.load", "src/", "unpickling runs what it reads"),
    (r"\butcnow\(|\bdatetime\.now\(\)", "", "say the zone, or use the engine's clock"),
    (r"\btime\.time\(|\brandom\.random\(|\buuid4\(", "src/bursar/engine/", "use Clock and Ids"),
]
# Files in which a banned word is the point.
ALLOWED = {
    "tests/test_tidy.py": "this list",
    "tests/test_examples.py": "it waits for a process to start",
    "src/bursar/engine/clock.py": "the one clock",
    "src/bursar/engine/ids.py": "the one source of ids and randomness",
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_modules_are_small_and_named_for_a_subject(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MODULE_LINES_MAX, "split it by subject"
    assert path.stem not in VAGUE_NAMES, "name it for what it is about"


@pytest.mark.parametrize("path", [*CODE, *PAGES], ids=relative)
def test_banned_words(path: Path) -> None:
    name = relative(path)
    if name in ALLOWED:
        return
    found = [
        f"{name}:{number}: {why}: {line.strip()}"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for pattern, place, why in BANNED
        if name.startswith(place) and re.search(pattern, line)
    ]
    assert not found, "\n".join(found)


def test_every_suppression_gives_its_reason() -> None:
    """`type: ignore[...]`, `noqa: X` and `pyright: ignore[...]` are followed by words that say why."""
    mark = re.compile(r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)(?P<codes>[^#]*)(?P<rest>.*)$")
    bare = []
    for path in CODE:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if (hit := mark.search(line)) and path != Path(__file__):
                words = re.sub(r"\[[^\]]*\]|[A-Z]+[0-9]+|[:,]", " ", hit["codes"]) + hit["rest"]
                if len(words.split()) < 3:
                    bare.append(f"{relative(path)}:{number}: {line.strip()}")
    assert not bare, "\n".join(bare)


def test_no_dead_modules() -> None:
    """Every module is reached, import by import, from what users start with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    entries = [*project["scripts"].values(), *project["entry-points"]["pytest11"].values()]
    ahead = [*(entry.partition(":")[0] for entry in entries), *ENTRANCES]
    ahead += [name for name in MODULES if ".migrations." in name]  # alembic finds these by itself
    reached: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name in MODULES and name not in reached:
            reached.add(name)
            ahead += [*(found.target for found in imports(name)), name.rpartition(".")[0]]
    assert sorted(set(MODULES) - reached) == []


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors GitHub gives a page's headings."""
    seen: defaultdict[str, int] = defaultdict(int)
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", without_code(path.read_text("utf-8")), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^()\s]+)\)", without_code(path.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_and_anchors_resolve(page: Path) -> None:
    broken = []
    for link in links(page):
        place, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_linked() -> None:
    linked = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
    entrances = {ROOT / "README.md"}
    assert [relative(page) for page in PAGES if page not in linked | entrances] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_in_pages_compiles(page: Path) -> None:
    for number, block in enumerate(
        re.findall(r"^```python.*?\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL), 1
    ):
        compile(block, f"{relative(page)}, block {number}", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
