"""Many clients at once: a race from one starting gun, and a steady load."""

import threading


def race(n, f):
    """Runs f(0) ... f(n - 1) in n threads that start together; what they
    returned, in order. The first exception is raised here."""
    gun = threading.Barrier(n)
    results, errors = [None] * n, []

    def one(i):
        try:
            gun.wait()
            results[i] = f(i)
        except Exception as e:  # raised below, in the test's thread
            errors.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results


class Load:
    """n threads that call f(i) again and again:

        with Load(32, f) as load:
            until(lambda: load.done >= 1000)

    Afterwards load.results holds what the calls returned; an exception of a
    call is a result too."""

    def __init__(self, n, f):
        self.f, self.results = f, []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,))
                        for i in range(n)]

    @property
    def done(self):
        return len(self.results)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for t in self.threads:
            t.join()

    def _run(self, i):
        while not self.ended.is_set():
            try:
                result = self.f(i)
            except Exception as e:
                result = e
            self.results.append(result)  # one operation: no lock is needed
