from __future__ import annotations

import io
import json
import random

import numpy as np
import pytest

from refluid.hook.era import call


def test_yaml_is_loaded_by_the_safe_loader() -> None:
    yaml = pytest.importorskip("yaml", minversion="6")
    load = call.safe_load(yaml.load, io.StringIO("a: [1, x]"))
    assert load is not None
    assert load() == {"a": [1, "x"]}
    load = call.safe_load(yaml.load_all, "1\n---\n2")
    assert load is not None
    assert list(load()) == [1, 2]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.getcwd []", "!!python/name:os.system", "!!python/tuple [1]"]
)
def test_yaml_runs_no_code_and_makes_no_objects(text: str) -> None:
    yaml = pytest.importorskip("yaml", minversion="6")
    load = call.safe_load(yaml.load, text)
    assert load is not None
    with pytest.raises(yaml.constructor.ConstructorError):
        load()


def test_a_loader_that_is_named_stays() -> None:
    yaml = pytest.importorskip("yaml", minversion="6")
    assert call.safe_load(yaml.load, "a", yaml.BaseLoader) is None
    assert call.safe_load(yaml.load, "a", Loader=yaml.BaseLoader) is None


def test_json_is_loaded_without_the_encoding() -> None:
    load = call.without_encoding(json.loads, "[1]", encoding="gbk")
    assert load is not None
    assert load() == [1]
    load = call.without_encoding(json.load, io.StringIO("1.5"), encoding="utf8", parse_float=str)
    assert load is not None
    assert load() == "1.5"
    assert call.without_encoding(json.loads, "[1]", parse_float=str) is None


def test_a_sample_of_a_set_is_that_of_its_elements_in_order() -> None:
    numbers = {5, 3, 8, 1}
    for population in (numbers, frozenset(numbers), dict.fromkeys(numbers).keys()):
        random.seed(7)
        sample = call.sample_of_set(random.sample, population, 2)
        assert sample is not None
        found = sample()
        random.seed(7)
        assert found == random.sample(list(population), k=2)
    assert call.sample_of_set(random.sample, [1, 2], 1) is None


def test_bytes_become_an_array_of_their_own() -> None:
    data = bytearray(b"\x01\x00\x02\x00")
    made = call.from_bytes(np.fromstring, data, np.int16)
    assert made is not None
    array = made()
    assert isinstance(array, np.ndarray)
    data[0] = 9
    array[1] += 1
    assert array.tolist() == [1, 3]
    made = call.from_bytes(np.fromstring, "ab", dtype="uint8", count=1)
    assert made is not None
    assert np.asarray(made()).tolist() == [97]


def test_text_is_read_as_numbers_as_ever() -> None:
    assert call.from_bytes(np.fromstring, "1 2", sep=" ") is None
    assert call.from_bytes(np.fromstring, "1 2", int, -1, sep=" ") is None
