"""What an S3 server, or the way to it, says when it refuses: one StorageError with rule, value and remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from glassline.data.location.s3_client import access, server
from glassline.errors import StorageError


class NotThereError(StorageError):
    """An object is missing."""


class NoAnswerError(StorageError):
    """The server was gone or cut the connection: worth another try, a server that starts again is back in seconds."""


#: Code or status to what must hold and what to do; {url}, {bucket} and {server} are filled in.
_REFUSALS = {
    "NoSuchBucket": ("the bucket {bucket} must exist at {server}", "make it, or mend URL or AWS_ENDPOINT_URL"),
    "404": ("{url} must be there", "check the name"),
    "SignatureDoesNotMatch": ("the keys must be known to {server}", "check AWS_SECRET_ACCESS_KEY"),
    "InvalidAccessKeyId": ("the keys must be known to {server}", "check AWS_ACCESS_KEY_ID"),
    "ExpiredToken": ("the keys must be valid", "export new ones with their AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": ("this machine's clock must agree with that of {server}", "set the clock"),
    "AccessDenied": ("{url} must be open to these keys", "check AWS_ACCESS_KEY_ID and its rights on the bucket"),
    "403": ("{url} must be open to these keys", "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their rights"),
    "QuotaExceeded": ("{url} needs more space than its quota has", "free some or have the quota raised"),
    "507": ("{url} needs more space than {server} has", "free some there"),
    "XAmzContentSHA256Mismatch": ("{url} must arrive as it was sent", "upload again, and have the network checked"),
    "BadDigest": ("{url} must arrive as it was sent", "upload again, and have the network checked"),
    "PermanentRedirect": ("{url} must be in the region given", "check AWS_REGION"),
    "301": ("{url} must be in the region given", "check AWS_REGION"),
}
_SILENT = ("{server} must answer", "check AWS_ENDPOINT_URL and that the server runs, then give the command again")
_OTHER = ("{url} must be taken by {server}", "check the server's log")


@contextmanager
def s3_answers(url: str) -> Iterator[None]:
    """Turn every error of boto3 and obstore into one StorageError.

    Args:
        url: What is asked for.

    Raises:
        StorageError: The server refused, or did not answer in time.
    """
    import botocore.exceptions
    import obstore.exceptions
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        HTTPClientError,
        ReadTimeoutError,
    )

    try:
        yield
    except StorageError:
        raise
    except (ClientError, Boto3Error, BotoCoreError) as error:
        cause: BaseException = error
        if isinstance(error, Boto3Error):  # the transfer manager wraps what happened
            cause = getattr(error, "last_exception", None) or error.__context__ or error
        if isinstance(cause, ClientError):
            told = cause.response
            status = int(told.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            raise _refused(url, str(told.get("Error", {}).get("Code", "")), status) from None
        timed_out = isinstance(cause, (ConnectTimeoutError, ReadTimeoutError))
        silent = isinstance(cause, (HTTPClientError, botocore.exceptions.ConnectionError))
        kind = NoAnswerError if silent and not timed_out else StorageError
        raise kind(_told(_SILENT if silent else _OTHER, url, _first_line(cause))) from None
    except (obstore.exceptions.BaseError, FileNotFoundError) as error:
        text = str(error)
        found = re.search(r"status code: (\d{3})", text) or re.search(r"status: (\d{3})", text)
        code = re.search(r"<Code>(\w+)</Code>", text)
        if found:
            raise _refused(url, code[1] if code else "", int(found[1])) from None
        raise StorageError(_told(_SILENT, url, _obstore_reason(text))) from None


def _refused(url: str, code: str, status: int) -> StorageError:
    got = " ".join(filter(None, ["" if code.isdigit() else code, f"HTTP {status}" if status else ""]))
    if status == 404 and code != "NoSuchBucket":
        return NotThereError(_told(_REFUSALS["404"], url, got))
    rule = _REFUSALS.get(code) or _REFUSALS.get(str(status))
    if rule is None and status >= 500:
        return NoAnswerError(_told(_SILENT, url, got))
    return StorageError(_told(rule or _OTHER, url, got))


def _told(rule: tuple[str, str], url: str, got: str) -> str:
    must = rule[0].format(url=url, bucket=url.split("/")[2], server=server())
    return f"{_without_secrets(f'{must}, got {got}')}; {rule[1]}"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]


def _obstore_reason(text: str) -> str:
    """Return the short cause that obstore hides in its debug lines."""
    kind = re.search(r"kind: (Connect|Timeout|Decode|Interrupted|Request|Unknown)", text)
    words = re.search(r'"((?:tcp connect|dns|tls|client)[^"]*)"', text)
    return (words[1] if words else f"{kind[1].lower()} error" if kind else text.splitlines()[0])[:300]


def _without_secrets(text: str) -> str:
    """Return a message with whatever the environment keeps secret left out."""
    known = access()
    for secret in filter(None, (known.secret, known.token)):
        text = text.replace(secret, "***")
    return " ".join(text.split())
