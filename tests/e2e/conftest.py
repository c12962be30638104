# SPDX-License-Identifier: GPL-2.0-or-later
import functools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
sys.dont_write_bytecode = True

# What one start keeps for the next is not to take the place of what an installed nsscope has kept.
CACHE = tempfile.TemporaryDirectory(prefix="nsscope-test-")
os.environ.setdefault("CACHE_DIRECTORY", CACHE.name)

import nsscope_test  # noqa: E402


def pytest_sessionstart(session):
    if os.geteuid():
        pytest.exit("the end-to-end tests need root", returncode=2)
    # What nohup, or a shell's &, had ignored would be ignored by all that is tested.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run(tmp_path):
    """nsscope_test.run() with a directory of its own."""
    return functools.partial(nsscope_test.run, out=tmp_path)


@pytest.fixture(params=nsscope_test.backends())
def backend(request):
    """Each that gives the system calls here."""
    return request.param


@pytest.fixture
def scratch(tmp_path):
    """A mount that nsscope shares with what it runs, in a namespace of nsscope's own."""
    def run(script, **env):
        prepare = f"mount -t tmpfs s {tmp_path} && mount --make-shared {tmp_path} && exec sh -c '{script}'"
        subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", prepare], check=True, timeout=10 * nsscope_test.TIMEOUT,
                       stdin=subprocess.DEVNULL, env={**os.environ, "NSSCOPE": nsscope_test.NSSCOPE, **env})
    run.path = tmp_path
    return run
