"""What all data sets have in common: where they are looked for, and what an error says."""

from __future__ import annotations

import re

import pytest

from refluid.errors import DataError
from refluid.paddle import dataset
from refluid.paddle.dataset import common

# module, how it is asked for, file in the cache folder, MD5: those of Paddle 1.8.5
FILES = """
cifar train10 cifar/cifar-10-python.tar.gz c58f30108f718f92721af3b95e74349a
cifar test100 cifar/cifar-100-python.tar.gz eb9058c3a382ffc7106e4002c42a8d85
conll05 get_dict conll05st/conll05st%2FwordDict.txt ea7fb7d4c75cc6254716f0177a506baa
conll05 get_embedding conll05st/conll05st%2Femb bf436eb0faa1f6f9103017f8be57cdb7
flowers valid flowers/102flowers.tgz 52808999861908f626f3c1f4e79d11fa
imdb word_dict imdb/imdb%2FaclImdb_v1.tar.gz 7c2ac02c03563afcf9b574c7e56c153a
imikolov build_dict imikolov/imikolov%2Fsimple-examples.tgz 30177ea32e27c525793142b6bf2c8e2d
movielens max_user_id movielens/movielens%2Fml-1m.zip c4d9eecfca2ab87c1945afe126590906
mq2007 fetch MQ2007/7b6dbbe2-842c-11e4-a536-bcaec51b9163_MQ2007.rar 7be1640ae95c6408dab0ae7207bdc706
sentiment get_word_dict corpora/movie_reviews.zip 155de2b77c6834dd8eea7cbe88e93acb
uci_housing test uci_housing/housing.data d4accdce7a25600298819f8e28e8d593
voc2012 val voc2012/VOCtrainval_11-May-2012.tar 6cd6e144f989b92b3379bac3b3de84fd
wmt14 train wmt14/wmt14.tgz 0791583d57d5beb693b9414c5b36798c
wmt16 train wmt16/wmt16.tar.gz 0c38be43600334966403524a40dcd81e
"""
ARGUMENTS = {"wmt14": [30], "wmt16": [30, 30]}


ROWS = [tuple(line.split()) for line in FILES.strip().splitlines()]


@pytest.mark.parametrize(("module", "function", "path", "md5"), ROWS)
def test_missing_file_is_named_with_its_folder_and_checksum(home, module, function, path, md5):
    ask = getattr(getattr(dataset, module), function)
    with pytest.raises(DataError) as info:
        ask(*ARGUMENTS.get(module, []))
    text = str(info.value)
    assert f"expected {home / path} (MD5 {md5}), but it is not there" in text
    assert "Put the file there, or set REFLUID_DATA" in text


def test_every_data_set_can_be_fetched(home, monkeypatch):
    asked = {}

    def download(url: str, module_name: str, md5sum: str, save_name: str | None = None) -> str:
        asked[f"{module_name}/{save_name or url.rsplit('/', 1)[1]}"] = md5sum
        path = home / module_name / "empty"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return str(path)

    monkeypatch.setattr(common, "download", download)
    common.fetch_all()
    # all but VOC, of two gigabytes, which Paddle does not fetch with the others
    expected = {path: md5 for module, _, path, md5 in ROWS if module != "voc2012"}
    assert expected.items() <= asked.items()
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in asked.values())
    # four files of MNIST, two more of flowers, three of CoNLL, a model of WMT14
    assert len(asked) == len(expected) + 10
