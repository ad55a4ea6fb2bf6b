"""TensorBoard's server, on this machine only.

Its pages are those that have something to show for a run. They are served as TensorBoard has them,
but for two words: they ask for what is new every five seconds without being told to.
May import: errors, observe.board; tensorboard and werkzeug when it is called.
"""

from __future__ import annotations

import importlib.util
import io
import re
import signal
import socket
import sys
import threading
import zipfile
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from refluid.errors import RefluidError, RunError
from refluid.observe.board.runs import Runs, find_journals

__all__ = ["serve_board"]

_HOST = "127.0.0.1"
# at most so many of one name, evenly spaced
_SAMPLES = {"scalars": 2000, "images": 50, "histograms": 51, "text": 50}
_NEVER = re.compile(rb"reloadPeriodInMs:(3e4|30000),reloadEnabled:(!1|false)")
_ALWAYS = b"reloadPeriodInMs:5e3,reloadEnabled:!0"

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def serve_board(folder: Path, port: int) -> None:
    """Show the runs in and below a folder, until SIGINT or SIGTERM.

    Args:
        folder: holds one or several runs.
        port: of this machine's own address; 0 takes one that is free.

    Raises:
        RefluidError: TensorBoard is not installed, or the port is taken.
        RunError: there is no run.

    Effects:
        Serves HTTP on 127.0.0.1, prints the address on standard output, and what is wrong with a
        run on standard error.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise RefluidError(
            "the board cannot be shown without TensorBoard: pip install 'refluid[board]'"
        )
    if next(find_journals(folder), None) is None:
        raise RunError(
            f"`--logdir` must be a folder with a run in or below it, but {folder} "
            f"{'has none' if folder.is_dir() else 'is none'}: begin a run first, or name another."
        )
    listening = _listen(port)
    runs = Runs(folder, _tell)
    # long journals are gone through while TensorBoard is being loaded
    threading.Thread(target=runs.current, daemon=True).start()
    try:
        _serve(_application(runs), listening, folder)
    finally:
        listening.close()


def _tell(sentence: str) -> None:
    sys.stderr.write(f"refluid: {sentence}\n")


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise RefluidError(
            f"`--port` {port} cannot be used ({error.strerror}): choose another, or 0 for one "
            "that is free."
        ) from None


def _application(runs: Runs) -> App:
    # an extra, and slow to load
    from tensorboard.backend.application import TensorBoardWSGIApp
    from tensorboard.plugins.core.core_plugin import CorePluginLoader
    from tensorboard.plugins.distribution.distributions_plugin import DistributionsPlugin
    from tensorboard.plugins.histogram.histograms_plugin import HistogramsPlugin
    from tensorboard.plugins.hparams.hparams_plugin import HParamsPlugin
    from tensorboard.plugins.image.images_plugin import ImagesPlugin
    from tensorboard.plugins.metrics.metrics_plugin import MetricsPlugin
    from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin
    from tensorboard.plugins.text.text_plugin import TextPlugin

    from refluid.observe.board.projector import ProjectorLoader
    from refluid.observe.board.provider import JournalProvider

    flags = Namespace(
        logdir=str(runs.folder),
        logdir_spec="",
        path_prefix="",
        samples_per_plugin=_SAMPLES,
        window_title=f"{runs.folder.resolve().name} - refluid",
    )
    # in the order of the tabs
    plugins = [
        CorePluginLoader(),
        MetricsPlugin,
        ScalarsPlugin,
        ImagesPlugin,
        DistributionsPlugin,
        HistogramsPlugin,
        TextPlugin,
        HParamsPlugin,
        ProjectorLoader(runs),
    ]
    return TensorBoardWSGIApp(flags, plugins, JournalProvider(runs), _assets)


def _assets() -> io.BytesIO:
    """Return TensorBoard's files, with the program of its page told to reload by itself.

    It can be told so in its settings only, and there not more often than twice a minute.
    """
    # an extra
    from tensorboard.assets import get_default_assets_zip_provider

    changed = io.BytesIO()
    provider: Any = get_default_assets_zip_provider()
    with provider() as file, zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, _NEVER.sub(_ALWAYS, content) if name == "index.js" else content)
    changed.seek(0)
    return changed


def _serve(application: App, listening: socket.socket, folder: Path) -> None:
    # comes with the extra
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    port = listening.getsockname()[1]
    server = make_server(
        _HOST, port, application, threaded=True, request_handler=Quiet, fd=listening.fileno()
    )
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.stdout.write(f"The board of {folder} is at http://{_HOST}:{port}/ (Ctrl-C ends it)\n")
        sys.stdout.flush()
        server.serve_forever()
    except KeyboardInterrupt:
        # before or after the server itself waits for it
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        server.server_close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
