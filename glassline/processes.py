"""The processes that torchrun started for one fit, as the environment tells them; torch is not loaded for it.

`torchrun --nnodes N --nproc-per-node M -m glassline_cli step train_unet ...` runs the step N x M times. The first
process is the step: it alone talks to MLflow, writes and prints. The others only take part in the fit.
"""

import itertools
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from glassline.errors import SettingsError

# Nodes may prepare their data at different speeds; torch's own collectives wait as long.
_PATIENCE = timedelta(minutes=30)

# What the first process may need to meet an error that another one met before.
_GRACE = timedelta(seconds=10)

_agreements = itertools.count()


@dataclass(frozen=True)
class Torchrun:
    """This process among those that torchrun started."""

    rank: int
    nodes: int
    per_node: int

    @property
    def count(self) -> int:
        """Number of processes on all nodes."""
        return self.nodes * self.per_node


def torchrun() -> Torchrun | None:
    """Return this process among those that torchrun started, None when it did not start it.

    Raises:
        SettingsError: Nodes have different numbers of processes.
    """
    told = os.environ
    if "TORCHELASTIC_RUN_ID" not in told:
        return None
    found = Torchrun(int(told["RANK"]), int(told["GROUP_WORLD_SIZE"]), int(told["LOCAL_WORLD_SIZE"]))
    if found.count != int(told["WORLD_SIZE"]):
        raise SettingsError(
            f"every node must start as many processes, got {told['WORLD_SIZE']} on {found.nodes} nodes of which one "
            f"has {found.per_node}; give all the same --nproc-per-node"
        )
    return found


def is_first() -> bool:
    """Tell whether this process is the one that writes and prints: any that torchrun did not start, or its first."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ["RANK"] == "0"


def agree(value: str, remedy: str) -> None:
    """Check that all processes of torchrun have the value of the first, before they wait for each other in a fit.

    Args:
        value: What this process found.
        remedy: What to do when another found something else.

    Raises:
        SettingsError: This process found something else than the first.
    """
    started = torchrun()
    if started is None or started.count == 1:
        return
    store, key = _store(), f"agreement {next(_agreements)}"
    if is_first():
        store.set(key, value)
        return
    first = store.get(key).decode()
    if first != value:
        raise SettingsError(
            f"all processes must find the same, got {first} in the first and {value} in number {started.rank}; {remedy}"
        )


def tells_failure() -> bool:
    """Tell whether this process is the one to tell that it failed, of those that torchrun started.

    An error that all meet alike is told once, and so is one that ends the others by breaking their connection. The
    first process is given the time to meet it too: once another one has ended, torchrun ends it, its run still open.
    """
    started = torchrun()
    if started is None or started.count == 1:
        return True
    try:
        store = _store()
        if is_first():
            store.set("first failed", "yes")
        else:
            with suppress(RuntimeError):  # it did not
                store.wait(["first failed"], _GRACE)
        return bool(store.add("failures told", 1) == 1)
    except RuntimeError:  # the store went with the first node: better told twice than never
        return True


def _store() -> Any:
    """Return the store that torchrun keeps for its processes, under names of this try."""
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = TCPStore(address, port, is_master=False, wait_for_workers=False, timeout=_PATIENCE)
    return PrefixStore(f"glassline {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)
