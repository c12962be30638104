# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot be done is refused with one clear line and status 125, and the command is not run."""
import errno
import shutil
import subprocess

import pytest
from nsscope_test import NSSCOPE, Stream, workload


@pytest.fixture
def public(tmp_path_factory):
    """nsscope where everybody can execute it."""
    out = tmp_path_factory.mktemp("public")
    for path in (out, *out.parents[:2]):
        path.chmod(0o755)
    shutil.copy(NSSCOPE, out / "nsscope")
    shutil.copy(workload("deny"), out / "deny")
    return out


def refused(args, words, cwd):
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, cwd=cwd, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (125, ""), done
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("nsscope"), done.stderr
    assert all(word.lower() in lines[0].lower() for word in words), lines[0]
    return lines[0]


RUN = ["run", "--", "echo", "ran"]
RIGHTS = {
    "unprivileged": (["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"], ["root", "CAP_BPF"]),
    "no CAP_BPF": (["capsh", "--drop=cap_bpf,cap_sys_admin", "--", "-c", 'exec "$0" "$@"'], ["CAP_"]),
    "no capability": (["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"], ["CAP_"]),
    "no BTF": (["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'], ["BTF"]),
    "new user namespace": (["unshare", "-U", "-r"], ["nsscope"]),
}


@pytest.mark.parametrize("name", RIGHTS)
def test_rights(public, name):
    prefix, words = RIGHTS[name]
    refused([*prefix, public / "nsscope", *RUN], words, public)


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.E2BIG, errno.ENOMEM, errno.EACCES])
@pytest.mark.parametrize("cmd", ["5", "0", "all"], ids=["BPF_PROG_LOAD", "BPF_MAP_CREATE", "bpf(2)"])
def test_kernel_refuses(public, error, cmd):
    refused([public / "deny", str(error), cmd, public / "nsscope", *RUN], [], public)


BAD = [
    ["run", "--no-such-option", "true"], ["run", "-Z", "true"], ["run", "-o", "xml", "true"], ["run", "-o"],
    ["run", "-o", "json=/nonexistent/file", "true"], ["run", "-o", "", "true"], ["run", "--only", "nothing", "true"],
    ["run", "--only", "", "true"], ["run", "--buffer", "12", "true"], ["run", "--buffer", "x", "true"],
    ["run", "--buffer", "-1", "true"], ["run", "--buffer", "99999999999999999999", "true"],
    ["run", "--buffer", "4Kx", "true"], ["run", "--color", "blue", "true"], ["run", "--wide=yes", "true"],
    ["no-such-command"], ["--no-such-option"], ["replay"], ["replay", "a", "b"], ["replay", "--pid", "a"],
]


@pytest.mark.parametrize("args", BAD, ids=" ".join)
def test_bad_options(tmp_path, args):
    refused([NSSCOPE, *args], [], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--root=/nonexistent", "--wd=/nonexistent", "--mount-proc=/nonexistent"])
def test_no_such_directory(tmp_path, option):
    refused([NSSCOPE, "run", option, "-o", "json=events", "--", "echo", "ran"], ["/nonexistent"], tmp_path)
    stream = Stream((tmp_path / "events").read_bytes()).complete()
    assert not stream.of("exec") and [e["exit"]["code"] for e in stream.of("exit")] == [125]
