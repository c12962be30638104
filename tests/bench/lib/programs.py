# SPDX-License-Identifier: GPL-2.0-or-later
"""What each BPF program of nsscope takes: to be verified, and to run."""
import contextlib
import ctypes
import os
import struct

from lib import here
from lib.load import CannotRun, Load
from lib.observers import beside, floor, inside, observed, plain
from lib.table import head, median, numbers, refused, row

SYS_BPF = {"x86_64": 321, "aarch64": 280}.get(os.uname().machine, 321)
GET_NEXT_ID, GET_FD_BY_ID, GET_INFO_BY_FD, ENABLE_STATS = 11, 13, 15, 32
libc = ctypes.CDLL(None, use_errno=True)


def bpf(cmd, attr):
    """bpf(2); attr is a writable buffer. -> its result"""
    return libc.syscall(SYS_BPF, cmd, ctypes.byref(attr), len(attr))


def loaded():
    """{id: (name, instructions verified, translated bytes, time in it ns, runs)}: struct bpf_prog_info."""
    found, at = {}, 0
    while True:
        attr = ctypes.create_string_buffer(struct.pack("=III", at, 0, 0), 12)
        if bpf(GET_NEXT_ID, attr) < 0:
            return found
        at = struct.unpack_from("=I", attr, 4)[0]
        attr = ctypes.create_string_buffer(struct.pack("=III", at, 0, 0), 12)
        fd = bpf(GET_FD_BY_ID, attr)
        if fd < 0:
            continue
        info = ctypes.create_string_buffer(256)
        attr = ctypes.create_string_buffer(struct.pack("=IIQ", fd, len(info), ctypes.addressof(info)), 16)
        if bpf(GET_INFO_BY_FD, attr) == 0:
            xlated = struct.unpack_from("=I", info, 20)[0]
            run_ns, runs = struct.unpack_from("=QQ", info, 192)
            found[at] = (info[64:80].split(b"\0")[0].decode(), struct.unpack_from("=I", info, 216)[0], xlated, run_ns, runs)
        os.close(fd)


@contextlib.contextmanager
def counting():
    """The kernel adds up how long programs run. Gives a function: what loaded() has of those that were loaded since."""
    before = set(loaded())
    stats = bpf(ENABLE_STATS, ctypes.create_string_buffer(4))
    if stats < 0:
        raise CannotRun("the kernel does not tell how long programs run")
    try:
        yield lambda: {at: p for at, p in loaded().items() if at not in before}
    finally:
        os.close(stats)


def in_programs(way, load_name, n):
    """ns in the programs of what observes, for each operation of the load."""
    with counting() as mine, way() as load:
        before = sum(p[3] for p in mine().values())
        load.run(load_name, n)
        return (sum(p[3] for p in mine().values()) - before) / n


def share():
    """What runs in the observed pays for the programs alone: with less noise than the time of all that it does."""
    process = ("--only", "process")
    ways = {"observed": inside(*process), "not observed": beside(observed(*process)), "the floor": floor()}
    limits = {"observed": 1.02, "not observed": 1.005, "the floor": None}
    for load_name, n in {"fork": 300, "vfork": 2000}.items():
        with plain() as load:
            base = load.least(load_name, n)[1]
        ns = {name: [in_programs(way, load_name, n) for _ in range(here.by_mode(2, 5, 9))] for name, way in ways.items()}
        for name, limit in limits.items():
            numbers(f"programs of --only process alone, {name}: {load_name}" if limit else f"programs of {name} alone: {load_name}",
                    [1 + t / base for t in ns[name]], " x", limit, 4, f"({median(ns[name]):.0f} ns)")
        numbers(f"these, over those of the floor: {load_name}",
                [(base + a) / (base + b) for a, b in zip(ns["observed"], ns["the floor"])], " x", 1.01, 4)


def each():
    with counting() as mine, Load(observed()) as load:
        load.run("vfork", 2000)
        load.run("getppid", 100000)
        for name, verified, xlated, ns, runs in mine().values():
            row(name, f"{verified} verified", "", None, f"{ns / runs:.0f} ns x {runs}" if runs else "did not run")


def programs():
    head("The BPF programs: instructions verified, and time of each run, in spawns and system calls of the workload")
    try:
        each()
        share()
    except CannotRun as e:
        refused("the BPF programs", e)
