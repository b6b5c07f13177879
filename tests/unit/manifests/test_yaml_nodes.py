"""What YAML text means: the core schema of YAML 1.2, keys as strings, bounded work."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import YAMLError

from penstock_operator.manifests.nodes import MAX_DEPTH, Converter, InvalidNodeError, compose, find, path_to

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc<=on", min_size=1), inner),
    max_leaves=20,
)


def data_of(text: str) -> object:
    (root,) = compose(text)
    return Converter().convert(root)


@given(JSON)
def test_json_text_means_the_same_as_yaml(value: object) -> None:
    text = json.dumps(value)

    assert data_of(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("2027-12-31T00:00:00Z", "2027-12-31T00:00:00Z"),
        ("2027-12-31", "2027-12-31"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("~", None),
        ('"5"', "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("{8080: a, on: b}", {"8080": "a", "on": "b"}),
    ],
)
def test_plain_values_have_the_types_of_yaml_1_2(text: str, value: object) -> None:
    found = data_of(text)

    assert (type(found), found) == (type(value), value)


def test_a_merge_key_adds_what_the_mapping_does_not_have() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nout: {<<: [*b, *m], x: 5}"

    assert data_of(text)["out"] == {"x": 5, "y": 2, "z": 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: 1, b: 2, a: 3}", "the key `a` is there twice"),
        ("{1: a, '1': b}", "the key `1` is there twice"),
        ("? [a]\n: b", "a key must be a plain value"),
        ("a: !custom b", "the tag !custom is not supported here"),
        ("a: !!python/object:os.system {}", "not supported here"),
        ("a: !!int b", "`b` is no int"),
        ("<<: 5", "only mappings can be merged"),
    ],
)
def test_what_kubernetes_would_refuse_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidNodeError, match=message.replace("(", r"\(")):
        data_of(text)


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "? " * 200_000, "{a: " * 200_000])
def test_deep_nesting_is_refused_before_it_costs_stack(text: str) -> None:
    with pytest.raises(YAMLError, match=f"deeper than {MAX_DEPTH}"):
        list(compose(text))


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]

    with pytest.raises(InvalidNodeError, match="too many values"):
        data_of("\n".join(lines))


def test_a_node_that_holds_itself_is_refused() -> None:
    with pytest.raises(InvalidNodeError, match="nested too deep"):
        data_of("a: &a [*a]")


def test_a_path_leads_to_its_node_and_back() -> None:
    (root,) = compose("a:\n- b\n- c:\n    d: 1\n")

    node, line = find(root, ("a", 1, "c", "d"))

    assert (node.value, line) == ("1", 4)
    assert path_to(root, node) == ("a", 1, "c", "d")


def test_a_path_that_leads_nowhere_ends_at_the_nearest_node() -> None:
    (root,) = compose("a:\n- b\n- c: {}\n")

    assert find(root, ("a", 1, "c", "missing", 5))[1] == 3
