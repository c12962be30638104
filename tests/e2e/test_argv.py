# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments, byte for byte; and no byte of theirs that could move a cursor in the text."""
import os
import subprocess

import pytest
from nsscope_test import NSSCOPE, raw_argv, same_text

HOSTILE = [b"\x1b[2J\x1b]0;x\x07", b"a\nb\r\n", b"\xff\xfe", b"", b"\x7f\x08\t\x0b", "\u009b2J\u2028\u2029\u202e".encode(),
           b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", "é漢🎉".encode(), b"tail\xe2\x82", b'"quo\\te\'s"', b"-o", b" ",
           bytes(range(1, 256)), b""]
CASES = {
    "ordinary": [b"a", b"--b=c"],
    "hostile": HOSTILE,
    "empty": [b""] * 5,
    "one empty": [b""],
    "many": [b"%d" % i for i in range(20000)],
    "4095": [b"x" * 4095], "4096": [b"x" * 4096], "4097": [b"x" * 4097],
    "one of 128 KiB": [b"y" * (128 * 1024 - 1)],
    "1.9 MB": [bytes([97 + i % 26]) * 99999 for i in range(19)],
    "1.9 MB, invalid": [b"\xff" + bytes([97 + i % 26]) * 99998 for i in range(19)],
    "200000 empty": [b""] * 200000,
}


@pytest.mark.parametrize("name", CASES)
def test_byte_exact(run, name):
    argv = [b"/bin/true", *CASES[name]]
    result = run(b"--", *argv)
    event, = result.of("exec")
    assert event["exec"]["argv_truncated"] is False and "argv_unreadable" not in event["exec"]
    assert raw_argv(event["exec"]) == argv
    for arg, shown in zip(argv, event["exec"]["argv"]):
        assert same_text(shown, arg)
    for arg, data in zip(argv, event["exec"].get("argv_raw", [])):
        try:
            arg.decode()
            assert data is None
        except UnicodeDecodeError:
            assert data is not None


def is_clean(data):
    text = data.decode("utf-8")
    return not any(ord(c) < 0x20 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029" for c in text)


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", ["hostile", "1.9 MB, invalid", "one of 128 KiB"])
def test_text_is_clean(tmp_path, name, locale):
    file = tmp_path / "text"
    done = subprocess.run([NSSCOPE, "run", "-o", f"text={file}", "--", b"/bin/true", *CASES[name]],
                          env={**os.environ, "LC_ALL": locale}, capture_output=True, timeout=120)
    assert done.returncode == 0
    data = file.read_bytes()
    assert is_clean(data)
    # One line a record, whatever its arguments held: no line starts with their bytes.
    execs = [line for line in data.decode().splitlines() if " exec " in line]
    assert len(execs) == 1 and "true" in execs[0]
    if locale == "C":
        assert data.isascii()


def test_hostile_name_of_program(run, tmp_path):
    program = os.fsencode(tmp_path) + b"/p\x1b[31m\n\xff"
    os.symlink("/bin/true", program)
    result = run("--", program)
    event, = result.of("exec")
    assert raw_argv(event["exec"]) == [program]
    assert "filename_raw" in event["exec"] and "comm_raw" in event
