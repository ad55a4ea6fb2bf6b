"""The version is that of the Paddle whose behaviour is followed."""

from __future__ import annotations

from refluid.paddle import version


def test_the_parts_make_the_whole():
    assert version.full_version == f"{version.major}.{version.minor}.{version.patch}" == "1.8.5"


def test_show_prints_the_parts(capsys):
    version.show()
    assert capsys.readouterr().out.splitlines() == [
        "full_version: 1.8.5",
        "major: 1",
        "minor: 8",
        "patch: 5",
        "rc: 0",
    ]


def test_mkl_is_on_or_off():
    assert version.mkl() in ("ON", "OFF")
