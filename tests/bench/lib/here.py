# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are, and how much is to be done. Set once by the main program."""
import os

build = "build"
scratch = "."
mode = "usual"


def tool(name):
    return f"{build}/bench/{name}"


def nsscope(*args):
    return [f"{build}/nsscope", *args]


def path(name):
    return os.path.join(scratch, name)


def by_mode(quick, usual, long=None):
    return {"quick": quick, "usual": usual, "long": long or usual}[mode]
