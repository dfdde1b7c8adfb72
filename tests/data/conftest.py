"""A line to the S3 server that can be cut, slowed or garbled."""

import socket
import threading
from collections.abc import Iterator

import pytest


class FaultyLine:
    """A TCP line to a server, with faults.

    Attributes:
        cuts: How many connections are still to be cut, each once `after_bytes` have gone to the server.
        after_bytes: See `cuts`.
        silent: Whether connections are taken and nothing is answered.
        garble: What is replaced on the way to the server, and by what of the same length.
        sent_bytes: How many bytes have gone to the server.
    """

    def __init__(self, endpoint: str) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts, self.after_bytes, self.silent, self.sent_bytes = 0, 0, False, 0
        self.garble: tuple[bytes, bytes] | None = None
        self._open: list[socket.socket] = []
        self._turn = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            if self.silent:
                continue
            server = socket.create_connection(self._server)
            self._open.append(server)
            threading.Thread(target=self._send, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        gone = 0
        while data := _received(client):
            if gone + len(data) > self.after_bytes and self._cut():
                break
            if self.garble:
                data = data.replace(*self.garble)
            try:
                server.sendall(data)
            except OSError:
                break
            gone += len(data)
            self.sent_bytes += len(data)
        _end(client)
        _end(server)

    def _cut(self) -> bool:
        with self._turn:
            cut, self.cuts = self.cuts > 0, max(self.cuts - 1, 0)
        return cut

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        while data := _received(server):
            try:
                client.sendall(data)
            except OSError:
                break
        _end(client)


@pytest.fixture
def line(s3: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyLine]:
    """Put a line with faults, none at first, between us and the server."""
    faulty = FaultyLine(s3_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.endpoint)
    yield faulty
    faulty.close()


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(1 << 16)
    except OSError:
        return b""


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was faster
    finally:
        one.close()
