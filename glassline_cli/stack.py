"""`glassline stack`: database, object store and tracking server on one machine, for a team without a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from glassline_cli.containers import Engine, Service
    from glassline_cli.stack_settings import StackSettings

app = typer.Typer(no_args_is_help=True, help="Serve MLflow from containers on this machine.", rich_markup_mode=None)

_HEALTHY_WITHIN_S = 300

_Engine = Annotated[str, typer.Option("--engine", help="docker or podman.")]
_File = Annotated[Path, typer.Option("--settings", help="Settings and credentials; made where missing.")]


@app.command()
def settings(file: _File = Path("stack/.env")) -> None:
    """Make the file of settings and credentials, to be edited before the first start.

    Example: glassline stack settings
    """
    from glassline_cli.stack_settings import ready_settings, write_client_file

    write_client_file(_client_file(file), ready_settings(file))
    typer.echo(f"settings: {file}")


@app.command()
def start(file: _File = Path("stack/.env"), engine: _Engine = "docker") -> None:
    """Start what does not run yet, wait until all of it serves, and tell how to use it.

    Example: glassline stack start
    """
    from glassline_cli.containers import Engine
    from glassline_cli.stack_settings import ready_settings, write_client_file

    containers, stated = Engine(engine), ready_settings(file)
    for service in _services(stated):
        containers.check_startable(service)
    for service in _services(stated):
        typer.echo(f"{service.name}: {'started' if containers.ensure_running(service) else 'runs'}")
    _wait_until_healthy(containers, _services(stated))
    write_client_file(_client_file(file), stated)
    typer.echo(f"export MLFLOW_TRACKING_URI={stated.client_variables()['MLFLOW_TRACKING_URI']}")
    typer.echo(f"keys for captures in s3://{stated.bucket}/: set -a; . {_client_file(file)}; set +a")


@app.command()
def stop(
    file: _File = Path("stack/.env"),
    engine: _Engine = "docker",
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove all runs and objects too.")] = False,
) -> None:
    """Stop and remove the containers; what they keep stays unless --volumes is given.

    Example: glassline stack stop
    """
    from glassline_cli.containers import Engine
    from glassline_cli.stack_settings import ready_settings

    containers, services = Engine(engine), _services(ready_settings(file))
    for service in reversed(services):
        containers.ensure_removed(service)
        if volumes:
            containers.ensure_volume_removed(service)
    typer.echo(f"stopped; volumes {'removed' if volumes else 'kept'}")


def _client_file(settings_file: Path) -> Path:
    return settings_file.with_name("client.env")


def _services(stated: "StackSettings") -> list["Service"]:
    """Return the three containers, those that others need first; each is told only what it needs."""
    from glassline_cli.containers import Service

    all_variables, keys = stated.variables(), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    database = ("DATABASE_PORT", "DATABASE_PASSWORD")
    store = ("BIND_ADDRESS", "OBJECT_STORE_PORT", *keys)
    mlflow = ("TRACKING_PORT", "BUCKET", "MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS")

    def service(name: str, told: tuple[str, ...], listens: dict[str, str], keeps: bool = True) -> Service:
        image = f"{stated.image_prefix}/{name}:{stated.image_tag}"
        variables = {variable: all_variables[variable] for variable in told}
        places = {port: (address, int(all_variables[port])) for port, address in listens.items()}
        return Service(f"{stated.name}-{name}", image, variables, places, keeps)

    return [
        service("database", database, {"DATABASE_PORT": "127.0.0.1"}),
        service(
            "object-store", (*store, "MONITOR_PORT", "OBJECT_STORE_GIB"),
            {"OBJECT_STORE_PORT": stated.bind_address, "MONITOR_PORT": "127.0.0.1"},
        ),
        service("tracking", (*mlflow, *store, *database), {"TRACKING_PORT": stated.bind_address}, keeps=False),
    ]  # fmt: skip


def _wait_until_healthy(containers: "Engine", services: list["Service"]) -> None:
    import time

    from glassline.errors import TrackingError

    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    for service in services:
        while not containers.is_healthy(service):
            if time.monotonic() > deadline:
                raise TrackingError(
                    f"{service.name} must serve within {_HEALTHY_WITHIN_S} s, got no answer; see its container's log"
                )
            time.sleep(1)
