# SPDX-License-Identifier: GPL-2.0-or-later
"""One guest: a kernel of the list, the root file system, and what this repository built."""
import os
import pathlib
import platform
import shutil

import debian
import image
import kernel as kernels
import machine

REPO = pathlib.Path(__file__).resolve().parents[2]
VM = REPO / "build/vm"
LIMIT = 1200  # seconds
# Where nothing works, most tests wait for what never comes: some failures tell enough.
TESTS = ["python3", "-m", "pytest", "-q", "--maxfail=20", "tests/e2e"]
# What a launcher or doctor does with system calls that are much the same on all these kernels, what user space does with
# events, and what takes long: each on one or two, or none.
NOT_CORE = {"doctor", "launcher", "unshare", "unshare_end", "unshare_newer", "sandbox", "limits", "enter", "info", "faults",
            "questions", "unprivileged", "tool_summaries", "rotate", "journal", "svg", "stat", "stat_report",
            "stat_namespaces", "filter", "replay", "argv", "ids", "storm", "watch_ps", "tools", "contexts", "reach_tree",
            "reach_cases", "pids", "ns", "mounts", "refusals", "paths", "overlap", "limit_faults",
            "mount_properties", "noted", "bpf_faults", "prepared", "waits"}
ENV = {"HOME": "/root", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb",
       "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": "-rfEs -p no:cacheprovider",
       "CACHE_DIRECTORY": "/run/nsscope",
       # A process costs some milliseconds here.
       "NSSCOPE_TEST_SCALE": "25"}


def host_arch():
    """As Debian names it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def build_directory(arch):
    """Where make puts what it builds for @arch."""
    return REPO / "build" if arch == host_arch() else REPO / "build" / arch


def files(arch):
    """What the guest has of this repository, below /nsscope; the object is for bpftool."""
    build = build_directory(arch)
    built = {f"build/{name}": build / name for name in ("nsscope", "nsscope.bpf.o", "tests/workload")}
    if (build / "bench").exists():
        built["build/bench"] = build / "bench"
    return {**built, **{name: REPO / name for name in ("tests/e2e", "tests/lib", "tests/golden", "tests/bench")}}


class Guest:
    """Made ready to run; debian.Unavailable says what is not to be had."""

    def __init__(self, kernel):
        self.kernel = kernel
        program = machine.ARCH[kernel.arch][0]
        if not shutil.which(program):
            raise debian.Unavailable(f"{program} is not installed")
        for path in files(kernel.arch).values():
            if not path.exists():
                raise debian.Unavailable(f"{path.relative_to(REPO)} is not built")
        self.home = kernels.ready(kernel, VM)
        self.image, self.busybox = image.ready(VM, kernel.arch)

    def run(self, command=None, limit=LIMIT, count=False):
        """Runs @command, or the tests, and returns its exit status; machine.Failure if there is none."""
        env = dict(ENV)
        if not command:
            command = list(TESTS)
            if self.kernel.tests[0] == "=":
                command[-1:] = [f"tests/e2e/test_{name}.py" for name in self.kernel.tests[1:].split(",")]
            else:
                command += [f"--ignore=tests/e2e/test_{name}.py"
                            for name in NOT_CORE - set(self.kernel.tests.split(","))]
            if self.kernel.backend != "best":
                env["NSSCOPE_BACKEND"] = self.kernel.backend
            if self.kernel.backends != "all":
                env["NSSCOPE_TEST_BACKENDS"] = self.kernel.backends
        env |= {name: value for name, value in os.environ.items() if name.startswith("NSSCOPE_TEST_")}
        return machine.run(self.kernel.arch, self.home, self.image, self.busybox, command,
                           files(self.kernel.arch), env, limit, count)


def must_run(kernel):
    """Whether it is a failure that @kernel cannot be had, and not only a pity."""
    return os.environ.get("CI") == "true" and kernel.required == "yes"
