"""Profiles of meta and replica servers; the protocol itself is tested with
the console's."""

import re

import pytest

from support.pegasus import METAS

pytestmark = pytest.mark.profile
SERVERS = [f"pegasus-meta/{m}" for m in METAS] + [
    f"pegasus-replica/r{k}" for k in (1, 2, 3)]


@pytest.mark.parametrize("listener", SERVERS)
@pytest.mark.parametrize("prefix", ["/pprof", "/debug/pprof"])
def test_every_server_profiles_itself(deployment, listener, prefix):
    client = deployment.client(listener, "profile", timeout=60)
    symbols = client.get(prefix + "/symbol")
    assert symbols.status == 200
    assert symbols.text.startswith("num_symbols: ")
    command = client.get(prefix + "/cmdline").text.splitlines()
    assert "serve" in command
    # one process answers all of it: listener k has worker k - 1
    rank = int(listener[-1]) - 1
    assert command[command.index("--id") + 1] == str(rank % 2)
    profile = client.get(prefix + "/profile?seconds=0")
    assert profile.status == 200 and b"/metagate" in profile.body
    heap = client.get(prefix + "/heap")
    assert heap.status == 200 and heap.text.startswith("heap profile: ")
    assert client.get(prefix + "/growth").status == 200
    named = client.post(prefix + "/symbol", "0x1+0x2")
    assert named.text.splitlines() == ["0x00000001\t0x00000001",
                                       "0x00000002\t0x00000002"]


def test_functions_of_cplusplus_have_the_names_of_their_source(deployment):
    client = deployment.client("pegasus-replica/r1", "profile", timeout=60)
    stacks = client.get("/pprof/growth").text.split("MAPPED_LIBRARIES")[0]
    addresses = sorted(set(re.findall(r"0x[0-9a-f]+", stacks)))
    names = [line.split("\t")[1] for line in
             client.post("/pprof/symbol", "+".join(addresses)).text.splitlines()]
    assert len(names) == len(addresses)
    assert any(name.startswith("tcmalloc::") for name in names)
    assert not any(name.startswith("_Z") or "(" in name for name in names)


@pytest.mark.parametrize("path", ["/pprof/symbol", "//pprof///cmdline"])
def test_profiles_need_their_scope(deployment, path):
    r = deployment.client("pegasus-meta/m2", "write").get(path)
    assert (r.status, r.text) == (403, "ERR_ACL_DENY")
    assert deployment.client("pegasus-meta/m2",
                             "profile").get(path).status == 200
