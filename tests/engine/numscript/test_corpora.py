"""All recorded cases of the language: error kinds, texts and places included (specification, appendix)."""

from pathlib import Path

import pytest

from tests.engine.numscript.cases import COMMITTED, corpora, read, verdict
from tests.recorded import CORPUS


def label(path: Path) -> str:
    return (
        f"only the committed probes, as there are no corpora in {CORPUS}" if path == COMMITTED else path.name
    )


@pytest.mark.parametrize("path", corpora(), ids=label)
def test_every_recorded_case_comes_out_as_recorded(path: Path) -> None:
    """The name of the test says which cases were run: the corpora, or without them the committed probes."""
    failures = [f"{case['name']}: {text}" for case in read(path) if (text := verdict(case))]
    assert not failures, f"{len(failures)} of {len(read(path))}\n" + "\n".join(failures)


def test_all_corpora_are_here() -> None:
    cases = sum(len(read(path)) for path in corpora())
    assert cases >= 400
    if corpora() == [COMMITTED]:
        pytest.skip(f"no corpora in {CORPUS} (BURSAR_SHARED): only the {cases} committed probes were run")
    assert len(corpora()) >= 4


def test_a_wrong_outcome_is_noticed() -> None:
    """The comparison itself can fail, in each of its parts."""
    told_apart = 0
    for case in read(COMMITTED):
        wrong = dict(case)
        expected = case["expected"]
        if expected.get("expect.postings"):
            first, *rest = expected["expect.postings"]
            wrong["expected"] = expected | {
                "expect.postings": [first | {"amount": first["amount"] + 1}, *rest]
            }
        elif expected.get("expect.error"):
            wrong["expected"] = expected | {"expect.error": expected["expect.error"] | {"message": "?"}}
        elif expected.get("expect.diagnostics"):
            wrong["expected"] = {"expect.diagnostics": [{**expected["expect.diagnostics"][0], "kind": "?"}]}
        elif expected.get("expect.parseError"):
            wrong["script"] = ""
        else:
            continue
        assert verdict(wrong), case["name"]
        told_apart += 1
    assert told_apart > 350
