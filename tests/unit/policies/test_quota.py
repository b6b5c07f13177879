"""quota: as rateLimit (whose tests show the windows), over a long time and under names of its own."""

from policy_outcomes import outcome, passed, refusal

DAY = 86_400


def test_a_quota_holds_for_its_whole_period(steps, exchange, clock) -> None:
    step = steps("quota", {"limit": 3, "period": "1d"})
    for _ in range(3):
        assert passed(step, exchange(subscription="mobile"))
        clock.time += 60
    assert refusal(step, exchange(subscription="mobile")) == (429, "QUOTA_TOO_MANY_REQUESTS")
    assert passed(step, exchange(subscription="web"))
    clock.time += DAY - 180
    assert passed(step, exchange(subscription="mobile"))


def test_responses_tell_the_quota(steps, exchange) -> None:
    step = steps("quota", {"limit": 100, "period": "30d"})
    one = exchange()
    assert passed(step, one)
    assert one.late_headers == [
        (b"x-quota-limit", b"X-Quota-Limit: 100"),
        (b"x-quota-remaining", b"X-Quota-Remaining: 99"),
        (b"x-quota-reset", b"X-Quota-Reset: %d" % (30 * DAY)),
    ]


def test_a_refusal_tells_when_the_quota_begins_anew(steps, exchange, clock) -> None:
    step = steps("quota", {"limit": 1, "period": "1d"})
    outcome(step, exchange())
    clock.time += 3600
    reply = outcome(step, exchange())
    assert reply is not None
    assert reply.headers == [("Retry-After", str(DAY - 3600))]


def test_the_largest_limit_is_counted_exactly(steps, exchange) -> None:
    step = steps("quota", {"limit": 2**53, "period": "30d"})
    one = exchange()
    assert passed(step, one)
    assert one.late_headers[1][1] == b"X-Quota-Remaining: %d" % (2**53 - 1)


def test_it_is_of_the_request_phase_alone(problems) -> None:
    step = {"quota": {"limit": 1, "period": "1d"}}
    assert problems(step) == []
    assert problems(step, "response") == [
        ("quota", "the policy `quota` cannot be used in the response phase")
    ]


def test_a_refusal_tells_the_quota_in_plain_numbers(steps, exchange) -> None:
    step = steps("quota", {"limit": 1, "period": "30d"})
    outcome(step, exchange())
    reply = outcome(step, exchange())
    assert reply is not None
    assert reply.message == "At most 1 requests in 2592000 s are allowed."
