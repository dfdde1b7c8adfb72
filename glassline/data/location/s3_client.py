"""Clients of the S3 server that the environment names: boto3 for transfers, obstore for reading by range.

A server that refuses connections is told within ten seconds, one that takes them and stays silent within a minute;
`s3_patience` waits for one that is known.
"""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from obstore.store import S3Store

from glassline.errors import StorageError

if TYPE_CHECKING:
    from obstore.store import RetryConfig

CONNECT_S, SILENCE_S, TRIES = 5, 10, 4

#: A file of a part and more is sent in parts, in parallel.
_PART_BYTES = 16 << 20
TRANSFER = TransferConfig(
    multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=4, num_download_attempts=TRIES
)


@dataclass(frozen=True)
class Access:
    """How to reach the server.

    Attributes:
        key: Access key; no secret.
        secret: Secret key.
        token: Session token of temporary keys, "" for lasting ones.
        region: Region; us-east-1 where none is given.
        endpoint: Address of a server of one's own, None for Amazon's.
    """

    key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    region: str
    endpoint: str | None


def access() -> Access:
    """Return how the environment says to reach the server.

    Raises:
        StorageError: Key or secret is missing, or the endpoint is no http(s) address or holds a password.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not key or not secret:
        missing = " and ".join(
            name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)
        )
        raise StorageError(f"S3 must be given its keys in the environment, got no {missing}; export them")
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    if endpoint:
        _check_endpoint(endpoint)
    token, region = os.environ.get("AWS_SESSION_TOKEN", ""), os.environ.get("AWS_REGION") or "us-east-1"
    return Access(key, secret, token, region, endpoint)


def server() -> str:
    """Return the server's address, for people."""
    return os.environ.get("AWS_ENDPOINT_URL") or "Amazon S3"


def transfers() -> Any:
    """Return boto3's client of this process; safe to share between threads."""
    return _boto3_client(access(), os.getpid())


def reader(bucket: str, prefix: str) -> S3Store:
    """Return obstore's store of a bucket below a prefix, "" for all of it."""
    return _obstore_store(access(), bucket, prefix, os.getpid())


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        secret = bool(parts.username or parts.password or parts.query)
    except ValueError:
        good = secret = False
    if secret:
        raise StorageError("AWS_ENDPOINT_URL must hold no user, password or query, got one; give the address alone")
    if not good:
        raise StorageError(f"AWS_ENDPOINT_URL must be like https://host:port, got {endpoint!r}; mend it")


@cache
def _boto3_client(access: Access, process: int) -> Any:
    """Return a client; one a process, since forked processes must not share connections."""
    # SHA-256 of every body stands in its signature. Trailing checksums are left out where they are not asked for:
    # older servers refuse them over TLS.
    addressing = {"addressing_style": "path" if access.endpoint else "auto", "payload_signing_enabled": True}
    return boto3.session.Session().client(
        "s3", endpoint_url=access.endpoint, region_name=access.region, aws_access_key_id=access.key,
        aws_secret_access_key=access.secret, aws_session_token=access.token or None,
        config=Config(
            signature_version="s3v4", s3=addressing, connect_timeout=CONNECT_S, read_timeout=SILENCE_S,
            retries={"mode": "standard", "total_max_attempts": TRIES}, max_pool_connections=64,
            request_checksum_calculation="when_required", response_checksum_validation="when_required",
        ),
    )  # fmt: skip


@cache
def _obstore_store(access: Access, bucket: str, prefix: str, process: int) -> S3Store:
    config: dict[str, Any] = {
        "access_key_id": access.key, "secret_access_key": access.secret, "region": access.region,
        "virtual_hosted_style_request": access.endpoint is None,
    }  # fmt: skip
    if access.endpoint:
        config["endpoint"] = access.endpoint
    if access.token:
        config["session_token"] = access.token
    retries: RetryConfig = {
        "max_retries": TRIES - 1, "retry_timeout": timedelta(seconds=TRIES * SILENCE_S),
        "backoff": {"init_backoff": timedelta(seconds=0.5), "max_backoff": timedelta(seconds=5), "base": 2},
    }  # fmt: skip
    return S3Store(
        bucket, prefix=prefix or None, config=config,  # type: ignore[arg-type]
        client_options={
            "allow_http": True, "connect_timeout": timedelta(seconds=CONNECT_S),
            "read_timeout": timedelta(seconds=SILENCE_S), "timeout": timedelta(minutes=5),
        },
        retry_config=retries,
    )  # fmt: skip
