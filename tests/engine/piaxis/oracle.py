"""A second, naive implementation of the rail's rules, to compare random histories with. Shares no code with it.

Knows the sandbox only: one merchant, UGX, MTN, no fees. Everything is plain dictionaries; amounts are minor units,
times microseconds. An action returns None, or the code of the refusal that it must meet, and then changes nothing.
"""

from typing import Any

SECOND = 1_000_000
DELAY = 2 * SECOND
"""From a disbursement's creation until it is carried out."""
SCRIPTS: dict[str, list[tuple[int, bool]]] = {
    # behaviour: reports as (after, paid)
    "ok": [(SECOND // 5, True)],
    "slow": [(20 * SECOND, True)],
    "decline": [(SECOND // 5, False)],
    "silent": [],
    "callback_lost": [(60 * SECOND, True)],
    "late": [(900 * SECOND, True)],
    "duplicated": [(SECOND // 5, True), (2 * SECOND // 5, True), (3 * SECOND // 5, True)],
    "contradicted": [(SECOND // 5, False), (30 * SECOND, True)],
}
PHONES = {
    "ok": "+256700009900",
    "slow": "+256700009901",
    "decline": "+256700009902",
    "silent": "+256700009905",
    "callback_lost": "+256700009906",
    "late": "+256700009907",
    "duplicated": "+256700009908",
    "contradicted": "+256700009910",
}
EDGES = {
    "pending": {"pending", "disputed", "released", "reversed", "cancelled"},
    "disputed": {"disputed", "pending", "released", "reversed"},
    "released": {"released"},
    "reversed": {"reversed"},
    "cancelled": {"cancelled"},
}
"""Which words may follow which in an escrow's answers (B5.4)."""
BATCH_EDGES = {
    "pending": {"pending", "processing", "cancelled", "completed", "partially_completed", "failed"},
    "processing": {"processing", "completed", "partially_completed", "failed"},
    "completed": {"completed"},
    "partially_completed": {"partially_completed"},
    "failed": {"failed"},
    "cancelled": {"cancelled"},
}
"""The same for disbursements (B6) and escrow disbursements (B7)."""


class Oracle:
    """What the rail should hold and say."""

    def __init__(self, now: int, *, instant: bool) -> None:
        self.now = now
        self.instant = instant
        self.money = {"merchant": 100_000_000, "customer": 5_000_000, "recipient": 0, "mtn": -200_000_000}
        self.payouts = ""
        """The behaviour that an operator's rule gives to payouts; empty: the phone number decides."""
        self.escrows: dict[str, dict[str, Any]] = {}
        self.batches: dict[str, list[str]] = {}
        """Escrow disbursements: the escrows of each."""
        self.disbursements: dict[str, dict[str, Any]] = {}
        self.coming: list[tuple[int, int, Any]] = []
        """What will happen: (when, order, what to do)."""
        self.count = 0

    # Money and time.

    def move(self, source: str, target: str, amount: int) -> None:
        self.money[source] = self.money.get(source, 0) - amount
        self.money[target] = self.money.get(target, 0) + amount

    def at(self, when: int, act: Any) -> None:
        self.count += 1
        self.coming.append((when, self.count, act))

    def pass_time(self, now: int) -> None:
        while self.coming and min(self.coming)[0] <= now:
            first = min(self.coming)
            self.coming.remove(first)
            self.now = first[0]
            first[2]()
        self.now = now

    def boundary(self) -> int | None:
        """When something happens by itself next: a report, a lock that ends, a term that expires."""
        times = [when for when, _, _ in self.coming]
        for escrow in self.escrows.values():
            if escrow["state"] in ("held", "disputed"):
                for term in escrow["terms"]:
                    times += [escrow["funded"] + term["wait"], term["until"] or 0]
        return min((at for at in times if at > self.now), default=None)

    def instruct(self, behaviour: str, amount: int, *, out: bool, done: Any) -> None:
        """A provider is told to pay; `done` is called with the first outcome, what contradicts it is suspended."""
        state: dict[str, Any] = {"outcome": None, "suspended": False}

        def report(paid: bool) -> None:
            if state["outcome"] is None:
                state["outcome"] = paid
                done(paid)
            elif paid and not state["outcome"] and not state["suspended"]:
                state["suspended"] = True
                self.move(*(("suspense", "mtn") if out else ("mtn", "suspense")), amount)

        for after, paid in SCRIPTS[behaviour]:
            self.at(self.now + after, lambda paid=paid: report(paid))

    def pay_out(self, source: str, back: str, phone: str, amount: int, done: Any = lambda paid: None) -> None:
        """Money leaves for a phone; what cannot be paid goes `back`."""
        self.move(source, "inflight", amount)

        def outcome(paid: bool) -> None:
            self.move("inflight", "mtn" if paid else back, amount)
            done(paid)

        self.instruct(self.payouts or _behaviour(phone), amount, out=True, done=outcome)

    # Escrows.

    def open(
        self,
        id: str,
        payer: str,
        amount: int,
        slices: dict[str, int],
        terms: list[dict[str, Any]],
    ) -> str | None:
        """An escrow of a buyer at a phone, or of "customer" with his wallet."""
        if payer == "customer" and self.money["customer"] < amount:
            return "INSUFFICIENT_FUNDS"
        escrow = self._new(id, amount, slices, terms)
        escrow |= {"sender": payer, "receiver": "merchant"}
        if payer == "customer":
            self._fund(escrow, "customer")
        elif self.instant and _behaviour(payer) == "ok":
            self._fund(escrow, "mtn")
        else:

            def done(paid: bool) -> None:
                if paid:
                    self._fund(escrow, "mtn")
                else:
                    escrow["state"] = "cancelled"
                    escrow["slices"] = {
                        key: (part, "reversed") for key, (part, _) in escrow["slices"].items()
                    }

            self.instruct(_behaviour(payer), amount, out=False, done=done)
        return None

    def _new(
        self, id: str, amount: int, slices: dict[str, int], terms: list[dict[str, Any]]
    ) -> dict[str, Any]:
        self.escrows[id] = {
            "id": id,
            "state": "awaiting",
            "amount": amount,
            "slices": {key: (part, "pending") for key, part in slices.items()},
            "rest": amount - sum(slices.values()),
            "released": 0,
            "reversed": 0,
            "terms": [dict(term, met=False) for term in terms],
            "funded": None,
        }
        return self.escrows[id]

    def _fund(self, escrow: dict[str, Any], source: str) -> None:
        escrow["state"], escrow["funded"] = "held", self.now
        self.move(source, f"escrow:{escrow['id']}", escrow["amount"])

    def held(self, id: str) -> int:
        return self.money.get(f"escrow:{id}", 0)

    def met(self, id: str, position: int) -> bool:
        """Whether a term is met. Locks count from funding, and stop counting when the escrow ends."""
        escrow = self.escrows[id]
        term = escrow["terms"][position]
        if term["type"] != "lock" or escrow["funded"] is None:
            return bool(term["met"])
        due = escrow["funded"] + term["wait"]
        in_time = term["until"] is None or due <= term["until"]
        return in_time and due <= min(self.now, escrow.get("ended", self.now))

    def terms(self, id: str) -> list[tuple[bool, bool]]:
        """Of each term: whether it is met, and whether it expired. Nothing expires before there is money."""
        escrow = self.escrows[id]
        known = []
        for position, term in enumerate(escrow["terms"]):
            met, until = self.met(id, position), term["until"]
            over = until is not None and until <= min(self.now, escrow.get("ended", self.now))
            known.append((met, over and not met and escrow["funded"] is not None))
        return known

    def all_met(self, id: str, *, but: str = "") -> bool:
        terms = self.escrows[id]["terms"]
        return all(self.met(id, n) for n, term in enumerate(terms) if term["type"] != but)

    def fulfil(self, id: str, position: int) -> str | None:
        """A good rating by the right person, or an attempt on a term of another kind."""
        escrow = self.escrows[id]
        term = escrow["terms"][position]
        if self.met(id, position):
            return None
        if escrow["state"] not in ("held", "disputed"):
            return _refusal(escrow)
        if term["until"] is not None and self.now >= term["until"]:
            return "TERM_EXPIRED"
        if term["type"] != "rating":
            return "TERM_NOT_FULFILLABLE"
        term["met"] = True
        return None

    def release(self, id: str, keys: list[str], amount: int | None, *, force: bool) -> str | None:
        return self._act(id, keys, amount, "released", force=force)

    def reverse(self, id: str, keys: list[str], amount: int | None) -> str | None:
        return self._act(id, keys, amount, "reversed", force=False)

    def _act(self, id: str, keys: list[str], amount: int | None, word: str, *, force: bool) -> str | None:
        escrow = self.escrows[id]
        if escrow["state"] != "held":
            return _refusal(escrow)
        taken = self._choose(escrow, keys, amount)
        if isinstance(taken, str):
            return taken
        if word == "released" and not force and not self.all_met(id, but="manual"):
            return "TERMS_NOT_MET"
        if word == "reversed" and self.all_met(id):
            return "TERMS_MET"
        self._take(escrow, taken[0], taken[1], word)
        return None

    def _choose(
        self, escrow: dict[str, Any], keys: list[str], amount: int | None
    ) -> tuple[list[str], int] | str:
        slices, held = escrow["slices"], self.held(escrow["id"])
        if keys:
            if any(key not in slices for key in keys):
                return "INVALID"
            if amount is not None and amount != sum(slices[key][0] for key in keys):
                return "INVALID"
            if any(slices[key][1] != "pending" for key in keys):
                return "ALLOCATION_SETTLED"
            return keys, 0
        if amount is None or amount == held:
            return [key for key, (_, status) in slices.items() if status == "pending"], escrow["rest"]
        if amount > held:
            return "AMOUNT_EXCEEDS_HELD"
        return "INVALID" if amount > escrow["rest"] else ([], amount)

    def _take(self, escrow: dict[str, Any], keys: list[str], rest: int, word: str) -> None:
        total = rest + sum(escrow["slices"][key][0] for key in keys)
        for key in keys:
            escrow["slices"][key] = (escrow["slices"][key][0], word)
        escrow["rest"] -= rest
        escrow[word] += total
        self._give(escrow, word, total)
        self._end(escrow, by_release=word == "released")

    def _give(self, escrow: dict[str, Any], word: str, amount: int) -> None:
        side = escrow["receiver" if word == "released" else "sender"]
        source = f"escrow:{escrow['id']}"
        if side.startswith("+"):
            payable = f"payable:{escrow['id']}"
            if amount:
                self.pay_out(source, payable, side, amount)
        else:
            self.move(source, side, amount)

    def _end(self, escrow: dict[str, Any], *, by_release: bool) -> None:
        if self.held(escrow["id"]):
            return
        escrow["state"] = "released" if escrow["released"] else "reversed"
        escrow["ended"] = self.now
        if by_release:
            for term in escrow["terms"]:
                expired = term["until"] is not None and self.now >= term["until"]
                if term["type"] == "manual" and not expired:
                    term["met"] = True

    def dispute(self, id: str) -> str | None:
        escrow = self.escrows[id]
        if escrow["state"] != "held":
            return _refusal(escrow)
        escrow["state"] = "disputed"
        return None

    def resolve(self, id: str, release: int, reverse: int) -> str | None:
        escrow = self.escrows[id]
        if escrow["state"] != "disputed":
            return "INVALID_STATE"
        if release + reverse != self.held(id) or min(release, reverse) < 0:
            return "INVALID"
        left = release
        for key, (amount, status) in escrow["slices"].items():
            if status == "pending":
                escrow["slices"][key] = (amount, "released" if left else "reversed")
                left -= min(left, amount)
        escrow["rest"] = 0
        escrow["released"] += release
        escrow["reversed"] += reverse
        self._give(escrow, "released", release)
        self._give(escrow, "reversed", reverse)
        self._end(escrow, by_release=release > 0)
        return None

    def dismiss(self, id: str) -> str | None:
        if self.escrows[id]["state"] != "disputed":
            return "INVALID_STATE"
        self.escrows[id]["state"] = "held"
        return None

    # Escrow disbursements.

    def open_batch(self, id: str, items: list[dict[str, Any]]) -> str | None:
        """`items` have id, to ("recipient" or a phone), amount and terms."""
        if self.money["merchant"] < sum(item["amount"] for item in items):
            return "INSUFFICIENT_FUNDS"
        for item in items:
            escrow = self._new(item["id"], item["amount"], {}, item["terms"])
            escrow |= {"sender": "merchant", "receiver": item["to"]}
            self._fund(escrow, "merchant")
        self.batches[id] = [item["id"] for item in items]
        return None

    def release_batch(self, id: str, *, force: bool) -> dict[str, str]:
        """What becomes of each escrow: released, skipped or failed."""
        done = {}
        for each in self.batches[id]:
            state = self.escrows[each]["state"]
            if state == "disputed":
                done[each] = "failed"
            elif state != "held" or self.release(each, [], None, force=force) is not None:
                done[each] = "skipped"
            else:
                done[each] = "released"
        return done

    def cancel_batch(self, id: str) -> str | None:
        still = [each for each in self.batches[id] if self.escrows[each]["state"] in ("held", "disputed")]
        if not still:
            return "INVALID_STATE"
        if any(self.escrows[each]["state"] == "disputed" for each in still):
            return "ESCROW_DISPUTED"
        if any(self.all_met(each) for each in still):
            return "TERMS_MET"
        for each in still:
            assert self.reverse(each, [], None) is None
        return None

    def batch_status(self, id: str) -> str:
        states = [self.escrows[each]["state"] for each in self.batches[id]]
        if any(state in ("held", "disputed") for state in states):
            return "pending"
        if all(state == "released" for state in states):
            return "completed"
        return "partially_completed" if "released" in states else "cancelled"

    # Disbursements.

    def disburse(self, id: str, items: list[tuple[str, int]]) -> str | None:
        """`items` are (to, amount), to "recipient" or a phone."""
        total = sum(amount for _, amount in items)
        if self.money["merchant"] < total:
            return "INSUFFICIENT_FUNDS"
        self.move("merchant", "held", total)
        self.disbursements[id] = {
            "status": "pending",
            "items": [{"to": to, "amount": amount, "status": "pending"} for to, amount in items],
        }
        self.at(self.now + DELAY, lambda: self._start(self.disbursements[id]))
        return None

    def _start(self, batch: dict[str, Any]) -> None:
        if batch["status"] != "pending":
            return
        batch["status"] = "processing"
        for item in batch["items"]:
            if item["to"] == "recipient":
                self.move("held", "recipient", item["amount"])
                item["status"] = "succeeded"
            else:
                item["status"] = "processing"

                def done(paid: bool, item: dict[str, Any] = item) -> None:
                    item["status"] = "succeeded" if paid else "failed"
                    self._finish(batch)

                self.pay_out("held", "merchant", item["to"], item["amount"], done)
        self._finish(batch)

    def _finish(self, batch: dict[str, Any]) -> None:
        states = {item["status"] for item in batch["items"]}
        if "processing" not in states:
            both = states >= {"succeeded", "failed"}
            batch["status"] = (
                "partially_completed" if both else "failed" if "failed" in states else "completed"
            )

    def cancel(self, id: str) -> str | None:
        batch = self.disbursements[id]
        if batch["status"] != "pending":
            return "INVALID_STATE"
        batch["status"] = "cancelled"
        for item in batch["items"]:
            item["status"] = "cancelled"
            self.move("held", "merchant", item["amount"])
        return None


def _behaviour(phone: str) -> str:
    return next(name for name, number in PHONES.items() if number == phone)


def _refusal(escrow: dict[str, Any]) -> str:
    return {"awaiting": "ESCROW_NOT_FUNDED", "disputed": "ESCROW_DISPUTED"}.get(
        escrow["state"], "INVALID_STATE"
    )
