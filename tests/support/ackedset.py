"""The acked set: what was acknowledged is there, what was refused is not.

Every write carries a value of its own. `ok` is for an acknowledged write,
`fail` for one that was refused with certainty, `unknown` for one whose answer
was lost: it may be there or not."""

import threading


class AckedSet:
    def __init__(self):
        self.lock = threading.Lock()
        self.acked, self.refused, self.unclear = set(), set(), set()

    def ok(self, value):
        with self.lock:
            self.acked.add(value)

    def fail(self, value):
        with self.lock:
            self.refused.add(value)

    def unknown(self, value):
        with self.lock:
            self.unclear.add(value)

    def write(self, value, call, refused=()):
        """Runs call() and files value by its answer: 200 is ok, a status in
        `refused` a certain refusal, all else unknown. Returns the status, or
        None when there was no answer."""
        try:
            status = call().status
        except OSError:
            status = None
        except Exception:  # http.client's: the answer was cut
            status = None
        if status == 200:
            self.ok(value)
        elif status in refused:
            self.fail(value)
        else:
            self.unknown(value)
        return status

    def check(self, final, acked_at_least=1):
        """final: every value that is there in the end, duplicates too. A run
        with too few acknowledged writes proves nothing and fails."""
        final = list(final)
        there = set(final)
        assert len(self.acked) >= acked_at_least, (
            f"invalid run: only {len(self.acked)} writes were acknowledged")
        lost = self.acked - there
        phantom = there - self.acked - self.unclear
        assert not lost, f"{len(lost)} acknowledged writes lost: {_few(lost)}"
        assert not phantom, (f"{len(phantom)} writes that were refused or "
                             f"never made are there: {_few(phantom)}")
        assert len(final) == len(there), "a write took effect twice"


def _few(values):
    return sorted(map(str, values))[:10]
