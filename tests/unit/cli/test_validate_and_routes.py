"""`penstock validate` and `penstock routes`, run as commands on real folders."""

import json
from pathlib import Path

from click.testing import CliRunner

from penstock_operator.cli.routes import routes
from penstock_operator.cli.validate import validate

GOLDEN = Path(__file__).parents[2] / "golden"
GOOD = str(GOLDEN / "an-api-key-plan-with-a-subscription" / "in")
KAFKA = str(GOLDEN / "every-field-of-a-kafka-api-is-published" / "in")
BROKEN = str(GOLDEN / "a-plan-of-a-missing-api" / "in")
WARNING = str(GOLDEN / "an-api-without-plans-refuses-requests" / "in")


def test_a_good_folder_passes() -> None:
    result = CliRunner().invoke(validate, ["-f", GOOD])
    assert (result.exit_code, result.output) == (0, "4 resources, 0 errors, 0 warnings\n")


def test_an_error_shows_its_place_and_fails() -> None:
    result = CliRunner().invoke(validate, ["-f", BROKEN])
    first, summary = result.output.splitlines()
    assert first == (
        f"{BROKEN}/shop.yaml:14: error: Plan shop/open spec.apiRef.name: "
        "there is no ApiDefinition shop/order, did you mean `shop/orders`? (ApiNotFound)"
    )
    assert summary == "3 resources, 1 error, 0 warnings"
    assert result.exit_code == 1


def test_a_warning_alone_passes() -> None:
    result = CliRunner().invoke(validate, ["-f", WARNING])
    assert "1 warning" in result.output
    assert result.exit_code == 0


def test_problems_are_printed_as_json() -> None:
    result = CliRunner().invoke(validate, ["-f", BROKEN, "-o", "json"])
    document = json.loads(result.output)
    assert document["summary"] == {"resources": 3, "errors": 1, "warnings": 0}
    assert document["problems"][0]["field"] == "spec.apiRef.name"
    assert document["problems"][0]["line"] == 14


def test_a_folder_without_resources_fails(tmp_path: Path) -> None:
    result = CliRunner().invoke(validate, ["-f", str(tmp_path)])
    assert "NoResources" in result.output
    assert result.exit_code == 1


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(validate, ["-f", str(tmp_path / "none")]).exit_code == 2
    assert CliRunner().invoke(routes, ["-f", str(tmp_path / "none")]).exit_code == 2


def test_routes_are_a_table() -> None:
    result = CliRunner().invoke(routes, ["-f", GOOD])
    head, row = (line.split() for line in result.output.splitlines())
    assert head == ["HOST", "PATH", "API", "PLANS", "ENDPOINTS", "GATEWAY"]
    assert row == ["*", "/orders", "shop/orders", "gold", "(apiKey)", "http://orders:8080", "default/default"]


def test_routes_of_kafka_apis_are_where_clients_begin() -> None:
    result = CliRunner().invoke(routes, ["-f", KAFKA, "-o", "json"])
    rows = {row["host"]: row for row in json.loads(result.stdout)}
    assert rows.keys() == {
        "kafka://orders-events.shop.example.com:9092",
        "kafka://audit.shop.example.com:9092",
        "kafka://tokens.shop.example.com:9092",
        "kafka://kafka.example.com:9100",
        "kafka://kafka.example.com:9110",
    }
    row = rows["kafka://kafka.example.com:9100"]
    assert (row["api"], row["path"], row["endpoints"][0]) == ("shop/orders", "", "kafka-0:9092")
    assert row["plans"] == ["keys (apiKey)", "asked (oauth2)", "certificates (mtls)"]


def test_routes_are_printed_as_json_with_errors_beside() -> None:
    result = CliRunner().invoke(routes, ["-f", BROKEN, "-o", "json"])
    assert json.loads(result.stdout)[0]["plans"] == ["own (keyless)"]
    assert "errors: 1;" in result.stderr
