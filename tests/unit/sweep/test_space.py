"""What is to be tried is read as it is meant, or refused in words that help."""

from __future__ import annotations

import math
import random

import pytest

from refluid.sweep.space import Choices, Range, read_parameter, read_parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr=0.0001..0.1:log", Range("lr", 0.0001, 0.1, log=True)),
        ("lr=1e-4..1e-1:log", Range("lr", 0.0001, 0.1, log=True)),
        ("batch-size=16..256", Range("batch-size", 16, 256)),
        ("batch_size=16..256:log", Range("batch_size", 16, 256, log=True)),
        ("shift=-1..1.5", Range("shift", -1.0, 1.5)),
        ("shift=-1...5", Range("shift", -1.0, 0.5)),
        ("l2=0,0.0001,0.001", Choices("l2", ("0", "0.0001", "0.001"))),
        ("data=../a,../b:c", Choices("data", ("../a", "../b:c"))),
        ("flags=a=1,b=2", Choices("flags", ("a=1", "b=2"))),
    ],
)
def test_range_or_list_is_read(text, expected):
    found = read_parameter(text)
    assert found == expected
    if isinstance(found, Range):
        assert found.whole == isinstance(expected.low, int)
        assert type(found.low) is type(found.high)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr", "takes an option and its values"),
        ("lr=", "takes an option and its values"),
        ("=1..2", "write the option's name"),
        ("--lr=1..2", "without dashes"),
        ("lr=1..2:exp", "not :exp"),
        ("lr=1..2:", "ends with :log or with nothing"),
        ("lr=2..1", "to a higher one"),
        ("lr=1..1", "to a higher one"),
        ("lr=0..1:log", "begins above 0"),
        ("lr=1..many", "'many' is not a number"),
        ("lr=0.1..inf", "'inf' is not a number"),
        ("lr=0.1..1e400", "'1e400' is not a number"),
        ("lr=1e-101..1", "'1e-101' is not a number"),
        ("lr=nan..1", "'nan' is not a number"),
        ("n=1..10000000000000000000000", "'10000000000000000000000' is not a number"),
        ("lr=0.1", "one value is nothing to choose from; give several, or write --lr 0.1"),
        ("lr=1,,2", "nothing between two commas"),
        ("lr=1,2,", "nothing between two commas"),
        ("lr=0,1..3", "1..3, cannot stand in a list"),
        ("lr=1,2,3:log", ":log belongs to a range"),
        ("lr=1,2,1", "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, expected):
    with pytest.raises(ValueError, match=expected) as caught:
        read_parameter(text)
    assert text in str(caught.value)


def test_option_that_is_given_twice_is_refused():
    with pytest.raises(ValueError, match="twice for lr: give each option once"):
        read_parameters(["lr=1..2", "l2=1..2", "lr=1,2"])


@pytest.mark.parametrize(
    "text",
    [
        *("x=0.0001..0.1:log", "x=1..2.5", "x=-1.0..1.0", "x=0.1..0.1001:log", "x=1e6..1000000.5"),
        *("x=1e-100..1e100:log", "x=0.123456789..0.12345679"),
    ],
)
def test_proposed_number_is_short_near_and_within_the_range(text):
    parameter = read_parameter(text)
    assert isinstance(parameter, Range)
    low, high = parameter.low, parameter.high
    rng = random.Random(1)
    for fraction in [0.0, 1.0, *(rng.random() for _ in range(200))]:
        if parameter.log:
            value = math.exp(math.log(low) + fraction * math.log(high / low))
        else:
            value = low + fraction * (high - low)
        value = min(max(value, low), high)
        shown = parameter.text_of(value)
        assert low <= parameter.value_of(shown) <= high
        assert len(shown) <= (11 if high / abs(low) > 1.1 or low < 0 else 22)
        if not parameter.log:
            assert abs(float(shown) - value) <= (high - low) / 1000
    assert parameter.text_of(parameter.value_of(shown)) == shown


def test_whole_numbers_stay_whole():
    parameter = read_parameter("n=16..256:log")
    assert parameter.text_of(32) == "32"
    assert parameter.value_of("32") == 32
    assert parameter.num_values == 241
    assert list(parameter.texts())[::240] == ["16", "256"]


def test_descriptions_say_what_was_understood():
    shown = [
        read_parameter(text).describe()
        for text in ("a=0..1", "a=0.0..1.0", "a=1e-4..1:log", "a=0,x")
    ]
    assert shown == [
        "whole numbers from 0 to 1",
        "from 0.0 to 1.0",
        "from 0.0001 to 1.0, logarithmic",
        "0, x",
    ]
