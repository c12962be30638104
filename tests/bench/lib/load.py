# SPDX-License-Identifier: GPL-2.0-or-later
"""The workload driver, and rounds that alternate between ways to run it."""
import subprocess
import time

from lib import here

# The namespaces that nsscope run makes, without it.
UNSHARE = ["unshare", "-f", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc"]


class CannotRun(Exception):
    pass


class Load:
    """The driver, started by whatever stands before it on its command line."""

    def __init__(self, prefix=(), settle=0.15):
        self.process = subprocess.Popen([*prefix, here.tool("load"), here.tool("tiny")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.process.wait()
            raise CannotRun("exit status " + str(self.process.returncode))
        time.sleep(settle)  # the scheduler places what has just used a CPU apart from it

    def run(self, name, n):
        """Wall and CPU time, ns, and how much was done."""
        self.process.stdin.write(f"{name} {n}\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def least(self, name, n, times=3):
        """Wall and CPU time per operation: the least of some runs, since noise only adds."""
        self.run(name, n // 10 + 1)
        runs = [self.run(name, n) for _ in range(times)]
        return min(r[0] for r in runs) / n, min(r[1] for r in runs) / n

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def compare(base, ways, loads, rounds):
    """
    Runs @base and each of @ways (name: a function that gives a context whose value is a Load) in turn, the order
    turning round, and gives for each way and load the ratios to the base of the same round:
    {way: {load: (walls, CPUs)}}, and {load: ns of the base}.
    """
    ratios = {way: {load: ([], []) for load in loads} for way in ways}
    plain = {load: [] for load in loads}
    for i in range(rounds):
        got = {}
        for name, way in [("", base), *ways.items()][:: 1 if i % 2 else -1]:
            with way() as load:
                got[name] = {what: load.least(what, n) for what, n in loads.items()}
        for what in loads:
            plain[what].append(got[""][what][0])
            for way in ways:
                for j in 0, 1:
                    ratios[way][what][j].append(got[way][what][j] / got[""][what][j])
    return ratios, plain
