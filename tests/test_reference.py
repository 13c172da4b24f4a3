"""The reference is what the contracts say, and all that they say."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bursar.cli.api_catalog import APIS
from bursar.contract import BaseEndpoint
from tests.source import MODULES

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "reference.py"
PLACE = ROOT / "docs" / "reference"
# Made by the client itself, never by its user: reports of failures.
UNCALLED = {"POST /monitoring/client-errors"}


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def reference(tmp_path, monkeypatch):
    """The script as a module that writes to a directory of the test's own."""
    spec = importlib.util.spec_from_file_location("reference_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PLACE", tmp_path / "reference")
    return module


def test_the_pages_are_fresh():
    checked = run("--check")
    assert checked.returncode == 0, checked.stderr


def test_a_stale_page_is_named_with_what_to_do(reference, capsys):
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (reference.PLACE / "milkyway-payments.md").write_text("old")
    (reference.PLACE / "gone.md").write_text("old")
    (reference.PLACE / "api.md").unlink()
    assert reference.main(["--check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" is stale: ")[0] for line in said] == [
        "docs/reference/api.md",
        "docs/reference/gone.md",
        "docs/reference/milkyway-payments.md",
    ]
    assert all("run `python scripts/reference.py`" in line for line in said)
    reference.main([])
    assert reference.main(["--check"]) == 0
    assert not (reference.PLACE / "gone.md").exists()


def test_it_comes_out_the_same_each_time(reference):
    assert reference.Reference().texts() == reference.Reference().texts()


def contracts():
    """Every endpoint that a module of a client's package describes, whoever calls it."""
    for name in MODULES:
        if name.startswith(("bursar.formance", "bursar.milkyway", "bursar.piaxis")):
            for owner in vars(importlib.import_module(name)).values():
                if isinstance(owner, type) and owner.__module__ == name:
                    for member in vars(owner).values():
                        if isinstance(member, BaseEndpoint):
                            yield member


def test_every_endpoint_of_every_contract_is_in_it():
    shown = {
        (place, line)
        for page in PLACE.glob("*.md")
        for place, line in re.findall(
            r"^### (\w+)\n\n`([A-Z]+ [^`]+)`$", page.read_text("utf-8"), re.MULTILINE
        )
    }
    described = {(e.name, f"{e.description.verb} {e.description.path}") for e in contracts()}
    assert {line for _, line in described - shown} == UNCALLED
    assert shown <= described


def test_the_index_links_to_each_operation():
    index = (PLACE / "api.md").read_text("utf-8")
    for api in APIS.values():
        for group in api.groups.values():
            for operation in group.operations.values():
                assert f"[{operation.name}]({api.name}-{group.name}.md#" in index


def test_an_operation_is_told_in_full():
    page = (PLACE / "formance-ledger.md").read_text("utf-8")
    told = page.partition("### create_transaction\n")[2].partition("\n### ")[0]
    for words in (
        "`POST /api/ledger/v2/{ledger}/transactions`",
        "Call: `client.ledger.v2.create_transaction`.",
        "Effect: [keyed](",
        "| `dry_run` | query `dryRun` | true or false, optional | Answer as if, and change nothing.",
        "Answer: 200, [Transaction](#transaction), out of the member `data`.",
        "409 Reference taken (`FormanceConflictError`)",
    ):
        assert words in told
    assert "integers in the smallest unit" in page
    assert "**Deprecated**: " in (PLACE / "formance-ledger-v1.md").read_text("utf-8")


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").glob("migrating-from-*.md")), ids=lambda page: page.stem
)
def test_what_a_migration_page_cites_exists(page):
    cited = set(re.findall(r"`(test_\w+)`", page.read_text("utf-8")))
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert not cited - set(re.findall(r"def (test_\w+)", tests))


def test_every_row_of_the_migration_pages_is_proved():
    for name in ("milkyway-payments", "piaxis-sdk"):
        page = (ROOT / "docs" / f"migrating-from-{name}.md").read_text("utf-8")
        rows = [line for line in page.splitlines() if line.startswith("| ") and "proved by" not in line]
        assert len(rows) > 20
        assert [row for row in rows if not re.search(r"`test_\w+` \|$", row)] == []
