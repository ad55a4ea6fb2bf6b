"""What is gone since 2020 and given back: the one table, listed in docs/era.md.

Everything in it is a word: nothing is imported before a program asks for it. A target names what is
given as `module:name`; refluid's own stand-ins are the shortest that behave as the old ones did.
Only what programs that train were seen to use is in it, and no module that every library uses all
the time, such as `os`, whose attributes a `__getattr__` would make a little slower.
May import: nothing of refluid.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

__all__ = ["CALLS", "MODULES", "NAMES", "Row"]

_ERA = "refluid.hook.era"


class Row(NamedTuple):
    """One thing that is gone."""

    name: str
    """`module:name`, `module:Class.method` or `module:name(...)`; for a whole module `module`."""
    target: str
    """What is given: `module:name`, `module:` for a module, `module:a,b` or `module:*` for what
    a module holds; for a call what makes today's of it."""
    write: str
    """What one writes today."""
    since: str
    """The version that took it away."""

    @property
    def module(self) -> str:
        """The module that had it."""
        return self.name.partition(":")[0]

    @property
    def path(self) -> str:
        """Its name within the module, empty for a module."""
        return self.name.partition(":")[2].partition("(")[0]

    @property
    def shown(self) -> str:
        """Its name as programs write it."""
        return self.name.replace(":", ".")

    @property
    def applies(self) -> bool:
        """Whether the loaded library is as new as `since`; False if it tells no version."""
        library, _, since = self.since.rpartition(" ")
        if library == "Python":
            version = "{}.{}".format(*sys.version_info)
        else:
            top = sys.modules.get(self.module.partition(".")[0])
            version = str(getattr(top, "__version__", ""))
        return _numbers(version) >= _numbers(since)


def _numbers(version: str) -> list[int]:
    """Return the first two numbers of a version, none if it is none."""
    return [int(part) for part in re.findall(r"\d+", version)[:2]]


def _renamed(module: str, since: str, home: str, names: dict[str, str]) -> tuple[Row, ...]:
    """Return rows for names that are called something else today, all in `home`."""
    prefix = "" if home == "builtins" else f"{home}."
    return tuple(
        Row(f"{module}:{old}", f"{home}:{new}", prefix + new, since) for old, new in names.items()
    )


def _moved(module: str, since: str, home: str, names: str) -> tuple[Row, ...]:
    """Return rows for names that stand in `home` today."""
    return _renamed(module, since, home, {name: name for name in names.split()})


def _ours(module: str, since: str, home: str, names: dict[str, str]) -> tuple[Row, ...]:
    """Return rows for what stands in `home`, a module of this package, with what to write."""
    return tuple(
        Row(f"{module}:{name}", f"{_ERA}.{home}:{name.rpartition('.')[2]}", write, since)
        for name, write in names.items()
    )


_IMAGES = {
    "imread": "numpy.array(PIL.Image.open(path))",
    "imsave": "PIL.Image.fromarray(array).save(path)",
    "imresize": "PIL.Image.fromarray(array).resize((width, height))",
    "imrotate": "PIL.Image.fromarray(array).rotate(angle)",
    "toimage": "PIL.Image.fromarray(array)",
}

NAMES: tuple[Row, ...] = (
    *_moved("numpy", "NumPy 1.24", "builtins", "bool int float complex object str"),
    *_renamed("numpy", "NumPy 1.24", "builtins", {"long": "int", "unicode": "str"}),
    *_ours("numpy", "NumPy 1.23", "numeric", {"asscalar": "array.item()"}),
    *_renamed(
        "numpy",
        "NumPy 2.0",
        "numpy",
        {
            "float_": "float64",
            "complex_": "complex128",
            "string_": "bytes_",
            "unicode_": "str_",
            "bool8": "bool_",
            "int0": "intp",
            "Inf": "inf",
            "Infinity": "inf",
            "infty": "inf",
            "PINF": "inf",
            "NaN": "nan",
            "NAN": "nan",
            "product": "prod",
            "cumproduct": "cumprod",
            "alltrue": "all",
            "sometrue": "any",
            "round_": "round",
            "mat": "asmatrix",
        },
    ),
    *_moved(
        "numpy",
        "NumPy 2.0",
        "numpy.exceptions",
        "VisibleDeprecationWarning ComplexWarning RankWarning AxisError",
    ),
    *_ours("numpy", "NumPy 2.0", "numeric", {"NINF": "-numpy.inf"}),
    *_ours("numpy", "NumPy 2.0", "numeric", {"asfarray": "numpy.asarray(a, dtype=float)"}),
    Row("numpy:math", "math:", "math", "NumPy 2.0"),
    *_renamed("numpy", "NumPy 2.4", "numpy", {"trapz": "trapezoid"}),
    *_ours("numpy", "NumPy 2.4", "numeric", {"in1d": "numpy.isin(numpy.ravel(a), b)"}),
    *_renamed("numpy", "NumPy 2.5", "numpy", {"row_stack": "vstack"}),
    *_ours("numpy", "NumPy 2.0", "numeric", {"ndarray.itemset": "array[index] = value"}),
    *_ours("numpy", "NumPy 2.0", "numeric", {"ndarray.ptp": "numpy.ptp(array)"}),
    *_ours("numpy", "NumPy 2.3", "numeric", {"ndarray.tostring": "array.tobytes()"}),
    *_ours("scipy.misc", "SciPy 1.3", "picture", _IMAGES),
    *_moved("scipy.misc", "SciPy 1.3", "scipy.special", "comb factorial logsumexp"),
    *_ours("scipy.ndimage", "SciPy 1.3", "picture", {"imread": _IMAGES["imread"]}),
    *_moved("scipy", "SciPy 1.12", "numpy", "interp"),
    Row("scipy:random", "numpy.random:", "numpy.random", "SciPy 1.12"),
    *_ours(
        "networkx",
        "NetworkX 3.0",
        "numeric",
        {"to_numpy_matrix": "numpy.asmatrix(networkx.to_numpy_array(graph))"},
    ),
    *_moved("scipy.signal", "SciPy 1.13", "scipy.signal.windows", "hann hamming gaussian"),
    *_renamed(
        "PIL.Image",
        "Pillow 10",
        "PIL.Image",
        {"ANTIALIAS": "LANCZOS", "LINEAR": "BILINEAR", "CUBIC": "BICUBIC"},
    ),
    *_ours(
        "PIL.ImageFont",
        "Pillow 10",
        "picture",
        {"FreeTypeFont.getsize": "font.getbbox(text)", "ImageFont.getsize": "font.getbbox(text)"},
    ),
    *_ours(
        "PIL.ImageDraw",
        "Pillow 10",
        "picture",
        {"ImageDraw.textsize": "draw.textbbox((0, 0), text, font)"},
    ),
    *_ours(
        "skimage.measure",
        "scikit-image 0.18",
        "picture",
        {
            "compare_mse": "skimage.metrics.mean_squared_error",
            "compare_psnr": "skimage.metrics.peak_signal_noise_ratio",
            "compare_ssim": "skimage.metrics.structural_similarity",
        },
    ),
    *_moved("matplotlib.cm", "Matplotlib 3.9", "matplotlib.pyplot", "get_cmap"),
    *_ours(
        "pandas",
        "pandas 2.0",
        "numeric",
        {
            "DataFrame.append": "pandas.concat([frame, other])",
            "DataFrame.iteritems": "frame.items()",
            "Series.append": "pandas.concat([series, other])",
            "Series.iteritems": "series.items()",
        },
    ),
    *_ours("pandas", "pandas 1.0", "numeric", {"DataFrame.as_matrix": "frame.to_numpy()"}),
    *_moved(
        "collections",
        "Python 3.10",
        "collections.abc",
        "Callable Container Generator Hashable Iterable Iterator Mapping MutableMapping "
        "MutableSequence MutableSet Sequence Set Sized",
    ),
    *_renamed("time", "Python 3.8", "time", {"clock": "process_time"}),
    *_ours("inspect", "Python 3.11", "standard", {"getargspec": "inspect.getfullargspec"}),
    *_renamed(
        "base64",
        "Python 3.9",
        "base64",
        {"encodestring": "encodebytes", "decodestring": "decodebytes"},
    ),
    *_ours("fractions", "Python 3.9", "standard", {"gcd": "math.gcd"}),
    *_ours("threading", "Python 3.9", "standard", {"Thread.isAlive": "thread.is_alive()"}),
    *_ours("html.parser", "Python 3.9", "standard", {"HTMLParser.unescape": "html.unescape"}),
    *_ours(
        "xml.etree.ElementTree",
        "Python 3.9",
        "standard",
        {
            "Element.getchildren": "list(element)",
            "Element.getiterator": "element.iter()",
            "ElementTree.getiterator": "tree.iter()",
        },
    ),
    *_renamed("configparser", "Python 3.12", "configparser", {"SafeConfigParser": "ConfigParser"}),
)

MODULES: tuple[Row, ...] = (
    Row(
        "imp",
        f"{_ERA}.standard:load_source,new_module,reload",
        "importlib.util.spec_from_file_location",
        "Python 3.12",
    ),
    Row("imghdr", f"{_ERA}.standard:what", "PIL.Image.open(path).format", "Python 3.13"),
    Row("sklearn.externals.joblib", "joblib:*", "joblib", "scikit-learn 0.23"),
    Row(
        "sklearn.utils.linear_assignment_",
        f"{_ERA}.numeric:linear_assignment",
        "scipy.optimize.linear_sum_assignment",
        "scikit-learn 0.23",
    ),
)

CALLS: tuple[Row, ...] = (
    Row("yaml:load(f)", f"{_ERA}.call:safe_load", "yaml.safe_load(f)", "PyYAML 6"),
    Row("yaml:load_all(f)", f"{_ERA}.call:safe_load", "yaml.safe_load_all(f)", "PyYAML 6"),
    Row(
        "json:load(f, encoding=...)",
        f"{_ERA}.call:without_encoding",
        "json.load(f)",
        "Python 3.9",
    ),
    Row(
        "json:loads(text, encoding=...)",
        f"{_ERA}.call:without_encoding",
        "json.loads(text)",
        "Python 3.9",
    ),
    Row(
        "random:sample(a_set, k)",
        f"{_ERA}.call:sample_of_set",
        "random.sample(list(a_set), k)",
        "Python 3.11",
    ),
    Row(
        "numpy:fromstring(data, dtype)",
        f"{_ERA}.call:from_bytes",
        "numpy.frombuffer(data, dtype).copy()",
        "NumPy 2.3",
    ),
    Row(
        "numpy:ndarray.__float__(of one element)",
        f"{_ERA}.call:of_one_element",
        "array.item()",
        "NumPy 2.4",
    ),
    Row(
        "numpy:ndarray.__int__(of one element)",
        f"{_ERA}.call:of_one_element",
        "array.item()",
        "NumPy 2.4",
    ),
    Row(
        "matplotlib.style:use('seaborn-...')",
        f"{_ERA}.call:seaborn_style",
        "matplotlib.style.use('seaborn-v0_8-...')",
        "Matplotlib 3.8",
    ),
)
