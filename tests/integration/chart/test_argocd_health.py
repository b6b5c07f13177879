"""What Argo CD says of Penstock's resources, by the Lua that is shipped for it."""

import re
from typing import Any

import pytest
import yaml
from chart_release import ROOT
from lupa import lua51

SCRIPT = ROOT / "config" / "argocd" / "argocd-cm.yaml"
SOURCES = ROOT / "operator" / "penstock_operator"


def script() -> str:
    text = yaml.safe_load(SCRIPT.read_text(encoding="utf-8"))["data"]["resource.customizations"]
    found: str = yaml.safe_load(text)["penstock.dev/*"]["health.lua"]
    return found


def health(status: dict[str, Any] | None, generation: int = 2) -> str:
    """Argo CD's verdict on a resource, by the Lua that it has: version 5.1."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    given = {"metadata": {"generation": generation}, **({} if status is None else {"status": status})}
    lua.globals().obj = lua.table_from(given, recursive=True)
    return str(lua.execute(script())["status"])


def conditions(ready: str, reason: str, accepted: str = "True", observed: int = 2) -> dict[str, Any]:
    found = [
        {"type": "Accepted", "status": accepted, "reason": "Accepted", "message": ""},
        {"type": "Ready", "status": ready, "reason": reason, "message": "why"},
    ]
    return {"observedGeneration": observed, "conditions": found}


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (None, "Progressing"),
        ({"observedGeneration": 2}, "Progressing"),
        (conditions("True", "Ready"), "Healthy"),
        (conditions("True", "Ready", observed=1), "Progressing"),
        (conditions("False", "InvalidExpression", accepted="False", observed=1), "Progressing"),
        (conditions("False", "Pending"), "Progressing"),
        (conditions("False", "NoGateway"), "Progressing"),
        (conditions("False", "ApiNotFound"), "Progressing"),
        (conditions("False", "PodError"), "Degraded"),
        (conditions("False", "InvalidExpression", accepted="False"), "Degraded"),
        (conditions("False", "PendingApproval", accepted="False"), "Suspended"),
        (conditions("False", "Stopped"), "Suspended"),
    ],
)
def test_health_follows_the_condition_ready(status: dict[str, Any] | None, wanted: str) -> None:
    assert health(status) == wanted


def test_every_reason_that_it_knows_is_one_of_the_operator() -> None:
    reasons = set(re.findall(r"(\w+) = true", script()))
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    assert len(reasons) == 8
    assert {reason for reason in reasons if f'"{reason}"' not in code} == set()
