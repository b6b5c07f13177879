"""A subscription needs no key of its own in a cluster: the operator makes it."""

from admission_world import api, gateway, index, plan, subscription

from penstock_operator.admission.review import Verdict, review


def test_a_subscription_without_a_key_is_let_through_without_a_word() -> None:
    made = subscription("s", "gold")
    del made["spec"]["apiKey"]
    neighbours = index(gateway("edge"), api("a"), plan("gold", "a", apiKey={}))
    assert review(made, None, neighbours) == Verdict()
