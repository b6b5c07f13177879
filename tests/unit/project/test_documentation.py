"""The documents say what the code does: manifests in them are valid, lists in them are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway_runtime.errors import ERRORS
from gateway_runtime.policies.registry import built_in_policies
from penstock_operator.manifests.reader import Manifest, read_folder, read_text
from penstock_operator.resources.parse import Parsed, parse

ROOT = Path(__file__).resolve().parents[3]
GUIDES = ROOT / "docs" / "guide"
PAGES = [ROOT / "README.md", *sorted(GUIDES.glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def yaml_manifests(page: Path) -> list[Manifest]:
    """The manifests in a page's YAML blocks; fragments of resources are left out."""
    found: list[Manifest] = []
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "yaml" and "apiVersion:" in text:
            for document in read_text(text, page.name):
                assert isinstance(document, Manifest), document
                found.append(document)
    return found


def test_the_quick_start_has_only_valid_resources() -> None:
    documents = [item for items in read_folder(ROOT / "examples" / "quickstart").values() for item in items]
    outcomes = [parse(item) if isinstance(item, Manifest) else item for item in documents]
    assert len(outcomes) >= 7
    assert [outcome for outcome in outcomes if not isinstance(outcome, Parsed)] == []


def test_manifests_in_the_documents_are_valid() -> None:
    outcomes = [parse(manifest) for page in PAGES for manifest in yaml_manifests(page)]
    assert len(outcomes) >= 5
    assert [outcome for outcome in outcomes if not isinstance(outcome, Parsed)] == []


def test_every_error_key_is_in_the_guide() -> None:
    text = (GUIDES / "http-apis.md").read_text(encoding="utf-8")
    assert [key for key in ERRORS if f"`{key}`" not in text] == []


def test_every_policy_is_in_the_guide_and_no_other() -> None:
    text = (GUIDES / "policies.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| (yes)? ?\| (yes)? ?\|", text, re.MULTILINE)
    documented = {name: (bool(request), bool(response)) for name, request, response in table}
    assert documented == {
        name: (policy.request is not None, policy.response is not None)
        for name, policy in built_in_policies().items()
    }


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "docs" / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
