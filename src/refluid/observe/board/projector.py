"""The page of embeddings, answered from the journals.

TensorBoard's own projector reads files that a program leaves in its folder. This one has the same
page and answers its questions itself, with the last embedding of each name.
May import: errors, tensorboard, observe.board, observe.record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tensorboard.backend.http_util import Respond
from tensorboard.plugins import base_plugin
from werkzeug import Request

from refluid.errors import RunError
from refluid.observe.board.runs import Runs
from refluid.observe.record import Embedding

__all__ = ["ProjectorLoader"]

_FILES = ("/index.js", "/projector_binary.html", "/projector_binary.js")

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ProjectorLoader(base_plugin.TBLoader):
    """Makes the page for TensorBoard."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def load(self, context: Any) -> Any:
        """Return the page."""
        return _Projector(context, self._runs)


class _Projector(base_plugin.TBPlugin):
    plugin_name = "projector"

    def __init__(self, context: Any, runs: Runs) -> None:
        self._context = context
        self._runs = runs

    def get_plugin_apps(self) -> dict[str, App]:
        # loads much that only this page needs
        from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

        apps = ProjectorPlugin(self._context).get_plugin_apps()
        return {
            **{path: apps[path] for path in _FILES},
            "/runs": _answering(self._list_runs),
            "/info": _answering(self._describe),
            "/tensor": _answering(self._tensor),
            "/metadata": _answering(self._labels),
        }

    def is_active(self) -> bool:
        return any(run.names(Embedding) for run in self._runs.current())

    def frontend_metadata(self) -> Any:
        return base_plugin.FrontendMetadata(es_module_path="/index.js", disable_reload=True)

    def _list_runs(self, request: Request) -> Any:
        names = [run.name for run in self._runs.current() if run.names(Embedding)]
        return Respond(request, names, "application/json")

    def _describe(self, request: Request) -> Any:
        found = []
        for run in self._runs.current():
            for name in run.names(Embedding) if run.name == request.args["run"] else ():
                embedding = run.record(Embedding, name)
                if embedding is not None and embedding.vectors.size:
                    shape = list(embedding.vectors.shape)
                    found.append({"tensorName": name, "tensorShape": shape, "metadataPath": name})
        return Respond(request, {"embeddings": found}, "application/json")

    def _tensor(self, request: Request) -> Any:
        vectors = self._asked(request).vectors
        data = vectors[: _num_rows(request, len(vectors))].tobytes()
        return Respond(request, data, "application/octet-stream")

    def _labels(self, request: Request) -> Any:
        labels = self._asked(request).labels
        # one to a line; the page passes over an empty one, and takes a tab for another column
        lines = [" ".join(label.split()) or "-" for label in labels]
        text = "\n".join(lines[: _num_rows(request, len(lines))])
        return Respond(request, text.encode(errors="replace"), "text/plain")

    def _asked(self, request: Request) -> Embedding:
        for run in self._runs.current():
            if run.name == request.args["run"]:
                embedding = run.record(Embedding, request.args["name"])
                if embedding is not None:
                    return embedding
        raise LookupError(f"there is no embedding {request.args['name']!r}")


def _num_rows(request: Request, most: int) -> int:
    return max(0, int(request.args.get("num_rows", most)))


def _answering(answer: Callable[[Request], Any]) -> App:
    """Return `answer` as an application, which says what is wrong with a question."""

    def application(request: Request) -> Any:
        try:
            return answer(request)
        except (LookupError, ValueError, RunError) as error:
            return Respond(request, f"This cannot be answered: {error}", "text/plain", code=400)

    return Request.application(application)
