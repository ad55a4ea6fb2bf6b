"""MovieLens-1M as readers: a million ratings of 4,000 films by 6,000 people.

The archive's tables of films and of people are read once and kept.
May import: numpy, refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import lines_of_zip

__all__ = [
    "age_table",
    "get_movie_title_dict",
    "max_job_id",
    "max_movie_id",
    "max_user_id",
    "movie_categories",
    "movie_info",
    "test",
    "train",
    "user_info",
]

age_table = [1, 18, 25, 35, 45, 50, 56]

URL = "https://dataset.bj.bcebos.com/movielens%2Fml-1m.zip"
MD5 = "c4d9eecfca2ab87c1945afe126590906"

_TITLE = re.compile(r"^(.*)\((\d+)\)$")


class MovieInfo:
    """A film: its number, its categories, its title without the year.

    Same as Paddle 1.8.
    """

    def __init__(self, index: int | str, categories: list[str], title: str) -> None:
        self.index = int(index)
        self.categories = categories
        self.title = title

    def value(self) -> list[Any]:
        """Return the number, the numbers of the categories and those of the title's words."""
        return [
            self.index,
            [CATEGORIES_DICT[category] for category in self.categories],
            [MOVIE_TITLE_DICT[word.lower()] for word in self.title.split()],
        ]

    def __str__(self) -> str:
        return f"<MovieInfo id({self.index}), title({self.title}), categories({self.categories})>"

    __repr__ = __str__


class UserInfo:
    """A person: number, sex, age as an index into `age_table`, job.

    Same as Paddle 1.8.
    """

    def __init__(self, index: int | str, gender: str, age: int | str, job_id: int | str) -> None:
        self.index = int(index)
        self.is_male = gender == "M"
        self.age = age_table.index(int(age))
        self.job_id = int(job_id)

    def value(self) -> list[int]:
        """Return number, 0 for a man or 1 for a woman, age and job."""
        return [self.index, 0 if self.is_male else 1, self.age, self.job_id]

    def __str__(self) -> str:
        gender = "M" if self.is_male else "F"
        return (
            f"<UserInfo id({self.index}), gender({gender}), "
            f"age({age_table[self.age]}), job({self.job_id})>"
        )

    __repr__ = __str__


MOVIE_INFO: dict[int, MovieInfo] = {}
MOVIE_TITLE_DICT: dict[str, int] = {}
CATEGORIES_DICT: dict[str, int] = {}
USER_INFO: dict[int, UserInfo] = {}


def _load() -> str:
    """Fill the tables above, unless they are full, and return the archive's path."""
    path = common.download(URL, "movielens", MD5)
    if USER_INFO:
        return path
    for table in (MOVIE_INFO, MOVIE_TITLE_DICT, CATEGORIES_DICT):
        table.clear()  # of what an attempt that failed has left
    for number, title, categories in _rows(path, "movies.dat", 3):
        matched = _TITLE.match(title)
        if matched is None:
            raise DataError(f"ml-1m/movies.dat in {path}: {title!r} does not end in a year.")
        film = MovieInfo(number, categories.split("|"), matched.group(1))
        MOVIE_INFO[film.index] = film
        for category in film.categories:
            CATEGORIES_DICT.setdefault(category, len(CATEGORIES_DICT))
        for word in film.title.split():
            MOVIE_TITLE_DICT.setdefault(word.lower(), len(MOVIE_TITLE_DICT))
    people = [UserInfo(*row[:4]) for row in _rows(path, "users.dat", 5)]
    USER_INFO.update((person.index, person) for person in people)
    return path


def _rows(path: str, table: str, num_columns: int) -> Iterator[list[str]]:
    for number, line in enumerate(lines_of_zip(path, f"ml-1m/{table}", "latin-1"), 1):
        columns = line.split("::")
        if len(columns) != num_columns:
            raise DataError(
                f"ml-1m/{table} in {path}: line {number} should have {num_columns} columns, but "
                f"has {len(columns)}."
            )
        yield columns


def _ratings(
    rand_seed: int = 0, test_ratio: float = 0.1, is_test: bool = False
) -> Iterator[list[Any]]:
    path = _load()
    np.random.seed(rand_seed)
    for person, film, rating, _ in _rows(path, "ratings.dat", 4):
        if (np.random.random() < test_ratio) == is_test:
            yield [
                *USER_INFO[int(person)].value(),
                *MOVIE_INFO[int(film)].value(),
                [float(rating) * 2 - 5.0],
            ]


def _reader_creator(**kwargs: Any) -> Callable[[], Iterator[list[Any]]]:
    """Return a reader of one of the two parts into which the ratings are divided at random.

    Differs from Paddle: categories and words of titles have the same numbers in every run, those
    of their first appearance.

    Args:
        **kwargs: `rand_seed` (0), where the division begins; `test_ratio` (0.1), how much of it is
            for testing; `is_test`, which part.

    Returns:
        A reader of lists of number, sex, age and job of a person, number, categories and words of
        the title of a film, and the rating in a list, from -3.0 to 5.0.

    Effects:
        Reading seeds `np.random` and draws from it, as in Paddle: programs that draw themselves
        while they read change the division.
    """
    return lambda: _ratings(**kwargs)


train = partial(_reader_creator, is_test=False)
test = partial(_reader_creator, is_test=True)


def get_movie_title_dict() -> dict[str, int]:
    """Return the numbers of the words of titles, in lower case; see `train` for their order."""
    _load()
    return MOVIE_TITLE_DICT


def max_movie_id() -> int:
    """Return the greatest number of a film. Same as Paddle 1.8."""
    return max(movie_info())


def max_user_id() -> int:
    """Return the greatest number of a person. Same as Paddle 1.8."""
    return max(user_info())


def max_job_id() -> int:
    """Return the greatest number of a job. Same as Paddle 1.8."""
    return max(person.job_id for person in user_info().values())


def movie_categories() -> dict[str, int]:
    """Return the numbers of the categories of films; see `train` for their order."""
    _load()
    return CATEGORIES_DICT


def user_info() -> dict[int, UserInfo]:
    """Return the people by their numbers. Same as Paddle 1.8."""
    _load()
    return USER_INFO


def movie_info() -> dict[int, MovieInfo]:
    """Return the films by their numbers. Same as Paddle 1.8."""
    _load()
    return MOVIE_INFO


def fetch() -> None:
    """Download the archive, if need be. Same as Paddle 1.8."""
    common.download(URL, "movielens", MD5)
