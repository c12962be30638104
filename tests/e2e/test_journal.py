# SPDX-License-Identifier: GPL-2.0-or-later
"""-o journal, read back with journalctl from a real systemd-journald, which has a /run of its own in a mount namespace."""
import base64
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
from nsscope_test import META, NSSCOPE, NS_TYPES, TIMEOUT, Stream, poll, workload

JOURNALD = "/lib/systemd/systemd-journald"
SCRIPT = f"""
mount --make-rprivate / && mount -t tmpfs run /run && mkdir -p /run/log/journal /run/systemd/journal || exit 99
mkdir -p /run/systemd/journald.conf.d
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nRateLimitBurst=0\\nMaxLevelConsole=emerg\\n' >/run/systemd/journald.conf.d/test.conf
[ -s /etc/machine-id ] || {{ echo 0123456789abcdef0123456789abcdef >/run/id && mount --bind /run/id /etc/machine-id; }} || exit 99
exec {JOURNALD}
"""


class Journald:
    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", SCRIPT], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env={k: v for k, v in os.environ.items() if k not in ("NOTIFY_SOCKET", "LISTEN_FDS")})
        self.root = pathlib.Path(f"/proc/{self.process.pid}/root")
        self.ready()

    def ready(self):
        poll(lambda: self.process.poll() is not None or (self.root / "run/systemd/journal/kernel-seqnum").exists() or
             self.answers(), "journald")
        assert self.process.poll() is None, self.process.stderr.read()

    def answers(self):
        return self.inside("python3", "-c", "import socket as s; s.socket(s.AF_UNIX, s.SOCK_DGRAM).connect('/run/systemd/journal/socket')"
                           ).returncode == 0

    def inside(self, *args, **more):
        return subprocess.run(["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *args],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, **more)

    def entries(self):
        done = self.inside("journalctl", "-D", "/run/log/journal", "-o", "json", "--all", "--no-pager", "SYSLOG_IDENTIFIER=nsscope")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def entries_to_end(self):
        def whole():
            entries = self.entries()
            return entries if entries and entries[-1]["NSSCOPE_TYPE"] == "end" else None
        return poll(whole, "the end in the journal")

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def journald():
    if not os.access(JOURNALD, os.X_OK):
        pytest.skip("no systemd-journald")
    daemon = Journald()
    yield daemon
    daemon.end()


def as_bytes(value):
    """journalctl gives what is not text as an array of numbers."""
    return bytes(value) if isinstance(value, list) else value.encode()


def text_of(value):
    return as_bytes(value).decode()


def check_entry(entry, event):
    payload = event.get(event["type"], {})
    assert json.loads(text_of(entry["NSSCOPE_JSON"])) == event
    assert entry["NSSCOPE_TYPE"] == event["type"] and entry["_TRANSPORT"] == "journal"
    assert entry.get("NSSCOPE_SEQ") == (str(event["seq"]) if "seq" in event else None)
    assert entry.get("NSSCOPE_ALERT") == ("1" if event.get("alert") else None)
    assert entry.get("NSSCOPE_REACH") == payload.get("reach", {}).get("verdict")
    assert entry.get("NSSCOPE_ERROR") == payload.get("error")
    if "pids" in event:
        assert entry["NSSCOPE_HOST_PID"] == str(event["host"]["pid"])
        assert entry["NSSCOPE_INSIDE_PID"] == str(event["inside"]["pid"])
        comm = base64.b64decode(event["comm_raw"]) if "comm_raw" in event else event["comm"].encode()
        assert as_bytes(entry["NSSCOPE_COMM"]) == comm
        for name in NS_TYPES:
            assert entry.get(f"NSSCOPE_{name.upper()}_NS") == (str(event["ns"][name]) if event["ns"][name] else None)
    verdict = payload.get("reach", {}).get("verdict")
    assert entry["PRIORITY"] == ("3" if event.get("alert") else "4" if event["type"] == "lost" or verdict in ("host", "unknown")
                                 else "5" if verdict == "others" else "6")
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text_of(entry["MESSAGE"]))


HOSTILE = ('"$0" >/dev/null; mount -t tmpfs "$(printf "a\\377\\nPRIORITY=0\\nb")" "$1"; umount "$1"; mount --bind /nothing "$1";'
           'cp /bin/true "$2/$(printf "e\\nPRIORITY=0\\n\\377")"; "$2"/e*; '
           '/bin/true "$(head -c 120000 /dev/zero | tr "\\0" x)" "$(head -c 120000 /dev/zero | tr "\\0" y)"')


def test_each_event_is_an_entry(journald, tmp_path):
    """The witness is journald itself: what its own reader gives back is what -o json wrote beside it."""
    (tmp_path / "mnt").mkdir()
    done = journald.inside(NSSCOPE, "run", "-o", "journal", "-o", f"json={tmp_path}/json", "--alert", "type == umount", "--",
                           "sh", "-c", HOSTILE, workload("calls"), tmp_path / "mnt", tmp_path)
    assert (done.returncode, done.stderr.count(b"nsscope:")) == (0, 0), done
    events = Stream((tmp_path / "json").read_bytes()).complete()
    entries = journald.entries_to_end()
    assert len(entries) == len(events) > 30
    for entry, event in zip(entries, events):
        check_entry(entry, event)
    assert {"1"} == {e["NSSCOPE_ALERT"] for e in entries if e["NSSCOPE_TYPE"] == "umount"}
    assert b"\xff" in b"".join(as_bytes(e["NSSCOPE_COMM"]) for e in entries if "NSSCOPE_COMM" in e)
    assert max(len(as_bytes(e["NSSCOPE_JSON"])) for e in entries) > 240000
    mount = next(e for e in entries if e["NSSCOPE_TYPE"] == "mount" and as_bytes(e.get("NSSCOPE_TARGET", "")) == os.fsencode(tmp_path / "mnt"))
    assert f" ({mount['NSSCOPE_HOST_PID']}, {mount['NSSCOPE_INSIDE_PID']} inside): mount " in text_of(mount["MESSAGE"])
    assert text_of(entries[-1]["MESSAGE"]).startswith(f"end of observation: {events[-1]['events']} events, 0 lost; ")


def test_reach_has_a_priority(journald, tmp_path):
    (tmp_path / "mnt").mkdir()
    script = f"mount -t tmpfs s {tmp_path}/mnt && mount --make-shared {tmp_path}/mnt && mkdir {tmp_path}/mnt/sub && exec \"$@\""
    done = journald.inside("sh", "-c", script, "sh", NSSCOPE, "unshare", "-m", "--propagation", "unchanged", "-o", "journal",
                           "--", "mount", "-t", "tmpfs", "t", tmp_path / "mnt/sub")
    assert done.returncode == 0, done
    there = journald.inside("cat", "/proc/self/mountinfo").stdout
    assert f" {tmp_path}/mnt/sub ".encode() in there
    entry, = [e for e in journald.entries_to_end() if e["NSSCOPE_TYPE"] == "mount" and text_of(e.get("NSSCOPE_TARGET", "")).endswith("/mnt/sub")]
    assert (entry["NSSCOPE_REACH"], entry["PRIORITY"]) == ("host", "4") and text_of(entry["MESSAGE"]).endswith("reaches the host")


def test_journald_is_started_anew(journald, tmp_path):
    """Events while there is none are told as missing and counted; those after it are in the journal."""
    go_r, go_w = os.pipe()
    script = f"import os\nwhile os.read({go_r}, 1):\n    os.fork() or os._exit(0)\n    os.wait()\n"
    process = subprocess.Popen(["nsenter", f"--mount=/proc/{journald.process.pid}/ns/mnt", NSSCOPE, "run", "-o", "journal",
                                "-o", f"json={tmp_path}/json", "--", sys.executable, "-c", script], pass_fds=[go_r],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(go_r)

    def child(n):
        os.write(go_w, b"x")
        poll(lambda: (tmp_path / "json").read_bytes().count(b'"type":"exit"') == n, f"child {n}")

    poll(lambda: (tmp_path / "json").exists(), "the start")
    child(1)
    # What it has taken but not written would be lost with it, and nobody could tell.
    poll(lambda: any(e["NSSCOPE_TYPE"] == "exit" for e in journald.entries()), "the first child in the journal")
    namespace = os.open(f"/proc/{journald.process.pid}/ns/mnt", os.O_RDONLY)
    journald.process.kill()
    journald.process.communicate()
    child(2)
    journald.process = subprocess.Popen(["nsenter", f"--mount=/proc/self/fd/{namespace}", JOURNALD], pass_fds=[namespace],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    poll(journald.answers, "journald again")
    child(3)
    os.close(go_w)
    _, stderr = process.communicate(timeout=TIMEOUT)
    os.close(namespace)
    told, counted = stderr.decode().splitlines()
    assert process.returncode == 125 and told.startswith("nsscope: cannot write to journal: ")
    events = Stream((tmp_path / "json").read_bytes()).complete()
    entries = journald.entries_to_end()
    missing = [e for e in events if e["type"] not in META and str(e["seq"]) not in {x.get("NSSCOPE_SEQ") for x in entries}]
    assert counted == f"nsscope: not in journal: {len(missing)} records"
    assert missing and {e["type"] for e in missing} == {"fork", "exit"}
    assert json.loads(text_of(entries[-1]["NSSCOPE_JSON"]))["not_written"] == len(missing)


def test_journald_takes_nothing(journald, tmp_path):
    """A stopped one holds up nsscope for a moment, not for good, and not its end."""
    journald.process.send_signal(signal.SIGSTOP)
    done = journald.inside(NSSCOPE, "run", "-o", "journal", "-o", f"json={tmp_path}/json", "--", sys.executable, "-c",
                           "import os\nfor _ in range(1000): os.fork() or os._exit(0); os.wait()")
    journald.process.send_signal(signal.SIGCONT)
    assert done.returncode == 125 and done.stderr.count(b"\n") == 2, done
    assert b"cannot write to journal: Connection timed out" in done.stderr and b"not in journal: " in done.stderr
    Stream((tmp_path / "json").read_bytes()).complete()


@pytest.mark.parametrize("command", [["run"], ["unshare"], ["enter", "--target", "self"]], ids=" ".join)
def test_without_a_journald(tmp_path, command):
    """In a /run of its own, where there is none, or nobody listens."""
    script = ('mount --make-rprivate / && mount -t tmpfs run /run && "$@"; s=$?; mkdir -p /run/systemd/journal; '
              'python3 -c "import socket as s; s.socket(s.AF_UNIX, s.SOCK_DGRAM).bind(\'/run/systemd/journal/socket\')"; "$@"; exit $s$?')
    args = [a.replace("self", str(os.getpid())) for a in command]
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", NSSCOPE, *args, "-o", "journal", "--", "touch", tmp_path / "ran"],
                          capture_output=True, text=True, timeout=TIMEOUT)
    assert not (tmp_path / "ran").exists()
    assert done.stderr == 2 * "nsscope: cannot open the output journal: no systemd-journald takes entries at /run/systemd/journal/socket\n"


@pytest.mark.parametrize("args", [["run", "-o", "journal=x", "--", "true"], ["ps", "-o", "journal"], ["ns", "-o", "journal"],
                                  ["mounts", "-o", "journal"]], ids=" ".join)
def test_what_the_journal_is_not_for(args):
    done = subprocess.run([NSSCOPE, *args], capture_output=True, text=True, timeout=TIMEOUT)
    line, = done.stderr.splitlines()
    assert done.returncode == 125 and done.stdout == "" and ("takes no FILE" in line or "for events" in line)
