"""Fixtures and rules of all wire tests; README.md tells how they are used."""

import os

import pytest

from support import coverage, limit
from support.deployment import Pool
from support.results import Results, Writer
from support.store import rows
from support.words import fresh as fresh_word

LOGS = pytest.StashKey()
RESULTS = os.environ.get("METAGATE_TEST_RESULTS")
RESULTS = Writer(RESULTS) if RESULTS else None


# ---- fixtures ----

@pytest.fixture(scope="session")
def pool():
    pool = Pool()
    yield pool
    pool.stop()


@pytest.fixture(scope="module")
def environment():
    """Settings that a module finds out when it begins, beside those of its
    mark `config`: it defines this anew, and is marked."""
    return {}


@pytest.fixture
def deployment(request, pool, environment):
    """The deployment this test runs on: the shared one of its build; with a
    mark `fault` or `config` one that its module has for itself."""
    name = "shared"
    config = request.node.get_closest_marker("config")
    if config or request.node.get_closest_marker("fault"):
        name = request.module.__name__.rpartition(".")[2]
        environment = {**environment, **(config.kwargs if config else {})}
    profile = request.node.get_closest_marker("profile")
    build = os.environ.get("METAGATE_TEST_BUILD", "asan")  # tests/mutants
    deployment = pool.get("release" if profile else build, environment, name)
    request.node.stash[LOGS] = (deployment, deployment.log_sizes())
    yield deployment
    reports = deployment.new_reports()
    if name == "shared" and "ticdc" in request.node.nodeid:
        _stop_feeds(deployment)
    if name != "shared":
        _settle(request.node, pool, deployment)
    assert not reports, "\n".join(reports)


def _stop_feeds(deployment):
    """Each changefeed that runs takes connections of the store's server, and
    hundreds are made from examples."""
    with deployment.sql() as sql:
        rows(sql, "UPDATE ticdc_changefeed SET state = 'stopped',"
             " epoch = epoch + 1"
             " WHERE state IN ('normal', 'warning', 'pending')")
        sql.commit()


def _settle(test, pool, deployment):
    """After a fault: healthy again, or the next test gets a new one."""
    if deployment.failed:
        pool.drop(deployment)
        return
    try:
        deployment.wait_ready()
    except AssertionError:
        deployment.failed = True
        pool.drop(deployment)
        raise


@pytest.fixture
def fresh():
    """fresh("prefix"): a name that no other test uses."""
    return fresh_word


@pytest.fixture
def console(deployment):
    return deployment.client("console")


@pytest.fixture
def doris(deployment):
    """The Doris Meta Service with the first token (admin)."""
    return deployment.client("doris", prefix="/MetaService/http")


@pytest.fixture
def sql(deployment):
    connection = deployment.sql()
    yield connection
    connection.close()


# ---- rules ----

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped or hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing is skipped here: {report.longrepr}"
    if report.failed and LOGS in item.stash:
        deployment, sizes = item.stash[LOGS]
        deployment.failed = True
        report.sections.append(("logs meanwhile",
                                deployment.log_since(sizes)))


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    report = (yield).get_result()
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing is skipped here: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    with limit.limited(limit.of(item), f"setup of {item.nodeid}"):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    coverage.pause("generated" in item.nodeid
                   or "expected" in item.nodeid)
    with limit.limited(limit.of(item), item.nodeid):
        yield
    coverage.pause(False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    with limit.limited(limit.of(item), f"teardown of {item.nodeid}"):
        yield


def pytest_collection_modifyitems(items, config):
    """What fails quickly stands first: generated and dialects' tests, then
    those on a deployment of their own. What a process before this one has
    begun (tests/run says so) is not run again."""
    begun = Results(RESULTS.path).started if RESULTS else set()
    if begun:
        config.hook.pytest_deselected(
            items=[item for item in items if item.nodeid in begun])
        items[:] = [item for item in items if item.nodeid not in begun]
    items.sort(key=lambda item: bool(item.get_closest_marker("config")
                                     or item.get_closest_marker("fault")))


# ---- what tests/run reads ----

def pytest_runtest_protocol(item):
    if RESULTS:
        RESULTS.start(item.nodeid, limit.of(item))


def pytest_runtest_logreport(report):
    if RESULTS:
        RESULTS.phase(report.nodeid, report.outcome, report.longreprtext)


def pytest_runtest_logfinish(nodeid):
    if RESULTS:
        RESULTS.end(nodeid)


def pytest_collectreport(report):
    if RESULTS and report.failed:
        RESULTS.note("broken", report.nodeid)


def pytest_sessionfinish(exitstatus):
    if os.environ.get("METAGATE_TEST_COVERAGE"):
        coverage.save(os.environ["METAGATE_TEST_COVERAGE"])
    if RESULTS:
        RESULTS.note("finished", int(exitstatus))
