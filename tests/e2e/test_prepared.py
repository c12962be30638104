# SPDX-License-Identifier: GPL-2.0-or-later
"""What one start keeps for the next: it saves reading the kernel's BTF, changes nothing, and whatever is wrong with it does not matter."""
import json
import os
import struct
import subprocess

import pytest
from nsscope_test import NSSCOPE, TIMEOUT

HEAD = struct.Struct("=248sQIIQ")  # identity, sum, what is known of the kernel
ITEM = struct.Struct("=II64sIIIIII")  # length, kind, name, data, type, four of the kind
PROGRAM = 3
MASK = (1 << 64) - 1


class Starts:
    def __init__(self, tmp_path):
        self.cache = tmp_path / "cache"
        self.file = self.cache / "programs"
        self.out = tmp_path / "events"

    def command(self, *options):
        return [NSSCOPE, "run", *options, "-o", f"json={self.out}", "--", "sh", "-c", "mount -t tmpfs none /mnt; umount /mnt; exec true"]

    def __call__(self, *options, cache=None):
        """What the run told, but for what differs from one to the next."""
        done = subprocess.run(self.command(*options), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
                              env={**os.environ, "CACHE_DIRECTORY": str(self.cache if cache is None else cache)})
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
        events = [json.loads(line) for line in self.out.open()]
        assert events[-1]["type"] == "end" and not events[-1]["lost"]["total"]
        return sorted((e["type"], e.get("comm", ""), str(e.get("inside"))) for e in events)

    def reads_btf(self, *options):
        """How often the kernel's BTF was opened, as strace saw it."""
        log = self.out.with_suffix(".strace")
        subprocess.run(["strace", "-f", "-e", "trace=openat", "-o", log, *self.command(*options)], stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, env={**os.environ, "CACHE_DIRECTORY": str(self.cache)})
        return sum("/sys/kernel/btf/vmlinux" in line for line in log.open(errors="replace"))


@pytest.fixture
def start(tmp_path):
    return Starts(tmp_path)


def test_next_start_does_without_btf(start):
    assert start.reads_btf() == 1
    assert start.file.stat().st_mode == 0o100600 and start.cache.stat().st_mode == 0o40700
    before = start.file.read_bytes()
    assert start.reads_btf() == 0
    assert start.file.read_bytes() == before and os.listdir(start.cache) == ["programs"]
    assert start() == start(cache="")


def test_grows_by_what_is_missing(start):
    """A mode that needs other programs adds them; those of the mode before stay."""
    assert start.reads_btf("--only", "process") == 1
    small = start.file.stat().st_size
    assert start.reads_btf("--only", "mount") == 1
    assert start.file.stat().st_size > small
    assert start.reads_btf("--only", "process") == start.reads_btf("--only", "mount") == 0


def sum_of(rest):
    total = len(rest) - 16  # of what follows the facts about the kernel
    for (word,) in struct.iter_unpack("=Q", rest):
        total = (total ^ word) * 0x9e3779b97f4a7c15 & MASK
        total ^= total >> 32
    return total


def with_sum(content):
    """As one that means it would write it."""
    return content[:248] + struct.pack("=Q", sum_of(content[256:])) + content[256:]


def items(content):
    at = HEAD.size
    while at < len(content):
        fields = ITEM.unpack_from(content, at)
        yield at, fields
        at += fields[0]


def without_attachment(content):
    """Each program is to be attached to another type of the kernel's BTF, which is none to attach to."""
    content = bytearray(content)
    programs = [at for at, fields in items(content) if fields[1] == PROGRAM]
    assert programs
    for at in programs:
        struct.pack_into("=I", content, at + ITEM.size - 8, 1)
    return with_sum(bytes(content))


def with_long_item(content):
    content = bytearray(content)
    last = [at for at, _ in items(content)][-1]
    struct.pack_into("=I", content, last, 1 << 31)
    return with_sum(bytes(content))


def with_no_length(content):
    content = bytearray(content)
    struct.pack_into("=I", content, HEAD.size, 0)
    return with_sum(bytes(content))


def without_maps(content):
    """Programs name maps that are not there."""
    parts = [content[at:at + fields[0]] for at, fields in items(content) if fields[1] != 1]
    return with_sum(content[:HEAD.size] + b"".join(parts))


def without_btf(content):
    parts = [content[at:at + fields[0]] for at, fields in items(content) if fields[1] != 2]
    return with_sum(content[:HEAD.size] + b"".join(parts))


BAD = {
    "empty": lambda content: b"",
    "head only": lambda content: content[:HEAD.size],
    "cut": lambda content: content[:len(content) // 2],
    "longer": lambda content: content + bytes(8),
    "other kernel": lambda content: content.replace(b", Linux ", b", Linus ", 1),
    "a bit of an instruction": lambda content: content[:-4000] + bytes([content[-4000] ^ 1]) + content[-3999:],
    "a bit of the kernel": lambda content: content[:256] + bytes([content[256] ^ 1]) + content[257:],
    "zeroes": lambda content: bytes(len(content)),
    "no length": with_no_length,
    "too long": with_long_item,
    "no attachment": without_attachment,
    "no maps": without_maps,
    "no BTF": without_btf,
}


@pytest.mark.parametrize("what", BAD)
def test_bad_file_is_replaced(start, what):
    told = start()
    good = start.file.read_bytes()
    assert with_sum(good) == good
    bad = BAD[what](good)
    assert bad != good
    start.file.write_bytes(bad)
    assert start() == told
    assert start.file.read_bytes() == good
    assert start.reads_btf() == 0


@pytest.mark.parametrize("mode, uid", [(0o620, 0), (0o602, 0), (0o600, 65534)])
def test_file_that_others_can_write_is_not_read(start, mode, uid):
    start()
    os.chown(start.file, uid, 0)
    start.file.chmod(mode)
    assert start.reads_btf() == 1
    assert start.file.stat().st_mode == 0o100600 and start.file.stat().st_uid == 0
    assert start.reads_btf() == 0


def test_no_place_for_it(start, tmp_path):
    """Nothing is left anywhere, and nobody is bothered."""
    (tmp_path / "file").touch()
    told = start(cache="")
    for place in (tmp_path / "file", tmp_path / "not/there", "/proc/nsscope", "x" * 5000):
        assert start(cache=place) == told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events", "file"]


@pytest.mark.parametrize("what", ["link", "directory", "fifo"])
def test_other_thing_in_its_place(start, tmp_path, what):
    told = start(cache="")
    start.cache.mkdir()
    if what == "link":
        start.file.symlink_to(tmp_path / "victim")
        (tmp_path / "victim").write_text("precious")
    elif what == "directory":
        start.file.mkdir()
    else:
        os.mkfifo(start.file)
    assert start() == told
    assert start.file.is_dir() if what == "directory" else start.reads_btf() == 0
    assert what != "link" or (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("mode, uid", [(0o720, 0), (0o702, 0), (0o700, 65534)])
def test_directory_that_others_can_write_is_left_alone(start, mode, uid):
    told = start()
    before = start.file.read_bytes()
    start.cache.chmod(mode)
    os.chown(start.cache, uid, 0)
    assert start.reads_btf() == 1 and start() == told
    assert start.file.read_bytes() == before and os.listdir(start.cache) == ["programs"]


def test_first_of_several_directories(start, tmp_path):
    """As systemd gives them."""
    start(cache=f"{start.cache}:{tmp_path / 'other'}")
    assert start.reads_btf() == 0 and not (tmp_path / "other").exists()


def test_doctor_leaves_nothing(start):
    environ = {**os.environ, "CACHE_DIRECTORY": str(start.cache)}
    subprocess.run([NSSCOPE, "doctor"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=TIMEOUT, env=environ)
    assert not start.cache.exists()


def test_many_at_a_time(start, tmp_path):
    """Whoever is first, or last: the file is whole."""
    environ = {**os.environ, "CACHE_DIRECTORY": str(start.cache)}
    for _ in range(3):
        runs = [subprocess.Popen([NSSCOPE, "run", "-o", "json=/dev/null", "--", "true"], stdin=subprocess.DEVNULL, env=environ)
                for _ in range(6)]
        assert [run.wait(TIMEOUT) for run in runs] == [0] * 6
        assert os.listdir(start.cache) == ["programs"] and start.reads_btf() == 0
        start.file.unlink()
