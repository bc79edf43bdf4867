"""The deployment's own binary, as an operator has it."""

import functools

import pytest

from support import cli


@pytest.fixture
def mg(deployment):
    return functools.partial(cli.run, deployment)
