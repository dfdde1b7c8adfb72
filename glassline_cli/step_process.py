"""A step in a process that a server forks off: its libraries are loaded once a run, not once a step.

Loading torch, Lightning and MLflow takes some 8 CPU seconds, more than most steps of a small run take for their work.
The server loads them and opens no file or connection; each step is a fork of it that then runs what kfp's command line
would have run. Server and steps end with the process that started them, however it ends.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

#: What most steps load.
_LOADED = (
    "kfp.dsl.executor_main", "pandas", "pyarrow.parquet", "matplotlib.figure", "mlflow", "onnxruntime",
    "glassline.training.loop", "glassline.report.page",
)  # fmt: skip

_STARTING = threading.Lock()  # two steps may be the first


def run_in_process(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a step, print what it prints, and return its exit status; negative for the signal that killed it.

    Args:
        command: The step's command line, as kfp's executor takes it.
        environment: Variables that it gets beside those of this process.
    """
    context = _server()
    read, write = context.Pipe(duplex=False)
    told = {**os.environ, **environment, "_KFP_RUNTIME": "true"}
    process = context.Process(target=_step, args=(write, list(command), told))
    process.start()
    write.close()
    with os.fdopen(os.dup(read.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            print(line, end="")
    read.close()
    process.join()
    return int(process.exitcode or 0)


def _server() -> Any:
    """Return the context whose processes are forked off one server."""
    with _STARTING:
        return _started()


@cache
def _started() -> Any:
    """Start the server on this process's own path: left alone it looks for modules in the current folder first.

    A checkout that a run was started from would else be the code of its steps, whatever is installed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    path = os.pathsep.join(one or os.getcwd() for one in sys.path)
    with _environment(PYTHONSAFEPATH="1", PYTHONPATH=path):
        forkserver.ensure_running()
    return context


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for a moment."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _end_with_parent() -> None:
    """End this process when the run is killed: the next try would run beside it."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(128 + signal.SIGKILL)


def _step(write: Connection, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Become kfp's executor, as its command line starts it."""
    import glassline

    threading.Thread(target=_end_with_parent, daemon=True).start()
    glassline.IMPORTED_AT_S = time.time()
    for number in (1, 2):
        os.dup2(write.fileno(), number)
    write.close()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, encoding="utf-8") for number in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the server leaves them to its parent
    os.environ.clear()
    os.environ.update(environment)
    source = next(index for index, word in enumerate(command) if '"$@"' in word) + 1
    with tempfile.TemporaryDirectory(prefix="glassline-") as folder:
        module = Path(folder) / "ephemeral_component.py"
        module.write_text(command[source])
        sys.argv = ["executor_main.py", "--component_module_path", str(module), *command[source + 1 :]]
        from kfp.dsl.executor_main import executor_main

        executor_main()
