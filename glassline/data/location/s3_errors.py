"""What an S3 server, or the way to it, says when it refuses: one StorageError with rule, value and remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)
from obstore.exceptions import BaseError

from glassline.data.location.base import NotThereError
from glassline.data.location.s3_client import access, server
from glassline.errors import StorageError


class NoAnswerError(StorageError):
    """The server was gone, silent or cut the connection: worth another try, a server may start again."""


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
    "301": ("{url} must be in the region and at the address given", "check AWS_REGION and AWS_ENDPOINT_URL"),
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
    try:
        yield
    except (ClientError, Boto3Error, BotoCoreError) as error:
        raise _of_boto3(url, error) from None
    except RecursionError:  # boto3 follows a redirect of everything without end
        raise _refused(url, "", 301) from None
    except BaseError as error:
        raise _of_obstore(url, str(error)) from None
    except FileNotFoundError as error:
        if error.errno is not None:  # the disk's
            raise
        raise _of_obstore(url, str(error)) from None


def _of_boto3(url: str, error: BaseException) -> StorageError:
    if isinstance(error, Boto3Error):  # the transfer manager wraps what happened
        error = getattr(error, "last_exception", None) or error.__context__ or error
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return _refused(url, str(error.response.get("Error", {}).get("Code", "")), status)
    silent = isinstance(error, (HTTPClientError, IncompleteReadError, NoConnectionError))
    got = f"{type(error).__name__} ({str(error).splitlines()[0] if str(error) else ''})"[:300]
    return NoAnswerError(_told(_SILENT, url, got)) if silent else StorageError(_told(_OTHER, url, got))


def _of_obstore(url: str, text: str) -> StorageError:
    """Return the error that obstore's text, some lines for people and some of debugging, tells."""
    status = re.search(r"status code: (\d{3})", text) or re.search(r"status: (\d{3})", text)
    if status:
        code = re.search(r"<Code>(\w+)</Code>", text)
        return _refused(url, code[1] if code else "", int(status[1]))
    cause = re.search(r'"((?:tcp connect|dns|tls)[^"]*)"', text) or re.search(r"kind: (Timeout)", text)
    return NoAnswerError(_told(_SILENT, url, cause[1].lower() if cause else text.splitlines()[0][:300]))


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


def _without_secrets(text: str) -> str:
    """Return a message with whatever the environment keeps secret left out."""
    known = access()
    for secret in filter(None, (known.secret, known.token)):
        text = text.replace(secret, "***")
    return " ".join(text.split())
