"""Names in messages and in texts for people."""

import time

import pytest

from gateway_runtime.kafka.walk import change_names, change_texts, names_at


def test_names_are_found_through_arrays_and_structs_and_null_is_none() -> None:
    message = {"A": [{"B": {"C": "x"}}, {"B": None}, {"B": {"C": None}}], "D": ["y", "z"], "E": None}
    assert list(names_at(message, ("A", "B", "C"))) == ["x"]
    assert list(names_at(message, ("D",))) == ["y", "z"]
    assert list(names_at(message, ("E", "F"))) == []
    assert list(names_at(message, ("G",))) == []


def test_what_is_changed_to_nothing_takes_its_element_with_it() -> None:
    message = {"A": [{"B": ["x", "y"]}, {"B": ["y"]}], "C": [{"D": "x"}, {"D": "y"}]}
    change_names(message, ("A", "B"), lambda name: None if name == "y" else name.upper())
    change_names(message, ("C", "D"), lambda name: None if name == "y" else name.upper())
    assert message == {"A": [{"B": ["X"]}, {"B": []}], "C": [{"D": "X"}]}


MANY = {f"t.topic-{number}": f"topic-{number}" for number in range(100)}


@pytest.mark.parametrize(
    "names", [{"t.topic-1": "topic-1", "t.topic": "topic"}, {**MANY, "t.topic": "topic"}]
)
@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("Topic 't.topic-1' exists.", "Topic 'topic-1' exists."),
        ("No such topic t.topic-1.", "No such topic topic-1."),
        ("In partition t.topic-1-12.", "In partition topic-1-12."),
        ("In partition t.topic-7", "In partition topic-7"),
        ("Of others: u.other", "Of others: u.other"),
    ],
)
def test_texts_have_the_other_names_however_many_there_are(names: dict, text: str, changed: str) -> None:
    message = {"Topics": [{"ErrorMessage": text, "Name": "t.topic-1"}], "ErrorMessage": None}
    change_texts(message, names)
    assert (message["Topics"][0]["ErrorMessage"], message["Topics"][0]["Name"]) == (changed, "t.topic-1")


def test_a_text_for_each_of_very_many_names_takes_no_time_to_speak_of() -> None:
    names = {f"t.{number}": str(number) for number in range(20_000)}
    message = {"Topics": [{"ErrorMessage": f"Topic '{name}' exists."} for name in names]}
    started = time.process_time()
    change_texts(message, names)
    assert time.process_time() - started < 5
    assert message["Topics"][-1]["ErrorMessage"] == "Topic '19999' exists."
