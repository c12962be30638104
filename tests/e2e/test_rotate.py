# SPDX-License-Identifier: GPL-2.0-or-later
"""--rotate-size: no event is lost over any number of files, and none of another's files is touched."""
import errno
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from nsscope_test import META, NSSCOPE, TIMEOUT, parse_line, poll, scaled, workload

FORKS = "import os, sys\nfor _ in range(int(sys.argv[1])):\n    os.fork() or os._exit(0)\n    os.wait()\n"


def nsscope(*args, **more):
    return subprocess.run([NSSCOPE, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, **more)


def parts(file):
    """The oldest first."""
    numbers = sorted((int(p.suffix[1:]) for p in file.parent.glob(file.name + ".*")), reverse=True)
    return [file.with_name(f"{file.name}.{n}") for n in numbers] + [file]


def lines(*files):
    data = b"".join(f.read_bytes() for f in files)
    assert data.endswith(b"\n")
    return [parse_line(line) for line in data.splitlines()]


def starts(file):
    """The first line."""
    with open(file, "rb") as f:
        first = parse_line(f.readline().removesuffix(b"\n"))
    assert first["type"] == "start"
    return first


def seqs(events):
    return [e["seq"] for e in events if e["type"] not in META]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Of a few thousand events."""
    file = tmp_path_factory.mktemp("recording") / "record"
    assert nsscope("run", "-o", f"record={file}", "--", sys.executable, "-c", FORKS, str(scaled(1500))).returncode == 0
    return file


def test_no_event_is_lost(tmp_path):
    file = tmp_path / "json"
    count = scaled(7000)
    done = nsscope("run", "-o", f"json={file}", "--rotate-size", "64K", "--rotate-keep", "999", "--only", "process", "--buffer", "64M",
                   "--", workload("storm"), str(count))
    assert (done.returncode, done.stderr) == (0, "")
    truth = json.loads(done.stdout.splitlines()[-1])
    files = parts(file)
    assert truth["spawned"] == count and len(files) > count // 100
    for part in files:
        assert starts(part) == starts(files[0])
        assert part.stat().st_size <= 65536
        assert part == file or part.stat().st_size > 60000
    data = b"".join(part.read_bytes() for part in files)
    events = [json.loads(line) for line in data.splitlines()]  # the schema would take long, and is checked elsewhere
    assert events[-1]["type"] == "end" and events[-1]["lost"]["total"] == 0
    assert seqs(events) == list(range(1, events[-1]["events"] + 1))
    assert [e["type"] for e in events].count("fork") == truth["spawned"] + truth["forked"] + 1


def test_a_rotated_text(tmp_path, recording):
    file = tmp_path / "text"
    done = nsscope("replay", "-o", f"text={file}", "--rotate-size", "4K", "--rotate-keep", "999", recording)
    assert (done.returncode, done.stderr) == (0, "")
    files = parts(file)
    header, *whole = nsscope("replay", recording).stdout.splitlines()
    shown = [part.read_text().splitlines() for part in files]
    assert len(files) > 2 and [part[0] for part in shown] == [header] * len(files)
    assert [line for part in shown for line in part[1:]] == whole


def test_keeps_the_newest(tmp_path, recording):
    file = tmp_path / "json"
    done = nsscope("replay", "-o", f"json={file}", "--rotate-size", "16K", "--rotate-keep", "3", recording)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["json", "json.1", "json.2", "json.3"]
    events = lines(*parts(file))
    told = seqs(events)
    assert events[-1]["events"] == told[-1] and told == list(range(told[0], told[-1] + 1)) and told[0] > 1


def test_a_restart_goes_on(tmp_path, recording):
    """What was there stays; half a line, of one that was killed, does not spoil the next."""
    file = tmp_path / "json"
    before = b'{"old":1}\n{"type":"for'
    file.write_bytes(before)
    for _ in range(2):
        assert nsscope("replay", "-o", f"json={file}", "--rotate-size", "1G", recording).returncode == 0
    data = file.read_bytes()
    assert data.startswith(before + b"\n") and list(tmp_path.iterdir()) == [file]
    runs = [parse_line(line) for line in data[len(before) + 1:].splitlines()]
    assert [e["type"] for e in runs if e["type"] in META] == ["start", "end"] * 2
    assert runs[:len(runs) // 2] == runs[len(runs) // 2:]


def test_a_restart_rotates_a_full_file(tmp_path, recording):
    file = tmp_path / "json"
    file.write_bytes(b'{"old":1}\n' * 10000)
    file.chmod(0o640)
    os.chown(file, 1234, 4321)
    old = file.stat().st_ino
    assert nsscope("replay", "-o", f"json={file}", "--rotate-size", "16K", "--rotate-keep", "999", recording).returncode == 0
    files = parts(file)
    assert files[0].stat().st_ino == old and files[0].read_bytes() == b'{"old":1}\n' * 10000
    events = lines(*files[1:])
    assert seqs(events) == list(range(1, events[-1]["events"] + 1))
    for part in files:
        st = part.stat()
        assert (st.st_mode & 0o7777, st.st_uid, st.st_gid) == (0o640, 1234, 4321)


def test_a_reader_that_follows(tmp_path):
    """tail -F misses a file that comes and goes while it looks away: so there is one rotation at a time at most."""
    file, out = tmp_path / "json", tmp_path / "followed"
    go_r, go_w = os.pipe()
    script = "import os\nwhile os.read(%d, 1):\n    for _ in range(4):\n        os.fork() or os._exit(0)\n        os.wait()\n" % go_r
    process = subprocess.Popen([NSSCOPE, "run", "-o", f"json={file}", "--rotate-size", "12K", "--rotate-keep", "999", "--",
                                sys.executable, "-c", script], pass_fds=[go_r], stdin=subprocess.DEVNULL)
    os.close(go_r)
    poll(lambda: file.exists() and b"python" in file.read_bytes(), "the exec")
    with open(out, "wb") as to:
        tail = subprocess.Popen(["tail", "-n", "+1", "-s", "0.01", "-F", file], stdout=to, stderr=subprocess.DEVNULL)
    try:
        for n in range(1, 41):
            os.write(go_w, b"x")
            poll(lambda: out.read_bytes().count(b'"type":"exit"') == 4 * n, f"{4 * n} children")
        os.close(go_w)
        assert process.wait(TIMEOUT) == 0
        poll(lambda: b'"type":"end"' in out.read_bytes(), "the end")
    finally:
        tail.kill()
        tail.wait()
    assert len(parts(file)) > 5
    assert out.read_bytes() == b"".join(p.read_bytes() for p in parts(file))


def hardlink(base):
    (base / "other").write_bytes(b"keep\n")
    os.link(base / "other", base / "file")


def symlink(base):
    (base / "other").write_bytes(b"keep\n")
    (base / "file").symlink_to(base / "other")


@pytest.mark.parametrize("make, why", [
    (symlink, "symbolic link"),
    (hardlink, "hard links"),
    (lambda base: (base / "file").symlink_to("/dev/stdout"), "symbolic link"),
    (lambda base: os.mkfifo(base / "file"), "not a regular file"),
    (lambda base: os.mknod(base / "file", 0o20666, os.makedev(1, 3)), "not a regular file"),
    (lambda base: (base / "file").mkdir(), os.strerror(errno.EISDIR)),
], ids=["symlink", "hardlink", "stdout", "fifo", "device", "directory"])
def test_refused_before_the_command(tmp_path, make, why):
    make(tmp_path)
    done = nsscope("run", "-o", f"json={tmp_path}/file", "--rotate-size", "1M", "--", "touch", tmp_path / "ran")
    assert done.returncode == 125 and not (tmp_path / "ran").exists()
    line, = done.stderr.splitlines()
    assert line.startswith("nsscope: cannot open the output") and why in line
    assert not (tmp_path / "other").exists() or (tmp_path / "other").read_bytes() == b"keep\n"
    assert not (tmp_path / "file.1").exists()


@pytest.mark.parametrize("options, why", [
    (["-o", "record=%f", "--rotate-size", "1M"], "text and json"),
    (["-o", "table=%f", "--rotate-size", "1M"], "text and json"),
    (["-o", "json", "--rotate-size", "1M"], "--output json=FILE"),
    (["-o", "json=-", "--rotate-size", "1M"], "--output json=FILE"),
    (["-o", "json=%f", "--rotate-keep", "3"], "--rotate-keep needs --rotate-size"),
    (["-o", "json=%f", "--rotate-size", "1"], "not a size"),
    (["-o", "json=%f", "--rotate-size", "-1K"], "not a size"),
    (["-o", "json=%f", "--rotate-size", "1M", "--rotate-keep", "0"], "1 to 999"),
    (["-o", "json=%f", "--rotate-size", "1M", "--rotate-keep", "1000"], "1 to 999"),
    (["-o", "json=" + "n" * 253, "--rotate-size", "1M"], os.strerror(errno.ENAMETOOLONG)),
], ids=" ".join)
def test_options_that_make_no_sense(tmp_path, options, why):
    done = nsscope("run", *(o.replace("%f", str(tmp_path / "file")) for o in options), "--", "touch", tmp_path / "ran")
    assert done.returncode == 125 and list(tmp_path.iterdir()) == []
    line, = done.stderr.splitlines()
    assert why in line


def test_a_directory_that_cannot_be_written_to(tmp_path, recording):
    """The file could be, so that without a look at the directory the first rotation would be the one to fail."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "file").touch()
    (home / "file").chmod(0o666)
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to("/tmp") and path != pathlib.Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o111)
    with open(recording, "rb") as data:
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", NSSCOPE, "replay",
                               "-o", f"json={home}/file", "--rotate-size", "16K", "-"], stdin=data, capture_output=True, text=True,
                              timeout=TIMEOUT)
    line, = done.stderr.splitlines()
    assert done.returncode == 125 and "directory cannot be written to" in line and (home / "file").stat().st_size == 0


def test_one_writer_at_a_time(tmp_path, recording):
    file = tmp_path / "json"
    first = subprocess.Popen([NSSCOPE, "run", "-o", f"json={file}", "--rotate-size", "1M", "--", "cat"], stdin=subprocess.PIPE)
    poll(lambda: file.exists() and file.stat().st_size, "the start")
    done = nsscope("replay", "-o", f"json={file}", "--rotate-size", "1M", recording)
    line, = done.stderr.splitlines()
    assert done.returncode == 125 and "locked" in line
    first.communicate(timeout=TIMEOUT)
    assert first.returncode == 0
    assert nsscope("replay", "-o", f"json={file}", "--rotate-size", "1M", recording).returncode == 0


@pytest.mark.parametrize("plant", ["symlink", "directory"])
def test_what_others_put_in_the_way(tmp_path, recording, plant):
    """A link is itself moved, and not followed. What cannot be moved away is told once, and costs no event."""
    file, other = tmp_path / "json", tmp_path / "other"
    other.write_bytes(b"keep\n")
    if plant == "symlink":
        for n in (1, 2):
            file.with_name(f"json.{n}").symlink_to(other)
    else:
        file.with_name("json.2").mkdir()
        file.with_name("json.1").write_bytes(b"")
    done = nsscope("replay", "-o", f"json={file}", "--rotate-size", "64K", "--rotate-keep", "2", recording)
    assert done.returncode == 0 and other.read_bytes() == b"keep\n"
    if plant == "symlink":
        assert done.stderr == "" and all(p.is_file() and not p.is_symlink() for p in parts(file)) and len(parts(file)) == 3
        return
    line, = done.stderr.splitlines()
    assert f"cannot rotate {file}: {os.strerror(errno.EISDIR)}" in line
    events = lines(file)
    assert seqs(events) == list(range(1, events[-1]["events"] + 1))


DISK = """
mount -t tmpfs -o size=$SIZE t "$1" && head -c $BALLAST /dev/zero >"$1/ballast" && cd "$1" || exit 99
shift
"$@"
status=$?
cp -a . "$OUT"
exit $status
"""


def on_a_small_disk(tmp_path, size, ballast, *args, **more):
    """nsscope ... in a directory with little room, in a mount namespace that goes with it; what is there then is in out/."""
    for name in ("disk", "out"):
        (tmp_path / name).mkdir()
    return subprocess.Popen(["unshare", "-m", "sh", "-c", DISK, "sh", tmp_path / "disk", NSSCOPE, *args],
                            env={**os.environ, "OUT": str(tmp_path / "out"), "SIZE": size, "BALLAST": ballast}, stderr=subprocess.PIPE, **more)


@pytest.mark.parametrize("rotation", [[], ["--rotate-size", "30K", "--rotate-keep", "9"]], ids=["one", "rotated"])
def test_a_full_disk(tmp_path, rotation):
    """Told when it happens, counted at the end; what is there are whole lines, and all up to then."""
    process = on_a_small_disk(tmp_path, "128K", "60K", "run", "-o", "json=json", *rotation, "-o",
                              "text=-" if rotation else f"json={tmp_path}/rest", "--", sys.executable, "-c", FORKS, str(scaled(2000)), stdout=subprocess.PIPE)
    _, stderr = process.communicate(timeout=TIMEOUT)
    said = stderr.decode().splitlines()
    assert process.returncode == 125 and len(said) == 2, said
    assert said[0].startswith(f"nsscope: cannot write to json: {os.strerror(errno.ENOSPC)}; ")
    files = parts(tmp_path / "out" / "json")
    assert len(files) == 1 if not rotation else len(files) > 1
    told = seqs(lines(*files))
    assert told == list(range(1, told[-1] + 1))
    missing = int(re.fullmatch(r"nsscope: not in json: (\d+) records", said[1])[1])
    if not rotation:  # the other output went on
        events = lines(tmp_path / "rest")
        assert seqs(events) == list(range(1, events[-1]["events"] + 1))
        assert missing == events[-1]["events"] - told[-1] + 1  # and the end record


def test_room_again(tmp_path, recording):
    """What waits in memory is written when there is room, and nothing is missing."""
    process = on_a_small_disk(tmp_path, "8M", "8150K", "replay", "-o", "json=json", "--rotate-size", "30K", "--rotate-keep", "999", "-",
                              stdin=subprocess.PIPE)
    data = recording.read_bytes()
    process.stdin.write(data[:len(data) // 3])
    process.stdin.flush()
    assert os.strerror(errno.ENOSPC) in process.stderr.readline().decode()
    os.unlink(f"/proc/{process.pid}/root{tmp_path}/disk/ballast")
    _, stderr = process.communicate(data[len(data) // 3:], timeout=TIMEOUT)
    assert (process.returncode, stderr) == (0, b"")
    events = lines(*parts(tmp_path / "out" / "json"))
    assert seqs(events) == list(range(1, events[-1]["events"] + 1)) and "not_written" not in events[-1]
