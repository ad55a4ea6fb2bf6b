"""Files of data sets: found, checked, downloaded whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import pickle
import threading
from functools import partial

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import common

DATA = b"some data" * 1000


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    """A web server of a folder, and the list of what was asked of it."""
    folder = tmp_path / "web"
    folder.mkdir()
    asked = []

    class Listed(Handler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Listed, directory=str(folder))
    ) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "home"


def test_file_is_downloaded_once(server, home):
    folder, url, asked = server
    (folder / "data.bin").write_bytes(DATA)
    path = common.download(f"{url}/data.bin", "digits", md5(DATA))
    assert path == str(home / "digits" / "data.bin")
    assert common.download(f"{url}/data.bin", "digits", md5(DATA)) == path
    assert (home / "digits" / "data.bin").read_bytes() == DATA
    assert asked == ["/data.bin"]


def test_save_name_is_the_name_on_disk(server, home):
    folder, url, _ = server
    (folder / "data.bin").write_bytes(DATA)
    path = common.download(f"{url}/data.bin", "digits", md5(DATA), save_name="other")
    assert path == str(home / "digits" / "other")


def test_wrong_file_in_the_cache_is_replaced(server, home):
    folder, url, _ = server
    (folder / "data.bin").write_bytes(DATA)
    (home / "digits").mkdir(parents=True)
    (home / "digits" / "data.bin").write_bytes(b"cut")
    path = common.download(f"{url}/data.bin", "digits", md5(DATA))
    assert common.md5file(path) == md5(DATA)


def test_download_with_another_checksum_leaves_the_cache_as_it_was(server, home):
    folder, url, asked = server
    (folder / "data.bin").write_bytes(b"something else")
    (home / "digits").mkdir(parents=True)
    (home / "digits" / "data.bin").write_bytes(b"cut")
    with pytest.raises(DataError, match="3 times its MD5 was another"):
        common.download(f"{url}/data.bin", "digits", md5(DATA))
    assert len(asked) == 3
    assert [p.name for p in (home / "digits").iterdir()] == ["data.bin"]
    assert (home / "digits" / "data.bin").read_bytes() == b"cut"


def test_missing_file_without_a_network_says_where_it_was_expected(home):
    with pytest.raises(DataError) as info:
        common.download("http://127.0.0.1:9/data.bin", "digits", md5(DATA))
    text = str(info.value)
    assert f"{home / 'digits' / 'data.bin'} (MD5 {md5(DATA)}), but it is not there" in text
    assert "http://127.0.0.1:9/data.bin failed" in text
    assert "REFLUID_DATA" in text
    assert "digits/data.bin" in text


def test_missing_on_the_server_is_named(server):
    with pytest.raises(DataError, match="404"):
        common.download(f"{server[1]}/nothing", "digits", md5(DATA))


def test_same_content_in_another_gzip_wrapping_will_do(home, monkeypatch):
    packed = gzip.compress(DATA, 1, mtime=1)
    (home / "digits").mkdir(parents=True)
    (home / "digits" / "data.gz").write_bytes(packed)
    original = md5(gzip.compress(DATA, 9, mtime=2))
    monkeypatch.setitem(common.CONTENT_MD5, original, md5(DATA))
    path = common.download("http://127.0.0.1:9/data.gz", "digits", original)
    assert path == str(home / "digits" / "data.gz")


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"other"), gzip.compress(DATA)[:50], b"no gzip"],
    ids=["other", "cut", "no gzip"],
)
def test_other_or_damaged_content_will_not_do(home, monkeypatch, packed):
    (home / "digits").mkdir(parents=True)
    (home / "digits" / "data.gz").write_bytes(packed)
    monkeypatch.setitem(common.CONTENT_MD5, "0" * 32, md5(DATA))
    with pytest.raises(DataError, match=f"the file there has MD5 {md5(packed)}"):
        common.download("http://127.0.0.1:9/data.gz", "digits", "0" * 32)


def test_md5file_reads_the_whole_file(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(data)
    assert common.md5file(str(tmp_path / "f")) == md5(data)


def test_split_writes_files_that_cluster_files_reader_deals(tmp_path):
    common.split(lambda: iter(range(10)), 4, suffix=str(tmp_path / "%05d.pickle"))
    assert [p.name for p in sorted(tmp_path.glob("0*"))] == [
        "00000.pickle",
        "00001.pickle",
        "00002.pickle",
    ]
    pattern = str(tmp_path / "*.pickle")
    assert list(common.cluster_files_reader(pattern, 2, 0)()) == [0, 1, 2, 3, 8, 9]
    assert list(common.cluster_files_reader(pattern, 2, 1)()) == [4, 5, 6, 7]
    assert pickle.loads((tmp_path / "00002.pickle").read_bytes()) == [8, 9]


def test_split_with_a_dumper_of_text(tmp_path):
    common.split(lambda: iter(range(3)), 2, str(tmp_path / "%d.json"), json.dump)
    assert (tmp_path / "0.json").read_text() == "[0, 1]"
    reader = common.cluster_files_reader(str(tmp_path / "*.json"), 1, 0, json.load)
    assert list(reader()) == [0, 1, 2]


def test_split_and_cluster_files_reader_refuse_what_cannot_be_called():
    with pytest.raises(TypeError, match="`dumper` should be callable"):
        common.split(lambda: [], 1, dumper=3)
    with pytest.raises(TypeError, match="`loader` should be callable"):
        list(common.cluster_files_reader("*", 1, 0, loader=3)())
    with pytest.raises(ValueError, match="`line_count` must be at least 1"):
        common.split(lambda: [], 0)


def test_must_mkdirs_makes_all_folders(tmp_path):
    common.must_mkdirs(str(tmp_path / "a" / "b"))
    common.must_mkdirs(str(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
