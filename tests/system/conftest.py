"""A real S3 server for the tests that need one."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("glassline_test_ceph", Path(__file__).with_name("ceph.py"))
assert _spec
assert _spec.loader
_ceph: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ceph)


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Ceph with its S3 gateway; absent programs are an error in CI and a skip elsewhere."""
    missing = _ceph.missing_programs()
    if missing:
        message = f"no {', '.join(missing)} on the path; install radosgw ceph-osd ceph-mon ceph-mgr ceph-common"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    cluster = _ceph.Ceph(tmp_path_factory.mktemp("ceph"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
