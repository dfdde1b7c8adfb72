"""One cycle of a product at a time: contention of processes, a dead holder, one that goes on, a silent one."""

import subprocess
import sys
import time

import pytest

from glassline import tracking
from glassline.errors import TrackingError
from glassline.tracking import lock
from glassline.tracking.lock import product_lock, promotion_lock

# Tries to take the lock and tells what came of it; holds it until it is told to go on.
_OTHER = """
import sys
from glassline.errors import TrackingError
from glassline.tracking.lock import product_lock
try:
    with product_lock(sys.argv[1], sys.argv[2]):
        print("held", flush=True)
        sys.stdin.readline()
except TrackingError as error:
    print("refused", flush=True)
"""


def _other(name: str, run_id: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _OTHER, name, run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _run(status: str = "RUNNING") -> str:
    """Open a pipeline's run and return its id."""
    client = tracking.client()
    run_id = client.create_run("0").info.run_id
    if status != "RUNNING":
        client.set_terminated(run_id, status)
    return str(run_id)


def _locks() -> list[str]:
    """Return the locks that are held; those of dead holders were put aside."""
    names = [one.name for one in tracking.client().search_registered_models()]
    return [name for name in names if name.startswith("lock.") and ".dead." not in name]


def test_product_lock_is_had_by_one_of_two_processes_that_start_together() -> None:
    _run()  # makes the database
    both = [_other("glassline-race", _run()) for _ in range(2)]
    said = [one.stdout.readline().strip() for one in both]
    for one in both:
        one.communicate("\n", timeout=60)
    assert sorted(said) == ["held", "refused"]
    assert _locks() == []


def test_product_lock_names_the_run_that_holds_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    holder, tries, taken = _run(), [], lock._taken
    with product_lock("glassline-held", holder):
        monkeypatch.setattr(lock, "_taken", lambda *asked: (tries.append(asked), taken(*asked))[1])
        told = f"one cycle at a time, got a second one while run {holder}"
        with pytest.raises(TrackingError, match=told), product_lock("glassline-held", _run()):
            pass
        assert len(tries) == 1
        with product_lock("glassline-other", _run()):
            pass


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "FINISHED"])
def test_product_lock_is_taken_from_a_run_that_has_ended(status: str) -> None:
    _leave("glassline-dead", _run(status))
    with product_lock("glassline-dead", _run()):
        assert _locks() == ["lock.cycle.glassline-dead"]
    assert _locks() == []


def test_product_lock_is_taken_from_a_run_that_was_deleted() -> None:
    holder = _run()
    _leave("glassline-deleted", holder)
    tracking.client().delete_run(holder)
    with product_lock("glassline-deleted", _run()):
        pass


def test_product_lock_is_taken_from_a_holder_that_fell_silent() -> None:
    _leave("glassline-silent", _run(), alive_s=time.time() - lock.STALE_S - 1)
    with product_lock("glassline-silent", _run()):
        pass


def test_product_lock_that_was_taken_over_is_safe_from_who_found_the_dead_one_too() -> None:
    name, second = "lock.cycle.glassline-late", _run()
    _leave("glassline-late", _run("KILLED"))
    found = tracking.client().get_registered_model(name)
    with product_lock("glassline-late", second):
        lock._put_aside(found)  # a third saw the dead one just before, and goes on with that
        assert tracking.client().get_registered_model(name).tags["glassline.holder"] == second
        with pytest.raises(TrackingError, match=second), product_lock("glassline-late", _run()):
            pass


def test_product_lock_is_held_again_by_a_killed_run_that_goes_on() -> None:
    holder = _run()
    _leave("glassline-again", holder)
    with product_lock("glassline-again", holder):
        pass
    assert _locks() == []


def test_product_lock_says_that_its_holder_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BEAT_S", 0.05)
    holder = _run()
    _leave("glassline-beat", holder, alive_s=1)
    with product_lock("glassline-beat", holder):
        until_s = time.monotonic() + 20
        while _alive_s("glassline-beat") == 1:
            assert time.monotonic() < until_s
            time.sleep(0.05)


def test_promotion_lock_waits_for_the_other() -> None:
    holder = _run()
    _leave("glassline-wait", holder, kind="champion")
    tracking.client().set_terminated(holder, "KILLED")
    with promotion_lock("glassline-wait", _run()):
        pass


def _leave(name: str, holder: str, alive_s: float | None = None, kind: str = "cycle") -> None:
    """Leave a lock behind as a killed process does."""
    tags = {"glassline.holder": holder, "glassline.alive_s": str(alive_s or time.time())}
    tracking.client().create_registered_model(f"lock.{kind}.{name}", tags=tags)


def _alive_s(name: str) -> float:
    return float(tracking.client().get_registered_model(f"lock.cycle.{name}").tags["glassline.alive_s"])
