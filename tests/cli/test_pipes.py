"""A reader that leaves early, as in ``physlearn tasks | head``, ends the command quietly; other pipes do not."""

import argparse
import os
import subprocess
import sys

import pytest

from physlearn import cli


@pytest.mark.parametrize("command", ["tasks", "machines", "info", "--help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_ends_the_command_quietly(command, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "physlearn", command],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode in (0, cli.ABANDONED)  # argparse ignores it where nothing is buffered
    assert done.returncode == cli.ABANDONED or (command, unbuffered) == ("--help", "1")


def test_another_pipe_that_breaks_is_reported(monkeypatch, capfd):
    def broken(options):
        raise BrokenPipeError(32, "a worker's pipe")

    parser = argparse.ArgumentParser()
    parser.set_defaults(do=broken)
    monkeypatch.setattr(cli, "_parser", lambda: parser)
    assert cli.main([]) == cli.USAGE
    assert "a worker's pipe" in capfd.readouterr().err
