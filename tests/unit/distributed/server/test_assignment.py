from __future__ import annotations

from refluid.distributed.server.assignment import assign

SIZES = {"conv.w": 2000, "conv.b": 80, "fc.w": 39200, "fc.b": 40, "head.w": 4000}


def test_every_parameter_has_one_server():
    for num_servers in (1, 2, 3, 8):
        parts = assign(SIZES, num_servers)
        assert len(parts) == num_servers
        assert sorted(name for part in parts for name in part) == sorted(SIZES)


def test_no_server_has_more_than_its_share_and_one_parameter():
    sizes = {f"w{k}": 1 + (k * 7919) % 1000 for k in range(100)}
    parts = assign(sizes, 3)
    share = sum(sizes.values()) / 3
    for part in parts:
        assert sum(sizes[name] for name in part) <= share + max(sizes.values())


def test_names_keep_the_order_of_the_program():
    assert assign(SIZES, 1) == [list(SIZES)]
    assert assign(SIZES, 2) == [["fc.w"], ["conv.w", "conv.b", "fc.b", "head.w"]]


def test_the_order_of_parameters_of_one_size_does_not_matter():
    names = ["a", "b", "c", "d"]
    there = assign(dict.fromkeys(names, 4), 2)
    back = assign(dict.fromkeys(reversed(names), 4), 2)
    assert [sorted(part) for part in there] == [sorted(part) for part in back]
