"""MQ2007 of LETOR 4.0: queries, and documents with features and marks, for learning to rank.

`train` and `test` are themselves readers. The archive is a RAR: what has been unpacked into its
folder is read there, otherwise the archive through `rarfile`, which is optional.
Shapes: D = 46 features, Q documents of one query.
May import: numpy, refluid.errors, dataset.archive, dataset.common; rarfile where it is needed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import damage_named

__all__ = ["test", "train"]

URL = (
    "http://www.bigdatalab.ac.cn/benchmark/upload/download_source/"
    "7b6dbbe2-842c-11e4-a536-bcaec51b9163_MQ2007.rar"
)
MD5 = "7be1640ae95c6408dab0ae7207bdc706"

_NUM_PARTS = 48
_FORMATS = ("plain_txt", "pointwise", "pairwise", "listwise")


class Query:
    """One document of a query: its mark from 0 to 2, and its features.

    Same as Paddle 1.8.
    """

    def __init__(
        self,
        query_id: int = -1,
        relevance_score: int = -1,
        feature_vector: list[float] | None = None,
        description: str = "",
    ) -> None:
        self.query_id = query_id
        self.relevance_score = relevance_score
        self.feature_vector = [] if feature_vector is None else feature_vector
        self.description = description

    def __str__(self) -> str:
        features = " ".join(map(str, self.feature_vector))
        return f"{self.relevance_score} {self.query_id} {features}"

    @classmethod
    def parsed(cls, text: str) -> Query:
        """Read a line such as `2 qid:10 1:0.5 2:0.25 ... 46:0.0 #docid = GX008`.

        Raises:
            DataError: it is not of that form.
        """
        line, _, description = text.partition("#")
        parts = line.split()
        if len(parts) != _NUM_PARTS:
            raise DataError(f"expected {_NUM_PARTS} parts, but there are {len(parts)}: {text!r}.")
        try:
            values = [part.split(":")[1] for part in parts[1:]]
            features = [float(value) for value in values[1:]]
            return cls(int(values[0]), int(parts[0]), features, description.strip())
        except (IndexError, ValueError):
            raise DataError(f"malformed numbers: {text!r}.") from None


class QueryList:
    """All documents of one query.

    Same as Paddle 1.8.

    Args:
        querylist: the documents.

    Raises:
        ValueError: they are not of one query.
    """

    def __init__(self, querylist: Iterable[Query] | None = None) -> None:
        self.query_id = -1
        self.querylist: list[Query] = []
        for query in querylist or ():
            self._add_query(query)

    def __iter__(self) -> Iterator[Query]:
        return iter(self.querylist)

    def __len__(self) -> int:
        return len(self.querylist)

    def __getitem__(self, i: int) -> Query:
        return self.querylist[i]

    def _correct_ranking_(self) -> None:
        self.querylist.sort(key=lambda query: query.relevance_score, reverse=True)

    def _add_query(self, query: Query) -> None:
        if self.query_id == -1:
            self.query_id = query.query_id
        elif self.query_id != query.query_id:
            raise ValueError(
                f"the queries of a list must have one id, but received {query.query_id} after "
                f"{self.query_id}."
            )
        self.querylist.append(query)


def _ranked(querylist: QueryList | Iterable[Query]) -> QueryList:
    ranked = querylist if isinstance(querylist, QueryList) else QueryList(querylist)
    ranked._correct_ranking_()
    return ranked


def gen_plain_txt(
    querylist: QueryList | Iterable[Query],
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (id, mark, float64 [D]) of each document, the best first. Same as Paddle 1.8."""
    ranked = _ranked(querylist)
    for query in ranked:
        yield ranked.query_id, query.relevance_score, np.array(query.feature_vector)


def gen_point(querylist: QueryList | Iterable[Query]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (mark, float64 [D]) of each document, the best first. Same as Paddle 1.8."""
    for query in _ranked(querylist):
        yield query.relevance_score, np.array(query.feature_vector)


def gen_pair(
    querylist: QueryList | Iterable[Query], partial_order: str = "full"
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (int64 [1] of 1, the better document, the worse) of all pairs of unlike marks.

    Same as Paddle 1.8.

    Args:
        querylist: documents of one query.
        partial_order: accepted; it has no effect, as in Paddle.
    """
    for better, worse in combinations(_ranked(querylist), 2):
        if better.relevance_score > worse.relevance_score:
            yield np.array([1]), np.array(better.feature_vector), np.array(worse.feature_vector)


def gen_list(
    querylist: QueryList | Iterable[Query],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield once (int64 [Q, 1] of marks, float64 [Q, D]), the best first. Same as Paddle 1.8."""
    ranked = _ranked(querylist)
    yield (
        np.array([[query.relevance_score] for query in ranked]),
        np.array([query.feature_vector for query in ranked]),
    )


def query_filter(querylists: Iterable[QueryList]) -> list[QueryList]:
    """Return the lists in which some mark is not 0. Same as Paddle 1.8."""
    return [each for each in querylists if sum(query.relevance_score for query in each)]


def load_from_text(filepath: str, shuffle: bool = False, fill_missing: int = -1) -> list[QueryList]:
    """Read the queries of one text, those that follow each other with one id as one list.

    Differs from Paddle: the archive is not unpacked, and a malformed line is an error.

    Args:
        filepath: the text's path in the archive.
        shuffle: accepted; it has no effect, as in Paddle.
        fill_missing: accepted; it has no effect, as in Paddle.

    Raises:
        DataError: the archive or the text is missing or damaged.
        ImportError: the archive has to be read and rarfile is not installed.
    """
    lists: list[QueryList] = []
    for number, line in enumerate(_lines(filepath), 1):
        try:
            query = Query.parsed(line)
        except DataError as error:
            raise DataError(f"{filepath}, line {number}: {error}") from None
        if not lists or lists[-1].query_id != query.query_id:
            lists.append(QueryList())
        lists[-1]._add_query(query)
    return lists


def _lines(filepath: str) -> Sequence[str]:
    unpacked = os.path.join(common.DATA_HOME, "MQ2007", filepath)
    if os.path.isfile(unpacked):
        with open(unpacked, encoding="utf-8") as file:
            return file.readlines()
    archive = fetch()
    try:
        import rarfile  # optional: nothing else needs it
    except ImportError:
        raise ImportError(
            f"{archive} is a RAR archive: pip install rarfile, or unpack it in its folder so that "
            f"{unpacked} is there."
        ) from None
    try:
        with damage_named(archive), rarfile.RarFile(archive) as rar:
            return io.TextIOWrapper(rar.open(filepath), "utf-8").readlines()
    except rarfile.Error as error:
        raise DataError(
            f"{archive} cannot be read: {error}. Unpack it in its folder, so that {unpacked} is "
            "there."
        ) from None


def __reader__(
    filepath: str, format: str = "pairwise", shuffle: bool = False, fill_missing: int = -1
) -> Iterator[Any]:
    """Yield the samples of one text.

    Same as Paddle 1.8: `plain_txt` and `pointwise` give the best document of each query only.

    Args:
        filepath: the text's path in the archive.
        format: `pairwise` as of `gen_pair`, `listwise` as of `gen_list`, `pointwise` as of
            `gen_point`, `plain_txt` as of `gen_plain_txt`.
        shuffle: accepted; it has no effect, as in Paddle.
        fill_missing: accepted; it has no effect, as in Paddle.

    Raises:
        DataError: the archive or the text is missing or damaged.
        ValueError: `format` is another.
    """
    if format not in _FORMATS:
        raise ValueError(f"`format` must be one of {', '.join(_FORMATS)}, but is {format!r}.")
    for querylist in query_filter(load_from_text(filepath, shuffle, fill_missing)):
        if format == "plain_txt":
            yield next(gen_plain_txt(querylist))
        elif format == "pointwise":
            yield next(gen_point(querylist))
        elif format == "pairwise":
            yield from gen_pair(querylist)
        else:
            yield from gen_list(querylist)


train = partial(__reader__, filepath="MQ2007/MQ2007/Fold1/train.txt")
test = partial(__reader__, filepath="MQ2007/MQ2007/Fold1/test.txt")


def fetch() -> str:
    """Return the archive's path; download it if need be. Same as Paddle 1.8."""
    return common.download(URL, "MQ2007", MD5)
