"""The hash chain, byte for byte as the Formance ledger computes it (invariant 5)."""

import hashlib
import json
from base64 import b64decode, b64encode

import pytest
from msgspec import Raw

from bursar.engine.kernel import Posting, chain
from bursar.engine.kernel.model import format_time, parse_time
from tests.recorded import TRANSCRIPTS


def transaction(id, timestamp, posting, metadata=None, reference=""):
    return chain.TransactionJson(
        postings=[Posting(*posting)],
        metadata=metadata or {},
        timestamp=timestamp,
        reference=reference,
        id=id,
        inserted_at=timestamp,
        updated_at=timestamp,
        reverted=False,
    )


REVERTS = {"com.formance.spec/state/reverts": "2"}
# (data, date, idempotency key, hash): the seven vectors of the ledger's specification.
VECTORS = [
    (
        chain.NewTransactionJson(
            transaction(1, "2026-01-02T03:04:05Z", ("world", "till:1", 250, "EUR/2")), {}
        ),
        "2026-01-02T03:04:05Z",
        "",
        "EUGpT0YadYt177Eqsg0RFJb54G9BrhtfntAeFtxpmsw=",
    ),
    (
        chain.NewTransactionJson(
            transaction(
                2,
                "2026-01-02T03:04:06.5Z",
                ("till:1", "bank", 100, "EUR/2"),
                {"b": 'x<y>&"q" é \\', "a": "1"},
                "r-1",
            ),
            {"bank": {"k": "v"}},
        ),
        "2026-01-02T03:04:06.500001Z",
        "key-1",
        "JEoHsGmxNFez4EQGL2CcZv11TEcsF/v25WYa5lsyI9E=",
    ),
    (
        chain.SetMetadataJson("ACCOUNT", "till:1", {"tier": "gold"}),
        "2026-01-02T03:04:07.12Z",
        "",
        "grdeY8BCBk5bXZ5QR9t560cGTsanIJ4BaaddYkgl3Gw=",
    ),
    (
        chain.SetMetadataJson("TRANSACTION", 1, {"note": "ok"}),
        "2026-01-02T03:04:08Z",
        "",
        "jkqMgpTxpL/KoGEHkDYFkvgHR5vpPurE7Ym0+2ZViOo=",
    ),
    (
        chain.DeleteMetadataJson("TRANSACTION", 1, "note"),
        "2026-01-02T03:04:09Z",
        "",
        "jCvv+FdXbus0z5SOzYGgtPHr2qjKktBXlOCFRFXlVYU=",
    ),
    (
        chain.RevertedTransactionJson(
            transaction(2, "2026-01-02T03:04:06.5Z", ("till:1", "bank", 100, "EUR/2")),
            transaction(3, "2026-01-02T03:04:10Z", ("bank", "till:1", 100, "EUR/2"), REVERTS),
        ),
        "2026-01-02T03:04:10Z",
        'k"q',
        "yve+Z1fLbecB+2OPV1VAh/H40gKp86AkthQ8JkekHxE=",
    ),
    (
        chain.SetMetadataJson("ACCOUNT", "till:1", {"z": "1"}),
        "2026-01-02T03:04:11Z",
        "ké",
        "TwAraUBZOUQZyugEP5Tz1wTS/egME98+4INp4rJeedg=",
    ),
]


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_specified_vectors(number):
    data, date, key, expected = VECTORS[number]
    previous = b64decode(VECTORS[number - 1][3]) if number else b""
    found = chain.chain(previous, chain.log_type(data), chain.memento(data), parse_time(date), key)
    assert b64encode(found).decode() == expected


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_what_is_stored_hashes_like_what_was_made(number):
    data = VECTORS[number][0]
    again = chain.decode_data(chain.log_type(data), chain.encode_data(data))
    assert chain.memento(again) == chain.memento(data)


def go_json(value) -> str:
    """An independent writer of Go's compact JSON, on the standard library."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


NASTY = '\x00\x01\b\f\n\r\t\x1f\x7f"\\/<>&\u2028\u2029é😀'


@pytest.mark.parametrize("previous", [b"", bytes(range(32))])
def test_a_second_implementation_agrees(previous):
    """Invariant 5: two independent implementations agree, on control characters and big numbers too."""
    data = chain.NewTransactionJson(
        transaction(7, "2026-01-02T03:04:05Z", ("world", "a", 2**80, "X"), {"z": NASTY, NASTY: "a"}), None
    )
    core = {
        "postings": [{"source": "world", "destination": "a", "amount": 2**80, "asset": "X"}],
        "metadata": {NASTY: "a", "z": NASTY},
        "timestamp": "2026-01-02T03:04:05Z",
        "id": 7,
        "reverted": False,
    }
    kept = go_json({"transaction": core, "accountMetadata": None})
    line = '{"type":"NEW_TRANSACTION","data":' + kept + ',"date":"1970-01-01T00:00:00Z"'
    line += ',"idempotencyKey":"","id":0,"hash":null}\n'
    head = '"' + b64encode(previous).decode() + '"\n' if previous else ""
    expected = hashlib.sha256((head + line).encode()).digest()
    assert chain.chain(previous, "NEW_TRANSACTION", chain.memento(data), 0) == expected


def test_a_schema_is_hashed_as_given():
    data = chain.InsertedSchemaJson(Raw(b'{"chart":{"a":"<"},"version":"1"}'))
    assert chain.memento(data) == b'{"schema":{"chart":{"a":"\\u003c"},"version":"1"}}'


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000, "1970-01-01T00:00:01.5Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_without_trailing_zeros(us, text):
    assert format_time(us) == text
    assert parse_time(text) == us


def recorded_chains():
    """Logs of real ledgers with their hashes, from recordings where they are there."""
    for path in sorted(TRANSCRIPTS.glob("ledger_v2_*.jsonl")):
        for line in filter(None, path.read_text("utf-8").split("\n")):
            scenario = json.loads(line)
            for number, step in enumerate(scenario["steps"]):
                text = step.get("request", {}).get("text", "")
                if text.startswith('{"type"') and step["response"]["status"] == 204 and "{{" not in text:
                    yield pytest.param(text, id=f"{scenario['id']}-{number}")


def canonical(log) -> bool:
    """Whether a log is written as it is read back; reading other forms is the ledger service's business."""
    times = [log["date"], log["data"].get("transaction", {}).get("timestamp", log["date"])]
    schema = log["type"] == "INSERTED_SCHEMA"
    return not schema and all(format_time(parse_time(time)) == time for time in times)


NONE = pytest.param("", marks=pytest.mark.skip(reason=f"no recordings in {TRANSCRIPTS} (BURSAR_SHARED)"))


@pytest.mark.parametrize("text", list(recorded_chains()) or [NONE])
def test_recorded_chains(text):
    """A real ledger accepted these hashes: so must this kernel."""
    decoder, position = json.JSONDecoder(), 0
    previous = b"" if '"id":1,' in text else None
    while position < len(text):
        log, end = decoder.raw_decode(text, position)
        position = end + len(text[end:]) - len(text[end:].lstrip())
        given = log.get("hash")
        if previous is not None and given and canonical(log):
            kept = chain.memento(chain.decode_data(log["type"], json.dumps(log["data"]).encode()))
            found = chain.chain(previous, log["type"], kept, parse_time(log["date"]), log["idempotencyKey"])
            assert b64encode(found).decode() == given
        previous = b64decode(given) if given else None
