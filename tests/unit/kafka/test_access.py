"""Access rules: default deny, denials first, what an operation implies."""

import pytest

from gateway_runtime.kafka.access import AccessRule, Authorizer, Operation, PatternType, Resource

TOPIC, GROUP, CLUSTER = Resource.TOPIC, Resource.GROUP, Resource.CLUSTER
READ, WRITE, DESCRIBE = Operation.READ, Operation.WRITE, Operation.DESCRIBE


def rule(
    name: str, *operations: Operation, pattern: PatternType = PatternType.LITERAL, allow: bool = True
) -> AccessRule:
    return AccessRule(TOPIC, pattern, name, frozenset(operations), allow)


def test_nothing_is_allowed_without_a_rule() -> None:
    assert not Authorizer([]).allows(TOPIC, "orders", READ)


def test_a_literal_is_for_its_name_alone_and_a_star_for_all() -> None:
    found = Authorizer([rule("orders", READ), rule("*", WRITE)])
    assert found.allows(TOPIC, "orders", READ)
    assert not found.allows(TOPIC, "orders2", READ)
    assert found.allows(TOPIC, "anything", WRITE)


def test_a_prefix_is_for_names_that_begin_so() -> None:
    found = Authorizer([rule("orders-", READ, pattern=PatternType.PREFIX)])
    assert found.allows(TOPIC, "orders-eu", READ)
    assert found.allows(TOPIC, "orders-", READ)
    assert not found.allows(TOPIC, "orders", READ)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("orders-*", ["orders-", "orders-eu"], ["orders", "my-orders-eu"]),
        ("*-eu", ["orders-eu", "-eu"], ["orders-eu2"]),
        ("a?c", ["abc", "a.c"], ["ac", "abbc"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a[b]*", ["a[b]", "a[b]c"], ["ab"]),
        ("*", ["anything", "a\nb"], []),
    ],
)
def test_a_match_takes_stars_and_question_marks_and_nothing_else(
    pattern: str, inside: list[str], outside: list[str]
) -> None:
    found = Authorizer([rule(pattern, READ, pattern=PatternType.MATCH)])
    assert [name for name in inside if not found.allows(TOPIC, name, READ)] == []
    assert [name for name in outside if found.allows(TOPIC, name, READ)] == []


def test_a_denial_wins_whatever_the_order() -> None:
    rules = [rule("*", Operation.ALL), rule("secret", READ, allow=False)]
    for order in (rules, rules[::-1]):
        assert not Authorizer(order).allows(TOPIC, "secret", READ)
        assert Authorizer(order).allows(TOPIC, "secret", WRITE)


@pytest.mark.parametrize("operation", [READ, WRITE, Operation.DELETE, Operation.ALTER])
def test_describe_is_allowed_by_what_needs_it_but_not_denied_by_it(operation: Operation) -> None:
    assert Authorizer([rule("a", operation)]).allows(TOPIC, "a", DESCRIBE)
    denied = Authorizer([rule("a", DESCRIBE), rule("a", operation, allow=False)])
    assert denied.allows(TOPIC, "a", DESCRIBE)


def test_alter_configs_allows_to_describe_them_and_describe_does_not() -> None:
    assert Authorizer([rule("a", Operation.ALTER_CONFIGS)]).allows(TOPIC, "a", Operation.DESCRIBE_CONFIGS)
    assert not Authorizer([rule("a", DESCRIBE)]).allows(TOPIC, "a", Operation.DESCRIBE_CONFIGS)
    assert not Authorizer([rule("a", Operation.CREATE)]).allows(TOPIC, "a", DESCRIBE)


def test_a_rule_for_topics_is_not_for_groups() -> None:
    assert not Authorizer([rule("a", READ)]).allows(GROUP, "a", READ)


def test_a_rule_for_the_cluster_needs_no_name() -> None:
    found = Authorizer([AccessRule(CLUSTER, PatternType.LITERAL, "kafka", frozenset({Operation.CREATE}))])
    assert found.allows(CLUSTER, "", Operation.CREATE)


@pytest.mark.parametrize(
    ("rules", "any_"),
    [
        ([], False),
        ([rule("a", WRITE)], True),
        ([rule("a", READ)], False),
        ([rule("a", WRITE), rule("a", WRITE, allow=False)], False),
        ([rule("a", WRITE), rule("*", WRITE, allow=False)], False),
        ([rule("a-", WRITE, pattern=PatternType.PREFIX), rule("a", WRITE, allow=False)], True),
        (
            [
                rule("ab", WRITE, pattern=PatternType.PREFIX),
                rule("a", WRITE, pattern=PatternType.PREFIX, allow=False),
            ],
            False,
        ),
        ([rule("*", WRITE), rule("a", WRITE, pattern=PatternType.PREFIX, allow=False)], True),
    ],
)
def test_some_name_is_allowed_where_no_denial_is_for_all_of_a_rule(
    rules: list[AccessRule], any_: bool
) -> None:
    assert Authorizer(rules).allows_any(TOPIC, WRITE) is any_


def test_operations_are_told_as_the_bits_of_what_a_resource_knows() -> None:
    found = Authorizer([rule("a", Operation.ALL)])
    bits = {number for number in range(32) if found.operations(TOPIC, "a") >> number & 1}
    assert bits == {3, 4, 5, 6, 7, 8, 10, 11}
    assert found.operations(TOPIC, "b") == 0


def test_decisions_that_are_kept_do_not_fill_the_memory() -> None:
    found = Authorizer([rule("a", READ)])
    for number in range(30_000):
        found.allows(TOPIC, str(number), READ)
    assert len(found._decided) <= 20_000
