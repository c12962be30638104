# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call made to fail by which limits are set: for kernels where cgroup v2 has the controllers."""
import errno

import pytest
from test_faults import Fault, count, scene  # noqa: F401 (a fixture)
from test_limits import IN_V2, V2


@pytest.mark.skipif(not V2, reason="cgroup v2 has no controllers here")
def test_each_call_of_the_limits(scene):  # noqa: F811
    line = ["run", "-m", "-C", "--memory", "64M", "--pids", "50", "--cpu", "50"]
    plain = count(scene, line, prefix=IN_V2)
    assert plain.counts["unshare"] == 1
    for call in ("openat", "mkdirat", "write", "unshare", "read"):
        for nth in range(1, plain.counts[call] + 1):
            made = Fault(scene, line, call, nth, errno.ENOMEM, prefix=IN_V2)
            if not made.is_of_the_linker():
                made.check(plain)
