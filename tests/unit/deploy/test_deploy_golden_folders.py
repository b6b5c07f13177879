"""Golden folders: a GatewayDeployment in, the objects that run it out."""

import pytest
import yaml
from deployments import CONTEXT, GOLDEN, SITUATIONS, of_situation

from penstock_operator.deploy.build import gateway_objects


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_gateway_deployment_gives_its_golden_objects(situation: str, rewrite: bool) -> None:
    found = list(gateway_objects(of_situation(situation), CONTEXT))
    golden = GOLDEN / situation / "out.yaml"
    if rewrite:
        golden.write_text(yaml.dump_all(found, Dumper=_Dumper, sort_keys=False, width=108))
    assert found == list(yaml.safe_load_all(golden.read_text()))
