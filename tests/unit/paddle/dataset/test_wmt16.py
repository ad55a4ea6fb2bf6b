"""WMT16 readers give Paddle's numbers and dictionaries, recorded from Paddle 1.8.5."""

from __future__ import annotations

import pytest

from refluid.paddle.dataset import wmt16

TRAIN = (
    "a man and a dog\tein Mann und ein Hund\ntwo dogs\tzwei Hunde\n"
    "a \xe9cole\teine Schule\tx\nthe man\tder Mann\n"
)


@pytest.fixture(autouse=True)
def _archive(put, tar_of):
    members = [
        ("wmt16/train", TRAIN.encode()),
        ("wmt16/test", b"a dog\tein Hund\n"),
        ("wmt16/val", b"two men\tzwei Mann\n"),
    ]
    put(wmt16, "DATA_MD5", "wmt16/wmt16.tar.gz", tar_of(members))


def test_samples_are_paddles_from_english():
    reader = wmt16.train(6, 7)
    assert list(reader()) == [
        ([0, 3, 4, 5, 3, 2, 1], [0, 3, 4, 5, 3, 6], [3, 4, 5, 3, 6, 1]),
        ([0, 2, 2, 1], [0, 2, 2], [2, 2, 1]),
        ([0, 2, 4, 1], [0, 2, 4], [2, 4, 1]),
    ]
    assert list(wmt16.test(6, 7)()) == [([0, 3, 2, 1], [0, 3, 6], [3, 6, 1])]
    assert list(wmt16.validation(6, 7)()) == [([0, 2, 2, 1], [0, 2, 4], [2, 4, 1])]


def test_samples_are_paddles_from_german():
    assert list(wmt16.train(5, 8, "de")()) == [
        ([0, 3, 4, 2, 3, 2, 1], [0, 3, 4, 5, 3, 6], [3, 4, 5, 3, 6, 1]),
        ([0, 2, 2, 1], [0, 7, 2], [7, 2, 1]),
        ([0, 2, 4, 1], [0, 2, 4], [2, 4, 1]),
    ]
    assert list(wmt16.test(3, 3, "de")()) == [([0, 2, 2, 1], [0, 2, 2], [2, 2, 1])]


def test_dictionary_is_kept_as_paddle_keeps_it(home):
    words = ["<s>", "<e>", "<unk>", "ein", "Mann", "und", "Hund"]
    assert wmt16.get_dict("de", 7) == {word: k for k, word in enumerate(words)}
    path = home / "wmt16" / "de_7.dict"
    assert path.read_bytes() == b"<s>\n<e>\n<unk>\nein\nMann\nund\nHund\n"
    path.write_bytes(b"0\n1\n2\n3\n4\n5\n\xc3\xa9\n")
    assert wmt16.get_dict("de", 7, reverse=True) == dict(enumerate("012345\xe9"))
    path.write_bytes(b"cut\n")
    assert wmt16.get_dict("de", 7, reverse=True) == dict(enumerate(words))


def test_dictionary_is_no_larger_than_the_corpus():
    assert list(wmt16.get_dict("en", 100))[3:] == ["a", "man", "and", "dog", "two", "dogs", "the"]
    assert list(wmt16.get_dict("en", 1)) == ["<s>", "<e>", "<unk>"]


def test_sizes_are_limited_to_the_real_number_of_words(home):
    list(wmt16.train(10**6, 10**6)())
    names = sorted(path.name for path in (home / "wmt16").glob("*.dict"))
    assert names == ["de_19220.dict", "en_11250.dict"]


def test_other_languages_are_refused():
    for ask in (wmt16.train, wmt16.test, wmt16.validation):
        with pytest.raises(ValueError, match=r"`src_lang` must be 'en' .* received 'fr'"):
            ask(5, 5, "fr")
    with pytest.raises(ValueError, match=r"`lang` must be 'en' .* received 'fr'"):
        wmt16.get_dict("fr", 5)
