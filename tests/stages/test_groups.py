"""The client's group is in the query from here on."""

from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec
from namewarden.query import Answer, Query
from namewarden.stages.groups import groups
from tests.policy.made import snapshot_of


async def test_the_query_below_has_its_group(tmp_path):
    kids = GroupSpec(name="kids", clients=("192.0.2.0/24",))
    policy = Policy(snapshot_of(tmp_path, {}, groups=(GroupSpec(name="default"), kids)))
    seen = []

    async def following(query):
        seen.append(query.group)
        return Answer(0)

    stage = groups(lambda: policy)
    for client in ("192.0.2.1", "198.51.100.1"):
        await stage(Query(1, "a.test.", 1, client, "udp", 0.0, b""), following)
    assert seen == ["kids", "default"]
