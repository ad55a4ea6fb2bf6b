"""WMT14, the shrunken French-English corpus of Paddle, as readers of word numbers.

May import: refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import Tar, open_tar

__all__ = ["get_dict", "test", "train"]

URL_DEV_TEST = "http://www-lium.univ-lemans.fr/~schwenk/cslm_joint_paper/data/dev+test.tgz"
MD5_DEV_TEST = "7d7897317ddd8ba0ae5c5fa7248d3ff5"
URL_TRAIN = "http://paddlemodels.bj.bcebos.com/wmt/wmt14.tgz"
MD5_TRAIN = "0791583d57d5beb693b9414c5b36798c"
URL_MODEL = "http://paddlemodels.bj.bcebos.com/wmt%2Fwmt14.tgz"
MD5_MODEL = "0cb4a5366189b6acba876491c8724fa3"

START = "<s>"
END = "<e>"
UNK = "<unk>"
UNK_IDX = 2

_LONGEST = 80

Sample = tuple[list[int], list[int], list[int]]


def _dictionary(tar: Tar, ending: str, size: int) -> dict[str, int]:
    found = [member for member in tar if member.name.endswith(ending)]
    if len(found) != 1:
        raise DataError(f"{tar.path} must have one file *{ending}, but has {len(found)}.")
    with tar.open(found[0]) as lines:
        return {line.strip().decode(): number for number, line in enumerate(islice(lines, size))}


def _dictionaries(tar_file: str, size: int) -> tuple[dict[str, int], dict[str, int]]:
    with open_tar(tar_file) as tar:
        return _dictionary(tar, "src.dict", size), _dictionary(tar, "trg.dict", size)


def reader_creator(tar_file: str, file_name: str, dict_size: int) -> Callable[[], Iterator[Sample]]:
    """Make a reader of those texts in an archive whose name ends with `file_name`.

    Same as Paddle 1.8: pairs with a sentence of more than 80 words are left out.

    Args:
        tar_file: the archive.
        file_name: end of the names of the texts.
        dict_size: how many words of each language are known.

    Returns:
        A reader of (source with `<s>` and `<e>`, target after `<s>`, target before `<e>`).

    Raises:
        DataError: (while reading) the archive is damaged, or `dict_size` leaves out the marks.
    """

    def reader() -> Iterator[Sample]:
        src_dict, trg_dict = _dictionaries(tar_file, dict_size)
        if START not in trg_dict or END not in trg_dict:
            raise DataError(f"`dict_size` {dict_size} leaves {START} and {END} no number.")
        with open_tar(tar_file) as tar:
            for member in tar:
                if not member.name.endswith(file_name):
                    continue
                for line in tar.open(member):
                    columns = line.decode().strip().split("\t")
                    if len(columns) != 2:
                        continue
                    source, target = (column.split() for column in columns)
                    if len(source) + 2 > _LONGEST or len(target) > _LONGEST:
                        continue
                    target_ids = [trg_dict.get(word, UNK_IDX) for word in target]
                    yield (
                        [src_dict.get(word, UNK_IDX) for word in (START, *source, END)],
                        [trg_dict[START], *target_ids],
                        [*target_ids, trg_dict[END]],
                    )

    return reader


def train(dict_size: int) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the training set; the archive is downloaded if need be.

    Same as Paddle 1.8; see `reader_creator`.

    Args:
        dict_size: how many words of each language are known.

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    return _reader("train/train", dict_size)


def test(dict_size: int) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the test set; otherwise as `train`."""
    return _reader("test/test", dict_size)


def gen(dict_size: int) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the sentences for translation; otherwise as `train`."""
    return _reader("gen/gen", dict_size)


def _reader(file_name: str, dict_size: int) -> Callable[[], Iterator[Sample]]:
    return reader_creator(common.download(URL_TRAIN, "wmt14", MD5_TRAIN), file_name, dict_size)


def get_dict(dict_size: int, reverse: bool = True) -> tuple[dict[int, str], dict[int, str]]:
    """Return the dictionaries of the source and the target language.

    Same as Paddle 1.8.

    Args:
        dict_size: how many words of each language are known.
        reverse: from numbers to words; if False, from words to numbers.

    Raises:
        DataError: the archive is not there and cannot be downloaded, or is damaged.
    """
    both = _dictionaries(common.download(URL_TRAIN, "wmt14", MD5_TRAIN), dict_size)
    if not reverse:
        return both  # type: ignore[return-value]  # the direction depends on an argument
    source, target = ({number: word for word, number in each.items()} for each in both)
    return source, target


def fetch() -> None:
    """Download the corpus and the model trained on it, if need be. Same as Paddle 1.8."""
    common.download(URL_TRAIN, "wmt14", MD5_TRAIN)
    common.download(URL_MODEL, "wmt14", MD5_MODEL)
