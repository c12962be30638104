# SPDX-License-Identifier: GPL-2.0-or-later
"""What each BPF program of nsscope takes: to be verified, and to run."""
import ctypes
import os
import struct

from lib.load import Load
from lib.observers import observed
from lib.table import head, row

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


def programs():
    head("The BPF programs: instructions verified, and time of each run, in spawns and system calls of the workload")
    before = set(loaded())
    stats = bpf(ENABLE_STATS, ctypes.create_string_buffer(4))
    with Load(observed()) as load:
        load.run("vfork", 2000)
        load.run("getppid", 100000)
        mine = {at: p for at, p in loaded().items() if at not in before}
    if stats >= 0:
        os.close(stats)
    for name, verified, xlated, ns, runs in mine.values():
        row(name, f"{verified} verified", "", None, f"{ns / runs:.0f} ns x {runs}" if runs else "did not run")
