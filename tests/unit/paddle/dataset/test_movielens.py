"""MovieLens readers give Paddle's numbers, recorded from Paddle 1.8.5 on the same archive."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import movielens

MOVIES = (
    b"1::Toy Story (1995)::Animation|Comedy\n"
    b"2::Am\xe9lie Story (2001)::Comedy\n"
    b"7::Heat (1995)::Action\n"
)
USERS = b"1::F::1::10::48067\n2::M::56::16::70072\n5::M::25::3::1\n"
RATINGS = "".join(
    f"{(1, 2, 5)[k % 3]}::{(1, 2, 7)[k // 3 % 3]}::{k % 5 + 1}::97830{k % 10}\n" for k in range(40)
).encode()
HEAT = [7, [2], [3]]
AMELIE = [2, [1], [2, 1]]


@pytest.fixture
def archive(put, zip_of, monkeypatch):
    for table in ("MOVIE_INFO", "MOVIE_TITLE_DICT", "CATEGORIES_DICT", "USER_INFO"):
        monkeypatch.setattr(movielens, table, {})

    def write(movies: bytes = MOVIES, users: bytes = USERS, ratings: bytes = RATINGS) -> None:
        names = ("ml-1m/movies.dat", "ml-1m/users.dat", "ml-1m/ratings.dat")
        data = zip_of(zip(names, (movies, users, ratings), strict=True))
        put(movielens, "MD5", "movielens/movielens%2Fml-1m.zip", data)

    write()
    return write


def test_division_and_samples_are_paddles(archive):
    np.random.seed(99)
    train = list(movielens.train()())
    assert np.random.rand() == 0.359507900573786
    assert len(train) == 36
    # in Paddle the numbers of categories and words are others in every run; see below
    assert train[0] == [1, 1, 0, 10, 1, [0, 1], [0, 1], [-3.0]]
    assert train[4] == [2, 0, 6, 16, *AMELIE, [5.0]]
    assert list(movielens.test()()) == [
        [5, 0, 2, 3, *AMELIE, [5.0]],
        [1, 1, 0, 10, *HEAT, [-3.0]],
        [2, 0, 6, 16, *HEAT, [-1.0]],
        [2, 0, 6, 16, *HEAT, [5.0]],
    ]
    assert len(list(movielens.test(test_ratio=0.5, rand_seed=4)())) == 17


def test_tables_are_paddles_in_the_order_of_the_archive(archive):
    titles = movielens.get_movie_title_dict()
    assert list(titles.items()) == [("toy", 0), ("story", 1), ("am\xe9lie", 2), ("heat", 3)]
    assert movielens.movie_categories() == {"Animation": 0, "Comedy": 1, "Action": 2}
    maxima = (movielens.max_movie_id(), movielens.max_user_id(), movielens.max_job_id())
    assert maxima == (7, 5, 16)
    assert str(movielens.user_info()) == (
        "{1: <UserInfo id(1), gender(F), age(1), job(10)>, 2: <UserInfo id(2), gender(M), "
        "age(56), job(16)>, 5: <UserInfo id(5), gender(M), age(25), job(3)>}"
    )
    assert str(movielens.movie_info()[1]) == (
        "<MovieInfo id(1), title(Toy Story ), categories(['Animation', 'Comedy'])>"
    )
    assert movielens.age_table == [1, 18, 25, 35, 45, 50, 56]


def test_damaged_tables_are_named_and_can_be_mended(archive):
    archive(users=b"1::F::1::10\n")
    with pytest.raises(DataError, match=r"users.dat .* line 1 should have 5 columns, but has 4"):
        movielens.user_info()
    archive(movies=b"1::Toy Story::Comedy\n")
    with pytest.raises(DataError, match="'Toy Story' does not end in a year"):
        movielens.movie_info()
    archive()
    assert movielens.max_user_id() == 5
    assert len(movielens.get_movie_title_dict()) == 4
