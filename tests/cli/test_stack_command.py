"""`glassline stack` against a container engine that only writes down what it is told."""

import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glassline.errors import EngineError, GlasslineError, SettingsError
from glassline_cli import containers
from glassline_cli.app import app

# Knows every image, no container; a started one is healthy. Writes words and what reaches it of one secret.
_ENGINE = """#!/bin/sh
echo "$@" >> "$0.words"
[ "$1" = run ] && env | grep -c '^DATABASE_PASSWORD=' >> "$0.told"
case "$1 $2" in
  "container inspect") [ -e "$0.told" ] && echo "running 0 other" ;;
  "image inspect") [ ! -e "$0.no-images" ] && echo sha256:1 ;;
esac
"""


_PORTS = ("TRACKING_PORT", "OBJECT_STORE_PORT", "MONITOR_PORT", "DATABASE_PORT")


class _Stack:
    """The command, its settings file and the fake engine in one folder."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.engine = folder / "stack" / ".env", folder / "engine"
        self.engine.write_text(_ENGINE)
        self.engine.chmod(0o700)

    def tell(self, *words: str) -> str:
        options = ["--settings", str(self.settings)]
        options += ["--engine", str(self.engine)] if words[0] != "settings" else []
        result = CliRunner().invoke(app, ["stack", *words, *options])
        if result.exception:
            raise result.exception
        return result.output

    def words(self) -> str:
        return Path(f"{self.engine}.words").read_text()

    def values(self) -> dict[str, str]:
        lines = self.settings.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.fixture
def stack(tmp_path: Path) -> _Stack:
    stack = _Stack(tmp_path)
    stack.tell("settings")
    sockets = {
        name: socket.socket() for name in ("TRACKING_PORT", "OBJECT_STORE_PORT", "MONITOR_PORT", "DATABASE_PORT")
    }
    for name, free in sockets.items():
        free.bind(("127.0.0.1", 0))
        _set(stack, name, free.getsockname()[1])
    for free in sockets.values():
        free.close()
    return stack


def _set(stack: _Stack, name: str, value: object) -> None:
    lines = stack.settings.read_text().splitlines()
    edited = [f"{name}={value}" if line.startswith(f"{name}=") else line for line in lines]
    stack.settings.write_text("\n".join(edited) + "\n")


def test_settings_and_client_file_are_for_their_owner_alone(stack: _Stack) -> None:
    files = [stack.settings, stack.settings.with_name("client.env")]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]


def test_settings_are_made_once(stack: _Stack) -> None:
    before = stack.settings.read_text()
    stack.tell("settings")
    assert stack.settings.read_text() == before


def test_two_stacks_have_different_secrets(stack: _Stack, tmp_path: Path) -> None:
    other = _Stack(tmp_path)
    other.settings = tmp_path / "other" / ".env"
    other.tell("settings")
    for name in ("DATABASE_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert stack.values()[name] != other.values()[name]


def test_client_file_lacks_the_databases_password(stack: _Stack) -> None:
    told = stack.settings.with_name("client.env").read_text()
    assert stack.values()["AWS_SECRET_ACCESS_KEY"] in told
    assert stack.values()["DATABASE_PASSWORD"] not in told


def test_start_passes_secrets_beside_the_command_line(stack: _Stack) -> None:
    said = stack.tell("start")
    assert Path(f"{stack.engine}.told").read_text() == "1\n0\n1\n"  # the object store does not need the password
    for name in ("DATABASE_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
        assert stack.values()[name] not in stack.words() + said


def test_start_says_what_to_export(stack: _Stack) -> None:
    address = f"http://127.0.0.1:{stack.values()['TRACKING_PORT']}"
    assert f"export MLFLOW_TRACKING_URI={address}\n" in stack.tell("start")


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_client_file_names_this_machine_where_every_address_is_listened_on(stack: _Stack, address: str) -> None:
    _set(stack, "BIND_ADDRESS", address)
    stack.tell("settings")
    told = stack.settings.with_name("client.env").read_text()
    assert f"MLFLOW_TRACKING_URI=http://127.0.0.1:{stack.values()['TRACKING_PORT']}\n" in told
    assert f"AWS_ENDPOINT_URL=http://127.0.0.1:{stack.values()['OBJECT_STORE_PORT']}\n" in told


def test_stop_keeps_the_volumes_unless_told(stack: _Stack) -> None:
    stack.tell("start")
    stack.tell("stop")
    assert "volume rm" not in stack.words()
    stack.tell("stop", "--volumes")
    assert stack.words().count("volume rm") == 2


def test_start_refuses_a_port_that_is_taken(stack: _Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        _set(stack, "TRACKING_PORT", taken.getsockname()[1])
        with pytest.raises(SettingsError, match="TRACKING_PORT must be free"):
            stack.tell("start")
    assert "run --detach" not in stack.words()  # nor do its neighbours start


def test_start_names_the_image_that_is_missing(stack: _Stack) -> None:
    Path(f"{stack.engine}.no-images").touch()
    with pytest.raises(EngineError, match=r"image glassline/database:.* must exist"):
        stack.tell("start")


def test_start_says_when_there_is_no_engine(stack: _Stack) -> None:
    stack.engine.unlink()
    with pytest.raises(EngineError, match="a container engine must answer"):
        stack.tell("start")


def test_start_says_when_the_engine_is_silent(stack: _Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_ANSWER_S", 0.2)
    stack.engine.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(EngineError, match=r"engine ps` must end within 0.2 s"):
        stack.tell("start")


def test_settings_that_are_a_folder_are_refused(stack: _Stack) -> None:
    stack.settings.unlink()
    stack.settings.mkdir()
    with pytest.raises(SettingsError, match="must be a file of settings"):
        stack.tell("settings")


def test_settings_that_are_no_text_are_refused(stack: _Stack) -> None:
    stack.settings.write_bytes(b"STACK_NAME=gl\xe4s\n")
    with pytest.raises(SettingsError, match="must be text in UTF-8"):
        stack.tell("settings")


def test_lines_without_a_name_are_refused_untold(stack: _Stack) -> None:
    stack.settings.write_text(stack.settings.read_text() + "c2Vj/cmV0==\n")
    with pytest.raises(SettingsError, match="must be NAME=VALUE") as raised:
        stack.tell("settings")
    assert "c2Vj" not in str(raised.value)


def test_settings_that_others_may_read_are_refused(stack: _Stack) -> None:
    os.chmod(stack.settings, 0o644)
    with pytest.raises(SettingsError, match="mode 0600, got 0644"):
        stack.tell("start")


@pytest.mark.parametrize(("name", "value"), [("TRACKING_PORT", 70000), ("STACK_NAME", "A b"), ("BUCKET", "x")])
def test_settings_out_of_range_are_refused(stack: _Stack, name: str, value: object) -> None:
    _set(stack, name, value)
    with pytest.raises(GlasslineError, match=name):
        stack.tell("start")


@pytest.mark.parametrize("broken", ["BIND_ADDRESS=", "DATABASE_PASSWORD=", "AWS_ACCESS_KEY_ID="])
def test_refused_settings_tell_their_names_and_no_secret(stack: _Stack, broken: str) -> None:
    secrets = [stack.values()[name] for name in ("DATABASE_PASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    stack.settings.write_text(stack.settings.read_text().replace(broken, f"WRONG_{broken}"))
    with pytest.raises(SettingsError, match=r"known settings: STACK_NAME, .*DATABASE_PASSWORD") as raised:
        stack.tell("start")
    assert not [secret for secret in secrets if secret in str(raised.value)]


@pytest.mark.parametrize("odd", ["a$(id)b", "a;b", "a'b", 'a"b', "a b", "a`b", "a\\b", "a#b", "ä"])
@pytest.mark.parametrize("name", ["DATABASE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "MLFLOW_SERVER_ALLOWED_HOSTS"])
def test_values_that_a_shell_would_read_otherwise_are_refused_untold(stack: _Stack, name: str, odd: str) -> None:
    _set(stack, name, odd)
    with pytest.raises(SettingsError, match=f"{name}: must be letters, digits") as raised:
        stack.tell("start")
    assert odd not in str(raised.value).replace(name, "")


def test_settings_refuse_a_password_that_is_empty(stack: _Stack) -> None:
    _set(stack, "DATABASE_PASSWORD", "")
    with pytest.raises(SettingsError, match="DATABASE_PASSWORD"):
        stack.tell("start")


def test_unknown_settings_are_refused(stack: _Stack) -> None:
    stack.settings.write_text(stack.settings.read_text() + "PORT=1\n")
    with pytest.raises(SettingsError, match="PORT"):
        stack.tell("start")
