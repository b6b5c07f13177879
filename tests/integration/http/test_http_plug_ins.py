"""A plug-in's failure is the trouble of its request alone."""

import json

from gateway_runtime.snapshot.types import Flow, Step

PLUG_IN = """
import asyncio
from gateway_runtime.exchange import Reply
from gateway_runtime.policies.base import PolicyConfiguration, PolicyType

class Slow(PolicyConfiguration):
    pass

def request(configuration, environment):
    async def answer():
        await asyncio.sleep(0)
        return Reply(200, "", "fine", [("X-Split", "a\\r\\nb: c")])
    return lambda exchange: answer()

POLICY = PolicyType("slow", Slow, request=request)
"""


async def test_a_waiting_step_that_answers_what_cannot_be_sent_fails_at_once(
    serve, backend, api, install
) -> None:
    install("slow_plug_in", PLUG_IN, slow="slow_plug_in:POLICY")
    flow = Flow(name="f", request=(Step(policy="slow"),))
    service = await serve(api(backend.url, flows=(flow,)))
    answer = await service.get()
    assert (answer.status, json.loads(answer.body)["key"]) == (500, "GATEWAY_POLICY_FAILED")
    assert backend.count == 0
