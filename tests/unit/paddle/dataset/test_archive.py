"""Archives are read in memory, as plain files only, and their damage is named."""

from __future__ import annotations

import io
import os
import pickle
import tarfile

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset.archive import lines_of_zip, open_tar, read_pickle


def test_members_are_read_by_name_and_in_order(tmp_path, tar_of):
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of([("b", b"1\n2\n"), ("a", b"3")], "w"))
    with open_tar(str(path)) as tar:
        assert [(member.name, tar.read(member)) for member in tar] == [
            ("b", b"1\n2\n"),
            ("a", b"3"),
        ]
        assert tar.read("a") == b"3"
        assert list(tar.open("b")) == [b"1\n", b"2\n"]
        with pytest.raises(DataError, match=r"a\.tar has no file 'c'"):
            tar.open("c")


def test_text_that_is_none_is_named(tmp_path, zip_of):
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of([("a", b"\xff")]))
    with pytest.raises(DataError, match=r"a\.zip cannot be read: 'utf-8' codec can't decode"):
        list(lines_of_zip(str(path), "a", "utf-8"))


def test_links_folders_and_sparse_files_are_no_members(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (("link", tarfile.SYMTYPE), ("folder", tarfile.DIRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("hole")
        info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
        tar.addfile(info)
        info = tarfile.TarInfo("../outside")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with open_tar(str(path)) as tar:
        assert [member.name for member in tar] == ["../outside"]
        assert tar.read("../outside") == b"x"
        with pytest.raises(DataError, match="no file 'link'"):
            tar.open("link")
    assert os.listdir(tmp_path) == ["a.tar"]


@pytest.mark.parametrize("length", [0, 10, 60, -3000])
def test_damaged_archive_is_named(tmp_path, tar_of, length):
    path = tmp_path / "a.tgz"
    path.write_bytes(tar_of([("a", os.urandom(5000))])[:length])
    with pytest.raises(DataError, match=r"a\.tgz cannot be read: .* Fetch it again"):
        with open_tar(str(path)) as tar:
            for member in tar:
                tar.read(member)


def test_lines_of_a_zip_end_at_line_feeds_only(tmp_path, zip_of):
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of([("a", b" \xe9\x85x \r\ny\rz\n")]))
    assert list(lines_of_zip(str(path), "a", "latin-1")) == ["\xe9\x85x", "y\rz"]
    with pytest.raises(DataError, match=r"a\.zip has no file 'b'"):
        list(lines_of_zip(str(path), "b", "latin-1"))
    path.write_bytes(
        path.read_bytes().replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xff")
    )
    with pytest.raises(DataError, match=r"a\.zip cannot be read: zip file version 25.5"):
        list(lines_of_zip(str(path), "a", "latin-1"))
    path.write_bytes(b"PK")
    with pytest.raises(DataError, match=r"a\.zip cannot be read"):
        list(lines_of_zip(str(path), "a", "latin-1"))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_pickle_is_read_and_nothing_in_it_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"x": [1, b"2"]}, 2)
    assert read_pickle(lambda: io.BytesIO(data), "it") == {"x": [1, b"2"]}
    hostile = pickle.dumps(Hostile(), 2)
    with pytest.raises(DataError, match=r"it is not the pickle it should be: .*mkdir"):
        read_pickle(lambda: io.BytesIO(hostile), "it")
    assert os.listdir(tmp_path) == []
    with pytest.raises(DataError, match=r"none cannot be read"):
        read_pickle(lambda: open("none", "rb"), "none")
