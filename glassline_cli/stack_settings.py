"""Settings and credentials of the stack: one file for its containers, one for its clients, both of mode 0600.

Made once; from then on the file says what the stack is, for `glassline stack` and for compose alike.
"""

import re
import secrets
from pathlib import Path

from pydantic import ConfigDict, Field, field_validator

from glassline.data.storage import written_whole
from glassline.errors import SettingsError
from glassline.settings import Settings

REGION = "us-east-1"

#: What a shell that sources the file and a compose that reads it take for the same text.
_PLAIN = re.compile(r"[A-Za-z0-9._:/,*@+=%\[\]-]*")

_HEAD = """\
# Settings and credentials of the stack, made once; edit, then `make stack` again. Never in git, for nobody else's eyes.
# OBJECT_STORE_GIB holds from the first start on.
"""


class StackSettings(Settings):
    """What the containers are told.

    Attributes:
        name: Prefix of containers and volumes.
        image_prefix: Registry and folder of the images.
        image_tag: Tag of the images.
        bind_address: Where tracking server and object store listen; the database stays on loopback.
        tracking_port: Port of the MLflow server.
        object_store_port: Port of the S3 gateway.
        monitor_port: Port that Ceph's daemons find each other by, on loopback.
        database_port: Port of PostgreSQL, on loopback.
        object_store_gib: Largest size of the object store in GiB; grows up to it.
        bucket: Bucket that is made; artifacts lie below `mlflow` in it.
        allowed_hosts: Host headers that MLflow answers, comma-separated; "" for this machine and private networks.
        allowed_origins: Origins of browsers behind a proxy, comma-separated.
        database_password: Of the role mlflow.
        access_key: S3 access key.
        secret_key: S3 secret key.
    """

    # No value of this file is told: it may stand in the line of another.
    model_config = ConfigDict(hide_input_in_errors=True)

    name: str = Field(default="glassline", alias="STACK_NAME", pattern="^[a-z0-9][a-z0-9-]*$")
    image_prefix: str = Field(default="glassline", alias="IMAGE_PREFIX")
    image_tag: str = Field(default="0.1.0", alias="IMAGE_TAG")
    bind_address: str = Field(default="127.0.0.1", alias="BIND_ADDRESS")
    tracking_port: int = Field(default=5000, alias="TRACKING_PORT", ge=1, le=65535)
    object_store_port: int = Field(default=7480, alias="OBJECT_STORE_PORT", ge=1, le=65535)
    monitor_port: int = Field(default=3300, alias="MONITOR_PORT", ge=1, le=65535)
    database_port: int = Field(default=15432, alias="DATABASE_PORT", ge=1, le=65535)
    object_store_gib: int = Field(default=20, alias="OBJECT_STORE_GIB", ge=2)
    bucket: str = Field(default="glassline", alias="BUCKET", pattern="^[a-z0-9][a-z0-9.-]{2,62}$")
    allowed_hosts: str = Field(default="", alias="MLFLOW_SERVER_ALLOWED_HOSTS")
    allowed_origins: str = Field(default="", alias="MLFLOW_SERVER_CORS_ALLOWED_ORIGINS")
    database_password: str = Field(alias="DATABASE_PASSWORD", min_length=1, repr=False)
    access_key: str = Field(alias="AWS_ACCESS_KEY_ID", min_length=1, repr=False)
    secret_key: str = Field(alias="AWS_SECRET_ACCESS_KEY", min_length=1, repr=False)

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        if not _PLAIN.fullmatch(str(value)):
            raise ValueError("must be letters, digits and ._:/,*@+=%[]- alone, got another character; choose another")
        return value

    def variables(self) -> dict[str, str]:
        """Return the settings as the variables that containers and compose read."""
        return {name: str(value) for name, value in self.model_dump(by_alias=True).items()}

    def client_variables(self) -> dict[str, str]:
        """Return the variables that let a client on this machine in."""
        # Where it listens on every address, that is none to ask.
        address = "127.0.0.1" if self.bind_address in ("0.0.0.0", "::") else self.bind_address  # noqa: S104
        return {
            "MLFLOW_TRACKING_URI": f"http://{address}:{self.tracking_port}",
            "AWS_ENDPOINT_URL": f"http://{address}:{self.object_store_port}",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }


def ready_settings(path: Path) -> StackSettings:
    """Return the settings of a file; make it, with new credentials, where it is missing.

    Args:
        path: Such as `stack/.env`.

    Raises:
        SettingsError: It is no file of text, others may read it, a line is not NAME=VALUE, or a value is out of range.
    """
    if path.exists() and not path.is_file():
        raise SettingsError(f"{path} must be a file of settings, got something else, such as a folder; move it away")
    if not path.exists():
        settings = StackSettings.parse({
            "DATABASE_PASSWORD": secrets.token_hex(32),
            "AWS_ACCESS_KEY_ID": secrets.token_hex(10).upper(),
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(32),
        })  # fmt: skip
        _write(path, _HEAD, settings.variables())
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SettingsError(f"{path} holds credentials and must be of mode 0600, got {mode:04o}; chmod 600 {path}")
    return StackSettings.parse(_read(path))


def write_client_file(path: Path, settings: StackSettings) -> None:
    """Write what a client sources, beside the settings.

    Args:
        path: Such as `stack/client.env`.
        settings: Of the stack that runs.
    """
    _write(path, "# What a client of the stack needs: set -a; . FILE; set +a\n", settings.client_variables())


def _read(path: Path) -> dict[str, str]:
    """Return the variables of a file; its values are never told, they may be secrets."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{path} must be text in UTF-8 that this user may read; mend or remove it") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals or not re.fullmatch(r"\w+", name.strip()):
                raise SettingsError(f"line {number} of {path} must be NAME=VALUE, got something else; mend it")
            found[name.strip()] = value.strip()
    return found


def _write(path: Path, head: str, variables: dict[str, str]) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    with written_whole(path) as beside:
        # Nobody else may read it at any moment.
        beside.touch(0o600, exist_ok=False)
        beside.write_text(head + lines)
