"""nginx with workers that the test itself answers for: support/front.py."""

import pytest

from support import fastcgi
from support.front import Front


@pytest.fixture(scope="session")
def shared_front():
    front = Front()
    try:
        yield front.start()
    finally:
        front.stop()


@pytest.fixture
def front(shared_front):
    """With the settings of a mark `config`, and an echo for a worker."""
    shared_front.workers.answer = fastcgi.echo
    shared_front.workers.seen.clear()
    return shared_front


@pytest.fixture
def settings(front):
    """settings(METAGATE_...="...") until the end of the test."""
    yield lambda **more: front.configure(**more)
    front.configure()
