"""Find a PaddlePaddle 1.8.5 on this machine, or install one, and run the conformance tests.

    python tests/conformance/paddle18.py        what `make conformance` runs

Paddle 1.8.5 needs Python 3.7. Its interpreter is named by the variable PADDLE18_PYTHON or lies in
`.paddle18/` at the project's root, where it is installed if there is a Python 3.7. Without one the
tests are skipped, and say why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = _ROOT / ".paddle18"
_REQUIREMENTS = ("paddlepaddle==1.8.5", "protobuf<3.21")
_VARIABLE = "PADDLE18_PYTHON"

MISSING = (
    "there is no PaddlePaddle 1.8.5 here: it needs Python 3.7. Install one (for example by "
    f"`pyenv install 3.7`) and run `make conformance`, or set {_VARIABLE} to an interpreter that "
    "has it"
)


def interpreter() -> Path | None:
    """Return the Python that has Paddle 1.8.5, or None."""
    given = os.environ.get(_VARIABLE)
    if given:
        return Path(given)
    own = _ENVIRONMENT / "bin" / "python"
    return own if own.exists() else None


def _python37() -> str | None:
    """Return a Python 3.7 that starts; pyenv's `python3.7` alone does not always."""
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    candidates = [shutil.which("python3.7")]
    for root in filter(None, roots):
        candidates += sorted(map(str, Path(root).glob("versions/3.7.*/bin/python")))
    for candidate in filter(None, candidates):
        asked = [candidate, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 7))"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def _install(python: str) -> None:
    subprocess.run([python, "-m", "venv", str(_ENVIRONMENT)], check=True)
    pip = [str(_ENVIRONMENT / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    try:
        subprocess.run([*pip, "install", "--quiet", *_REQUIREMENTS], check=True)
    except BaseException:
        # Half an environment would be taken for a whole one the next time
        shutil.rmtree(_ENVIRONMENT)
        raise


def main() -> int:
    """Install Paddle 1.8.5 if it can be, and run the tests of this folder."""
    if interpreter() is None:
        python = _python37()
        if python is None:
            sys.stderr.write(f"Conformance tests are skipped: {MISSING}.\n")
        else:
            sys.stderr.write(f"Installing {' '.join(_REQUIREMENTS)} into {_ENVIRONMENT}\n")
            _install(python)
    return subprocess.call([sys.executable, "-m", "pytest", "-rs", str(Path(__file__).parent)])


if __name__ == "__main__":
    sys.exit(main())
