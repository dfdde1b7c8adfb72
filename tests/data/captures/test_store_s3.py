"""The store in S3, against moto's server."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from glassline.data.captures.store import Captures, Window, open_captures
from glassline.errors import DataError, StorageError


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_REGION", "us-east-1")
        yield boto3.client("s3")
    server.stop()


@pytest.fixture
def captures(server, request) -> Captures:
    bucket = request.node.name.replace("_", "-")[:60].strip("-")
    server.create_bucket(Bucket=bucket)
    return open_captures(f"s3://{bucket}/line/1")


def test_zones_in_s3_are_read_as_written(captures, make_meta, make_frames):
    frames_SHW = make_frames(shape_SHW=(6, 600, 700))
    captures.write(make_meta(), frames_SHW)
    assert captures.zones() == [make_meta().ref]
    assert captures.meta(make_meta().ref) == make_meta()
    found_SHW = captures.read(make_meta().ref, Window(400, 450, 200, 100))
    np.testing.assert_array_equal(found_SHW, frames_SHW[:, 450:550, 400:600])
    assert captures.verify(make_meta().ref) == []


def test_content_hash_in_s3_is_that_on_disk(captures, zone, tmp_path, make_meta, make_frames):
    local = open_captures(tmp_path)
    local.write(make_meta(), make_frames())
    assert captures.content_hash() == local.content_hash()


def test_a_zone_in_s3_without_manifest_is_not_there_and_is_written_over(captures, zone, make_meta, make_frames):
    captures.location.remove(f"{zone.path}/manifest.json")
    captures.location.write(f"{zone.path}/c/0/7/7", b"of an older, larger zone")
    assert captures.zones() == []
    assert captures.unfinished() == [zone]
    captures.write(make_meta(), make_frames(1))
    assert captures.verify(zone) == []
    np.testing.assert_array_equal(captures.read(zone), make_frames(1))


def test_a_zone_in_s3_is_written_once(captures, zone, make_meta, make_frames):
    with pytest.raises(DataError, match=r"G0001\.zarr/clean-03 must be written once"):
        captures.write(make_meta(), make_frames())


def test_a_truncated_and_a_missing_chunk_in_s3_are_found(captures, zone):
    name = f"{zone.path}/c/0/0/0"
    captures.location.write(name, captures.location.read(name)[:-9])
    with pytest.raises(DataError, match=r"clean-03 of glass G0001 .*damaged c/0/0/0"):
        captures.read(zone)
    captures.location.remove(name)
    with pytest.raises(DataError, match=r"clean-03 of glass G0001 .*no c/0/0/0"):
        captures.read(zone)
    assert captures.verify(zone) == [f"{name} is missing"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_loader_worker_reads_from_s3(captures, zone, make_frames):
    captures.read(zone)
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as worker:
        np.testing.assert_array_equal(worker.submit(captures.read, zone).result(30), make_frames())


def test_a_bucket_that_is_not_there_is_told(server, make_meta, make_frames):
    with pytest.raises(StorageError, match=r"nowhere"):
        open_captures("s3://nowhere/1").write(make_meta(), make_frames())
