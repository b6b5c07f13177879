"""What is committed under crds/ and docs/reference/ is what the models generate."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway_runtime.errors import ERRORS
from gateway_runtime.policies.registry import built_in_policies
from penstock_operator.resources.generate import crd_files, main, stale
from penstock_operator.resources.reference import pages

ROOT = Path(__file__).parents[3]


def run(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        main, [*options, "--crds", f"{folder}/crds", "--docs", f"{folder}/docs/reference"]
    )
    return result.exit_code, result.output


def test_committed_files_are_up_to_date() -> None:
    assert stale(ROOT / "crds", crd_files()) == [], "run `make generate`"
    assert stale(ROOT / "docs/reference", pages()) == [], "run `make generate`"


def test_generated_files_pass_the_check(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 0
    assert run(tmp_path, "--check") == (0, "")


@pytest.mark.parametrize("change", ["edit", "remove", "add"])
def test_the_check_names_the_file_that_drifted(tmp_path: Path, change: str) -> None:
    run(tmp_path)
    path = tmp_path / "crds" / ("old.yaml" if change == "add" else "penstock.dev_plans.yaml")
    if change == "remove":
        path.unlink()
    else:
        path.write_text("kind: Old\n", encoding="utf-8")

    code, output = run(tmp_path, "--check")

    assert code == 1
    assert output.count("\n") == 1
    assert f"{path} is out of date; run `make generate`" in output


def test_generating_removes_what_is_no_longer_generated(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "crds/old.yaml").write_text("kind: Old\n", encoding="utf-8")

    run(tmp_path)

    assert not (tmp_path / "crds/old.yaml").exists()


def test_every_error_key_is_in_the_reference() -> None:
    page = pages()["errors.md"]

    for key in ERRORS.keys() | {key for policy in built_in_policies().values() for key in policy.errors}:
        assert f"| `{key}` |" in page


def test_every_policy_is_in_the_reference_with_its_fields() -> None:
    page = pages()["policies.md"]

    for name, policy in built_in_policies().items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for field, info in policy.configuration.model_fields.items():
            assert f"`{info.alias or field}`" in section


def test_tables_keep_their_columns() -> None:
    for page in pages().values():
        tables = [line.replace(r"\|", "") for line in page.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in tables} <= {4, 5}
