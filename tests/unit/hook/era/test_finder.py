"""Programs of 2020 under `python -m refluid`, as real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "REFLUID_NO_ERA"}

PROGRAM = """
    import time, inspect, collections, threading, random, json
    import numpy as np
    from collections import Mapping, OrderedDict
    from numpy import float as number
    for _ in range(2):
        kind = np.int
    print(kind is int, number is float, Mapping is collections.Mapping, np.float_ is np.float64)
    print(np.object, np.Inf, np.product([2, 3]), np.asscalar(np.array([4])), np.math.floor(2.5))
    print(0 <= time.clock(), inspect.getargspec(lambda a, b=1: 0).args)
    print(threading.Thread().isAlive(), hasattr(threading.Thread, "isAlive"))
    print(len(random.sample({1, 2, 3}, 2)), json.loads("[1]", encoding="utf8"))
    print(np.fromstring(b"ab", np.uint8), np.fromstring("1 2", sep=" "))
"""
ANSWERS = """
    True True True True
    <class 'object'> inf 6 4 2
    True ['a', 'b']
    False True
    2 [1]
    [97 98] [1. 2.]
"""

# a library beside the program, that looks at what others have
LIBRARY = """
    import collections, threading, time
    import numpy as np

    def look():
        try:
            from collections import Mapping
        except ImportError as error:
            print(error)
        for module, name in ((np, "int"), (time, "clock"), (collections, "Mapping")):
            print(name, hasattr(module, name), getattr(module, name, None))
        print(hasattr(threading.Thread, "isAlive"), hasattr(threading.Thread(), "isAlive"))
        try:
            threading.Thread().isAlive
        except AttributeError as error:
            print(error)
        try:
            threading.Thread.isAlive
        except AttributeError as error:
            print(error)
"""

SPAWN = """
    import importlib.util, multiprocessing, sys, time

    def work(queue):
        queue.put([time.clock() >= 0, "refluid" in importlib.util.find_spec("paddle").origin])

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        queue = context.SimpleQueue()
        process = context.Process(target=work, args=(queue,))
        process.start()
        print(queue.get())
        process.join()
"""


def run(folder: Path, *command: str, module: str = "refluid") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(("-m", module) if module else ()), *command],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def test_a_program_finds_what_is_gone_and_is_told_once_for_each(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", PROGRAM)
    result = run(tmp_path, "a.py")
    assert result.stdout == textwrap.dedent(ANSWERS).lstrip()
    assert result.returncode == 0
    told = re.findall(
        r"^refluid: `(.*?)` \(used in (.*), line (\d+)\) is gone", result.stderr, re.M
    )
    assert len(told) == len(set(told)) == result.stderr.count("refluid: ")
    assert {file for _, file, _ in told} == {str(path)}
    lines = {name: int(line) for name, _, line in told}
    assert lines["collections.Mapping"] == 4
    assert lines["numpy.float"] == 5
    assert lines["numpy.int"] == 7
    assert lines["threading.Thread.isAlive"] == 11
    assert "(used in" in result.stderr
    assert "back; today: `numpy.prod`\n" in result.stderr
    # there, though with another meaning
    assert "numpy.bool" not in lines


def test_it_is_gone_without_the_era(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "import numpy as np\nprint(hasattr(np, 'float_'))\nnp.int\n")
    result, plain = run(tmp_path, "--no-era", "a.py"), run(tmp_path, "a.py", module="")
    assert (result.stdout, result.returncode) == ("False\n", 1)
    assert "module 'numpy' has no attribute 'int'" in result.stderr
    assert result.stderr == plain.stderr


def test_no_era_holds_for_programs_that_the_program_starts(tmp_path: Path) -> None:
    write(tmp_path / "b.py", "import time; print(hasattr(time, 'clock'))")
    starts = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'refluid', 'b.py'])"
    write(tmp_path / "a.py", starts)
    assert run(tmp_path, "--no-era", "a.py").stdout == "False\n"
    assert run(tmp_path, "a.py").stdout == "True\n"


def test_libraries_hear_the_truth(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write(site / "lib.py", LIBRARY)
    program = f"""
        import sys, time, collections, numpy as np
        sys.path.append({str(site)!r})
        import lib
        lib.look()
        {{}}
        lib.look()
    """
    use = "print(np.int, time.clock, collections.Mapping, file=sys.stderr)"
    write(tmp_path / "a.py", program.format(use))
    write(tmp_path / "plain.py", program.format("pass"))
    result, plain = run(tmp_path, "a.py"), run(tmp_path, "plain.py", module="")
    assert "clock False None" in plain.stdout
    assert "'Thread' object has no attribute 'isAlive'" in plain.stdout
    assert result.stdout == plain.stdout
    assert result.stderr.count("refluid: ") == 3


@pytest.mark.parametrize(
    "code", ["import time\n\ntime.sleeep()", "def f():\n    from collections import Mappings\nf()"]
)
def test_errors_for_names_that_nobody_has_are_pythons(code: str, tmp_path: Path) -> None:
    write(tmp_path / "a.py", code)
    result, plain = run(tmp_path, "a.py"), run(tmp_path, "a.py", module="")
    assert result.stderr == plain.stderr
    assert result.returncode == plain.returncode == 1


def test_install_alone_gives_nothing_back(tmp_path: Path) -> None:
    code = "import refluid; refluid.install(); import time; print(hasattr(time, 'clock'))"
    assert run(tmp_path, "-c", code, module="").stdout == "False\n"


def test_nothing_is_imported_and_modules_look_as_ever(tmp_path: Path) -> None:
    libraries = {"numpy", "scipy", "PIL", "yaml", "pandas", "matplotlib", "sklearn"}
    program = f"""
        import sys
        print({libraries!r} & set(sys.modules))
        import importlib.util
        print(type(importlib.util.find_spec("base64").loader.get_source("base64")).__name__)
        import base64, fractions
        print(type(base64.__loader__).__name__, type(base64.__spec__.loader).__name__)
        print(base64.encodestring(b"x"), fractions.gcd(8, -12))
        importlib.reload(base64)
        print(base64.decodestring(b"eA=="))
        import json, pickle
        print(pickle.loads(pickle.dumps(json.loads)) is json.loads, json.loads.__name__)
    """
    write(tmp_path / "a.py", program)
    assert run(tmp_path, "a.py").stdout.splitlines() == [
        "set()",
        "str",
        "SourceFileLoader SourceFileLoader",
        "b'eA==\\n' -4",
        "b'x'",
        "True loads",
    ]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_have_it_too(method: str, tmp_path: Path) -> None:
    write(tmp_path / "a.py", SPAWN)
    result = run(tmp_path, "a.py", method)
    assert result.stdout == "[True, True]\n"
    assert "Traceback" not in result.stderr


def test_threads_are_told_once(tmp_path: Path) -> None:
    program = """
        import threading, time
        barrier = threading.Barrier(8)

        def work():
            barrier.wait()
            time.clock()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    """
    write(tmp_path / "a.py", program)
    assert run(tmp_path, "a.py").stderr.count("refluid: ") == 1


def test_yaml_files_run_no_code(tmp_path: Path) -> None:
    pytest.importorskip("yaml", minversion="6")
    program = """
        import sys, yaml
        with open("good.yml") as f:
            print(yaml.load(f))
        yaml.load(open(sys.argv[1]))
    """
    write(tmp_path / "a.py", program)
    write(tmp_path / "good.yml", "lr: 0.1")
    write(tmp_path / "bad.yml", "!!python/object/apply:os.mkdir [made]")
    result = run(tmp_path, "a.py", "bad.yml")
    assert result.stdout == "{'lr': 0.1}\n"
    assert "could not determine a constructor for the tag" in result.stderr
    assert not (tmp_path / "made").exists()
    assert result.stderr.count("refluid: ") == 1


def test_modules_that_are_gone_are_there_for_the_program(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", minversion="0.23")
    site = tmp_path / "site-packages"
    library = """
        try:
            from sklearn.externals import joblib
        except ImportError as error:
            print("a library:", error)
    """
    program = f"""
        import sys
        sys.path.append({str(site)!r})
        import lib
        from sklearn.externals import joblib
        import sklearn.utils.linear_assignment_ as pairs
        print(joblib.dump.__module__, pairs.linear_assignment([[1.0]]).tolist())
    """
    write(site / "lib.py", library)
    write(tmp_path / "a.py", program)
    result = run(tmp_path, "a.py")
    first, second = result.stdout.splitlines()
    assert first.startswith("a library: cannot import name 'joblib' from 'sklearn.externals'")
    assert second == "joblib.numpy_pickle [[0, 0]]"
    assert [line.split("`")[1] for line in result.stderr.splitlines()] == [
        "sklearn.externals.joblib",
        "sklearn.utils.linear_assignment_",
    ]


@pytest.mark.slow
def test_pictures_tables_and_plots_of_2020(tmp_path: Path) -> None:
    for name in ("PIL", "scipy", "pandas", "matplotlib"):
        pytest.importorskip(name)
    program = """
        import numpy as np, pandas as pd, scipy.misc, scipy.signal
        from PIL import Image, ImageDraw, ImageFont
        from scipy.misc import imresize
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        print(Image.ANTIALIAS == Image.LANCZOS, ImageFont.load_default().getsize("abc") > (0, 0))
        print(ImageDraw.Draw(Image.new("L", (9, 9))).textsize("a") > (0, 0))
        print(imresize(np.eye(4), 2.0).shape, scipy.misc.comb(5, 2), scipy.signal.hann(3))
        print(pd.DataFrame({"a": [1]}).append({"a": 2}, ignore_index=True).a.tolist())
        plt.style.use("seaborn-whitegrid")
        print(plt.cm.get_cmap("jet").name)
    """
    write(tmp_path / "a.py", program)
    result = run(tmp_path, "a.py")
    assert result.stdout.splitlines() == [
        "True True",
        "True",
        "(8, 8) 10.0 [0. 1. 0.]",
        "[1, 2]",
        "jet",
    ]
    assert "matplotlib.style.use('seaborn-v0_8-...')" in result.stderr


def test_types_in_c_have_their_methods_and_conversions_of_2020(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    library = """
        import numpy as np

        def convert(array):
            try:
                return float(array)
            except TypeError:
                return "a library is refused"
    """
    program = """
        import sys
        import xml.etree.ElementTree as ET
        import numpy as np
        sys.path.append("site-packages")
        import lib
        cost = np.exp([min(np.array([2.5]), 100)])
        print("ppl: %f, %d" % (cost, cost), float(cost) == cost[0, 0], lib.convert(cost))
        for wrong in (np.ones(2), np.ones(0)):
            try:
                float(wrong)
            except TypeError:
                print("refused")
        (child,) = ET.fromstring("<a><b/></a>").getchildren()
        print(np.arange(2, dtype="uint8").tostring(), child.tag)
    """
    write(site / "lib.py", library)
    write(tmp_path / "a.py", program)
    result = run(tmp_path, "a.py")
    told = [line.split("`")[1] for line in result.stderr.splitlines()]
    since_2_4 = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 4)
    assert result.stdout.splitlines() == [
        f"ppl: 12.182494, 12 True {'a library is refused' if since_2_4 else 12.182493960703473}",
        *("refused", "refused"),
        "b'\\x00\\x01' b",
    ]
    assert "xml.etree.ElementTree.Element.getchildren" in told
    if since_2_4:
        assert told[:2] == [
            "numpy.ndarray.__float__(of one element)",
            "numpy.ndarray.__int__(of one element)",
        ]
