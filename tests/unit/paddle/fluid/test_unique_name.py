"""Names are counted, and anew in each guard."""

from __future__ import annotations

from refluid.paddle.fluid import unique_name


def test_names_are_counted_by_key():
    with unique_name.guard():
        assert [unique_name.generate(k) for k in ("a", "b", "a")] == ["a_0", "b_0", "a_1"]
        with unique_name.guard("inner/"):
            assert unique_name.generate("a") == "inner/a_0"
        with unique_name.guard(b"bytes/"):
            assert unique_name.generate("a") == "bytes/a_0"
        assert unique_name.generate("a") == "a_2"


def test_a_generator_can_be_put_back():
    generator, checker = unique_name.switch()
    mine, _ = unique_name.switch(generator, checker)
    assert mine.ids == {}
    assert unique_name.generator is generator
