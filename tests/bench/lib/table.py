# SPDX-License-Identifier: GPL-2.0-or-later
"""What is printed: one line for each number, with its target where there is one."""
import statistics

median = statistics.median


def spread(values):
    """Half of what the median may be off by, as the notch of a box plot has it: 1.57 IQR / sqrt(n)."""
    if len(values) < 4:
        return None
    low, _, high = statistics.quantiles(values, n=4)
    return 1.57 * (high - low) / len(values) ** 0.5


def row(what, value, target="", verdict=None, note=""):
    mark = {None: "", True: "reached", False: "MISSED"}[verdict]
    print(f"  {what:<58} {value:>17}  {target:<11} {mark} {note}".rstrip(), flush=True)


def head(text):
    print(f"\n{text}", flush=True)


def refused(what, why):
    print(f"  {what:<58} cannot run: {why}", flush=True)


def number(values, unit, digits):
    value, off = median(values), spread(values)
    return f"{value:.{digits}f}{unit}" + (f" ±{off:.{digits}f}" if off is not None else "")


def numbers(what, values, unit, limit=None, digits=2, note=""):
    """The median of @values, which is to be at most @limit."""
    row(what, number(values, unit, digits), f"<= {limit:g}{unit}" if limit else "", median(values) <= limit if limit else None, note)


def exactly(what, value, wanted, note=""):
    row(what, f"{value}", f"{wanted}", value == wanted, note)
