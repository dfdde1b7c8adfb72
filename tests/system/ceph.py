"""One node of Ceph with an S3 gateway on loopback: mon, mgr, an OSD in memory, radosgw; all below one folder.

Run by itself it serves until interrupted: `python tests/system/ceph.py FOLDER`. Needs Debian's radosgw, ceph-osd,
ceph-mon, ceph-mgr and ceph-common.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("ceph-mon", "ceph-mgr", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
ACCESS_KEY, SECRET_KEY = "GLASSLINE", "glassline-test-secret"

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
run dir = {folder}/run
log file = {folder}/log/$name.log
admin socket = {folder}/run/$name.asok
osd objectstore = memstore
memstore device bytes = 4294967296
[mon.a]
mon data = {folder}/mon
[mgr.x]
mgr data = {folder}/mgr
mgr modules =
[osd.0]
osd data = {folder}/osd
osd class load list = *
osd class default list = *
[client.rgw]
ms mon client mode = crc
rgw data = {folder}/rgw
# Without tcp_nodelay every small answer waits 40 ms for the next packet.
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw dynamic resharding = false
rgw thread pool size = 32
"""


class Ceph:
    """A cluster that lives as long as its folder; the gateway can be stopped, slowed and started again."""

    def __init__(self, folder: Path) -> None:
        """Choose ports; nothing starts yet."""
        self._folder = folder
        self._mon_port, self._port = _free_ports(2)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.endpoint = f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let a client in."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.endpoint,
        }  # fmt: skip

    def start(self) -> None:
        """Make the cluster and a user, and wait until the gateway answers."""
        for name in ("mon", "mgr", "osd", "rgw", "run", "log"):
            (self._folder / name).mkdir(parents=True)
        fsid, osd = uuid.uuid4(), uuid.uuid4()
        self._configuration.write_text(
            _CONFIGURATION.format(fsid=fsid, folder=self._folder, mon_port=self._mon_port, port=self._port)
        )
        address, monmap = f"[v2:127.0.0.1:{self._mon_port}]", str(self._folder / "monmap")
        _tell("monmaptool", "--create", "--clobber", "--fsid", str(fsid), "--addv", "a", address, monmap)
        self._tell("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._serve("ceph-mon", "-i", "a")
        self._tell("ceph", "--connect-timeout", "30", "osd", "new", str(osd), "0")
        self._tell("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", str(osd))
        self._serve("ceph-osd", "-i", "0")
        self._serve("ceph-mgr", "-i", "x")
        _wait_until("the OSD is up", lambda: "1 up" in self._tell("ceph", "osd", "stat"))
        self.start_gateway()
        user = ("--uid=glassline", "--display-name=glassline", f"--access-key={ACCESS_KEY}", f"--secret={SECRET_KEY}")
        self._tell("radosgw-admin", "user", "create", *user)

    def start_gateway(self) -> None:
        """Start the S3 gateway on the same port as before."""
        self._serve("radosgw", "-n", "client.rgw")
        _wait_until("the S3 gateway answers", lambda: _answers(self.endpoint))

    def kill_gateway(self) -> None:
        """End the S3 gateway at once, as a power cut would."""
        gateway = self._running.pop("radosgw")
        gateway.kill()
        gateway.wait()

    def freeze_gateway(self) -> None:
        """Let the S3 gateway accept connections and answer nothing."""
        self._running["radosgw"].send_signal(signal.SIGSTOP)

    def thaw_gateway(self) -> None:
        """Let the S3 gateway go on."""
        self._running["radosgw"].send_signal(signal.SIGCONT)

    def revive_gateway(self) -> None:
        """Bring the S3 gateway back from whatever was done to it."""
        if "radosgw" in self._running:
            self.thaw_gateway()
        else:
            self.start_gateway()

    def stop(self) -> None:
        """End every process; an OSD in memory has nothing to save."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()

    @property
    def _configuration(self) -> Path:
        return self._folder / "ceph.conf"

    def _tell(self, program: str, *words: str) -> str:
        return _tell(program, "-c", str(self._configuration), *words)

    def _serve(self, program: str, *words: str) -> None:
        with open(self._folder / "log" / f"{program}.out", "ab") as log:
            self._running[program] = subprocess.Popen(
                [program, "-c", str(self._configuration), "-f", *words],
                stdout=log,
                stderr=log,
                env=_plain_environment(),
            )


def missing_programs() -> list[str]:
    """Return which of Ceph's programs this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("CEPH_", "AWS_"))}


def _tell(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=_plain_environment())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} must succeed, got {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _wait_until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Ceph must come up within two minutes; still waiting until {what}")
        time.sleep(0.3)


if __name__ == "__main__":
    ceph = Ceph(Path(sys.argv[1]))
    try:
        ceph.start()
        for name, value in ceph.environment.items():
            print(f"export {name}={value}", flush=True)
        signal.pause()
    finally:
        ceph.stop()
