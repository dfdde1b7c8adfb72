"""What a command that fails leaves on the screen."""

import subprocess


def check_one_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a command failed with one line that holds some words, and without a traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line
