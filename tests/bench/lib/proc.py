# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc says of one process."""
import os
import re


def read(pid, name):
    with open(f"/proc/{pid}/{name}") as f:
        return f.read()


def cpu_ns(pid):
    """CPU time of one process without its children."""
    return sum(int(read(pid, f"task/{tid}/schedstat").split()[0]) for tid in tids(pid))


def tids(pid):
    return os.listdir(f"/proc/{pid}/task")


def memory_mib(pid, which="VmRSS"):
    return int(re.search(which + r":\s+(\d+)", read(pid, "status"))[1]) / 1024
