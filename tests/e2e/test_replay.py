# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording gives the same bytes again; a damaged one gives what is whole, and says so."""
import random
import shutil
import subprocess

import pytest
from nsscope_test import NSSCOPE, Stream, workload

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A directory that everybody can read, with one run in all formats, and nsscope."""
    out = tmp_path_factory.mktemp("recorded")
    for path in (out, *out.parents[:2]):
        path.chmod(0o755)
    shutil.copy(NSSCOPE, out / "nsscope")
    done = subprocess.run(
        [out / "nsscope", "run", "-o", f"record={out}/record", "-o", f"json={out}/json", "-o", f"text={out}/text", "--",
         "sh", "-c", '"$0" >/dev/null; /bin/true "$1"; /bin/true "$(printf "\\377\\n\\033")"; kill -9 $$; exit 3',
         workload("calls"), "w" * 100000],
        stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 3
    (out / "record").chmod(0o644)
    Stream((out / "json").read_bytes()).complete()
    return out


def replay(recorded, file, *options, prefix=()):
    return subprocess.run([*prefix, recorded / "nsscope", "replay", *options, file], capture_output=True, timeout=60)


@pytest.mark.parametrize("who", [[], NOBODY], ids=["root", "nobody"])
@pytest.mark.parametrize("kind", ["json", "text"])
def test_same_bytes(recorded, who, kind):
    done = replay(recorded, recorded / "record", "-o", f"{kind}=-", prefix=who)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (recorded / kind).read_bytes()


def test_recording_of_a_replay(recorded, tmp_path):
    copy = tmp_path / "copy"
    assert replay(recorded, recorded / "record", "-o", f"record={copy}").returncode == 0
    assert copy.read_bytes() == (recorded / "record").read_bytes()


def one_line(stderr):
    assert stderr.startswith(b"nsscope") and stderr.endswith(b"\n") and stderr.count(b"\n") == 1, stderr


def offsets(size):
    """Random places, as many in the many small records at the start as in the rest."""
    return [random.randrange(min(size, 8000)) for _ in range(75)] + [random.randrange(size) for _ in range(75)]


@pytest.mark.parametrize("kind", ["record", "json", "svg"])
def test_not_over_the_recording(recorded, tmp_path, kind):
    file, link = tmp_path / "file", tmp_path / "link"
    shutil.copy(recorded / "record", file)
    link.symlink_to(file)
    done = replay(recorded, file, "-o", f"{kind}={link}")
    assert done.returncode == 125 and done.stderr.count(b"\n") == 1 and b"the recording itself" in done.stderr
    assert file.read_bytes() == (recorded / "record").read_bytes()


def test_truncated(recorded, tmp_path):
    data, json = (recorded / "record").read_bytes(), (recorded / "json").read_bytes()
    random.seed(1)
    file = tmp_path / "cut"
    lengths = set()
    for at in [0, 1, 7, 8, len(data) - 1, *offsets(len(data))]:
        file.write_bytes(data[:at])
        done = replay(recorded, file, "-o", "json=-")
        assert done.returncode == 125, at
        one_line(done.stderr)
        assert json.startswith(done.stdout) and (not done.stdout or done.stdout.endswith(b"\n"))
        assert len(done.stdout) < len(json)
        lengths.add(len(done.stdout))
    assert len(lengths) > 8


def test_flipped(recorded, tmp_path):
    """Any bit: what comes before it is as it was, and the rest is refused."""
    data, json = (recorded / "record").read_bytes(), (recorded / "json").read_bytes()
    random.seed(2)
    file = tmp_path / "flipped"
    for at in [0, 4, 8, 12, len(data) - 1, *offsets(len(data))]:
        bad = bytearray(data)
        bad[at] ^= 1 << random.randrange(8)
        file.write_bytes(bad)
        done = replay(recorded, file, "-o", "json=-")
        assert done.returncode == 125, (at, done)
        one_line(done.stderr)
        assert json.startswith(done.stdout) and (not done.stdout or done.stdout.endswith(b"\n"))


def test_what_follows_is_refused(recorded, tmp_path):
    file = tmp_path / "long"
    file.write_bytes((recorded / "record").read_bytes() + b"more")
    done = replay(recorded, file, "-o", "json=-")
    assert done.returncode == 125
    one_line(done.stderr)


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"#!/bin/sh\n", bytes(range(256)) * 100])
def test_no_recording(recorded, tmp_path, content):
    file = tmp_path / "other"
    file.write_bytes(content)
    done = replay(recorded, file)
    assert (done.returncode, done.stdout) == (125, b"")
    one_line(done.stderr)


def test_no_file(recorded, tmp_path):
    for file in (tmp_path / "nothing", tmp_path):
        done = replay(recorded, file)
        assert (done.returncode, done.stdout) == (125, b"")
        one_line(done.stderr)
