"""An S3 server that refuses, is gone, slow, cut off, or gets other bytes than were sent."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from glassline.data.location import Location, open_location
from glassline.data.location import s3 as s3_location
from glassline.data.location.base import NotThereError
from glassline.data.location.s3 import S3Prefix
from glassline.data.location.s3_client import transfers
from glassline.data.location.s3_errors import s3_answers
from glassline.errors import StorageError

Answering = Callable[..., None]


@pytest.fixture
def place(s3: str) -> Location:
    return open_location(f"{s3}/kept")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try less often than a user would want."""
    monkeypatch.setattr("glassline.data.location.s3_client.TRIES", 1)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Start a server that gives every request one answer and point us at it: answering(503, "SlowDown")."""
    servers = []

    def start(status: int, code: str = "") -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = f"<Error><Code>{code}</Code><Message>hidden-secret</Message></Error>".encode() if code else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_PUT = do_HEAD = do_DELETE = do_POST = do_GET

            def log_message(self, *words: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers[-1].server_port}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _everything(place: Location, folder: Path) -> list[Callable[[], object]]:
    (folder / "in").write_bytes(b"1")
    return [
        lambda: place.read("a"), lambda: place.exists("a"), lambda: place.write("a", b"1"), lambda: place.remove("a"),
        lambda: list(place.entries()), place.folders, lambda: place.upload(folder / "in", "a"),
        lambda: place.download("a", folder / "out"), lambda: _zarr(place),
    ]  # fmt: skip


def _zarr(place: Location) -> object:
    import zarr

    return zarr.open_array(place.zarr_store(), path="z", mode="r")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "SignatureDoesNotMatch", "check AWS_|rights"),
        (403, "InvalidAccessKeyId", "check AWS_"),
        (403, "AccessDenied", "rights"),
        (403, "", "rights"),
        (400, "ExpiredToken", "export new ones|server's log"),
        (507, "InsufficientStorage", "space"),
        (500, "InternalError", "must answer"),
        (503, "SlowDown", "must answer"),
        (301, "", "AWS_REGION and AWS_ENDPOINT_URL|must"),
        (418, "Strange", "server's log|must answer"),
    ],
)
def test_s3_tells_every_refusal_in_one_line_without_a_secret(
    place: Location, answering: Answering, fast: None, tmp_path: Path, status: int, code: str, message: str
) -> None:
    answering(status, code)
    for call in _everything(place, tmp_path):
        with pytest.raises(StorageError, match=message) as refused:
            call()
        assert "\n" not in str(refused.value)
        assert "hidden-secret" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_s3_tells_a_missing_bucket(s3: str, tmp_path: Path) -> None:
    place = open_location("s3://no-such-bucket/a")
    (tmp_path / "in").touch()
    for call in (lambda: list(place.entries()), lambda: place.upload(tmp_path / "in", "b"), lambda: place.read("b")):
        with pytest.raises(StorageError, match="bucket no-such-bucket must exist at http"):
            call()


def test_s3_tells_a_server_that_is_not_there(
    place: Location, fast: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for call in _everything(place, tmp_path):
        with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:9 must answer.*check AWS_ENDPOINT_URL"):
            call()


def test_s3_tells_a_server_that_stays_silent(
    place: Location, line, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassline.data.location.s3_client.SILENCE_S", 0.2)
    line.silent = True
    for call in (lambda: place.read("a"), lambda: place.write("a", b"1"), lambda: _zarr(place)):
        with pytest.raises(StorageError, match=r"must answer.*check AWS_ENDPOINT_URL"):
            call()


def test_s3_upload_survives_connections_that_are_cut(place: Location, line, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(2_000_000))
    line.cuts, line.after_bytes = 3, 500_000
    place.upload(tmp_path / "in", "a")
    assert line.cuts == 0
    assert place.read("a") == bytes(2_000_000)


def test_s3_upload_that_is_always_cut_leaves_nothing(place: Location, line, fast: None, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(bytes(2_000_000))
    line.cuts, line.after_bytes = 1000, 500_000
    with pytest.raises(StorageError, match="must answer"):
        place.upload(tmp_path / "in", "a")
    line.cuts = 0
    assert not place.exists("a")


def test_s3_upload_refuses_and_removes_what_arrived_otherwise(place: Location, line, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 1000 + b"as captured" + b"x" * 1000)
    line.garble = (b"as captured", b"as changed.")
    with pytest.raises(StorageError, match="kept/a must arrive as it was sent, got other bytes"):
        place.upload(tmp_path / "in", "a")
    assert not place.exists("a")


def test_s3_takes_an_object_whose_etag_is_no_md5(place: Location, tmp_path: Path, monkeypatch) -> None:
    """As servers give it that encrypt with a key service; the bytes are read back instead."""
    monkeypatch.setattr("glassline.data.location.s3._md5", lambda content: "another")
    (tmp_path / "in").write_bytes(b"1")
    place.upload(tmp_path / "in", "a")
    assert place.read("a") == b"1"


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is sent in two parts."""
    part = 5 << 20  # the least that S3 takes
    monkeypatch.setattr("glassline.data.location.s3.TRANSFER.multipart_threshold", part)
    monkeypatch.setattr("glassline.data.location.s3.TRANSFER.multipart_chunksize", part)
    (tmp_path / "large").write_bytes(b"a" * part + b"as captured")
    return tmp_path / "large"


def test_s3_sends_a_large_file_in_parts_and_knows_their_sum(place: Location, large: Path, monkeypatch) -> None:
    monkeypatch.setattr(S3Prefix, "_stored", lambda place, name: pytest.fail("the ETag must do"))
    place.upload(large, "a")
    assert transfers().head_object(**_object(place))["ETag"].endswith('-2"')
    assert place.read("a") == large.read_bytes()


def test_s3_refuses_and_removes_a_part_that_arrived_otherwise(place: Location, line, large: Path) -> None:
    line.garble = (b"as captured", b"as changed.")
    with pytest.raises(StorageError, match="kept/a must arrive as it was sent, got other bytes"):
        place.upload(large, "a")
    assert not place.exists("a")


def test_s3_leaves_no_parts_of_a_large_file_that_is_refused(place: Location, large: Path, monkeypatch) -> None:
    _after(monkeypatch, "upload_part", lambda: (_ for _ in ()).throw(StorageError("refused")))
    with pytest.raises(StorageError, match="refused"):
        place.upload(large, "a")
    assert "Uploads" not in transfers().list_multipart_uploads(Bucket=_object(place)["Bucket"])


def test_s3_knows_a_large_file_that_was_put_together_though_the_answer_got_lost(
    place: Location, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _after(monkeypatch, "complete_multipart_upload", lambda: (_ for _ in ()).throw(NotThereError("no such upload")))
    place.upload(large, "a")
    assert place.read("a") == large.read_bytes()


def _object(place: Location) -> dict[str, str]:
    bucket, _, prefix = place.url.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": f"{prefix}/a"}


def _after(monkeypatch: pytest.MonkeyPatch, operation: str, act: Callable[[], object]) -> None:
    """Do something between an operation of the server and its answer."""
    ask = s3_location._ask

    def asked(name: str, *given: object, **more: object) -> object:
        answer = ask(name, *given, **more)
        if name == operation:
            act()
        return answer

    monkeypatch.setattr(s3_location, "_ask", asked)


@pytest.mark.parametrize("known", [True, False], ids=["etag is an md5", "etag is no md5"])
@pytest.mark.parametrize("operation", ["put_object", "complete_multipart_upload"])
def test_s3_leaves_what_another_writer_put_right_after(
    place: Location, large: Path, monkeypatch: pytest.MonkeyPatch, operation: str, known: bool
) -> None:
    if not known:
        monkeypatch.setattr("glassline.data.location.s3._md5", lambda content: "another")
        monkeypatch.setattr("glassline.data.location.s3_parts._md5", lambda content: b"another")
    _after(monkeypatch, operation, lambda: transfers().put_object(**_object(place), Body=b"the other's"))
    if operation == "put_object":
        place.write("a", b"ours")
    else:
        place.upload(large, "a")
    assert place.read("a") == b"the other's"


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_s3_names_the_variable_that_is_missing(place: Location, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(StorageError, match=f"got no {missing}; export"):
        place.read("a")


@pytest.mark.parametrize("endpoint", ["ftp://host", "host:9000", "http://", "http://host:port", "http://u:hidden@host"])
def test_s3_refuses_an_endpoint_that_is_none(place: Location, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL must") as refused:
        place.read("a")
    assert "hidden" not in str(refused.value)


def _raise(error: Exception) -> None:
    with s3_answers("s3://bucket/a"):
        raise error


def test_s3_answers_leaves_a_secret_out_of_whatever_is_said(s3: str) -> None:
    class Leaky(NoCredentialsError):
        fmt = "sent hidden-secret\nand more"

    with pytest.raises(StorageError, match=r"Leaky \(sent \*\*\*\)"):
        _raise(Leaky())


def test_s3_answers_passes_on_what_is_no_answer(s3: str) -> None:
    with pytest.raises(ZeroDivisionError):
        _raise(ZeroDivisionError())
    with pytest.raises(StorageError, match="HTTP 409"):
        _raise(ClientError({"ResponseMetadata": {"HTTPStatusCode": 409}, "Error": {"Code": "Conflict"}}, "PutObject"))
