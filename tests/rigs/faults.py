#!/usr/bin/env python3
"""Proves from outside, with the real binary, that an apply is all or nothing.

    faults.py BINARY                      what CI runs: some minutes
    faults.py BINARY --all --kills 1000   everything: much longer
    faults.py BINARY --only space         one part

Parts: `order` (of the calls, as a loss of power demands it), `matrix` (every system call on the output root fails or
kills), `kills` (SIGKILL at random times), `beside` (another run dies meanwhile), `saves` (an editor saves at random times),
`space` (a file system without space or inodes). After each fault `megax recover` runs; then the tree must be the old one or
the new one, to the byte and the mode; a person's files must be as they were; the next run must make the new tree, and the
one after it must have nothing to do.

What this cannot see: the loss of power itself. The page cache survives every fault here; `order` only proves that the syncs
stand where they must. Nor can it see an editor that opened a file before megax displaced it and writes through that handle
after megax has looked at it for the last time.

Needs Linux, Python 3 alone, and: strace for `matrix`, the right to mount for `space`. What cannot run is skipped, and said.
"""

import argparse
import os
import sys
import time

import beside
import kills
import matrix
import order
import rig as rigs
import saves
import space

PARTS = ("order", "matrix", "kills", "beside", "saves", "space")


class Report:
    """Prints what happens, and remembers what failed."""

    def __init__(self):
        self.failures, self.skipped, self.totals = [], [], []

    def say(self, text):
        print(text, flush=True)

    def fail(self, case, text):
        self.failures.append(case)
        if len(self.failures) <= 40:
            self.say(f"FAILED {case}\n       {text}")

    def skip(self, part, why):
        self.skipped.append(part)
        self.say(f"SKIPPED {part}: {why}")

    def total(self, part, cases, old=None, new=None):
        self.totals.append((part, cases, old, new))

    def finish(self, seconds):
        self.say(f"\n{'part':14} {'cases':>7} {'old':>7} {'new':>7}")
        for part, cases, old, new in self.totals:
            self.say(f"{part:14} {cases:7} {'' if old is None else old:>7} {'' if new is None else new:>7}")
        skipped = f", skipped: {', '.join(self.skipped)}" if self.skipped else ""
        self.say(f"{len(self.failures)} failed{skipped}; {seconds:.0f} s")
        return 1 if self.failures else 0


def carry_out(part, chosen, rig, back_and_forth, report):
    """One part."""
    if part == "order":
        order.order(rig, report)
    elif part == "matrix":
        matrix.matrix(rig, 1 if chosen.all else chosen.every, report, chosen.stage)
    elif part == "kills":
        kills.kills(back_and_forth, chosen.kills, chosen.seed, report)
    elif part == "beside":
        beside.beside(back_and_forth, chosen.runs, chosen.seed, report)
    elif part == "saves":
        saves.saves(back_and_forth, chosen.saves, chosen.seed, report)
    else:
        space.space(rig, report)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--only", choices=PARTS, action="append", help="one part, or several")
    arguments.add_argument("--all", action="store_true", help="every case of the matrix")
    arguments.add_argument("--every", type=int, default=7, metavar="K", help="else every K-th; no multiple of 11")
    arguments.add_argument("--stage", choices=matrix.STAGES, help="only this kind of run in the matrix")
    arguments.add_argument("--kills", type=int, default=150)
    arguments.add_argument("--runs", type=int, default=60, help="beside others")
    arguments.add_argument("--saves", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--at", help="a folder on the file system to try; by default that for temporary files")
    arguments.add_argument("--leave", action="store_true", help="leave the trees of failed cases")
    chosen = arguments.parse_args()
    os.environ.pop("MEGAX_DURABILITY", None)
    parts = chosen.only or PARTS
    report, begun = Report(), time.monotonic()
    rig, back_and_forth = (rigs.Rig(chosen.binary, chosen.at, turns) for turns in (True, False))
    try:
        for part in parts:
            report.say(f"\n-- {part}")
            try:
                carry_out(part, chosen, rig, back_and_forth, report)
            except AssertionError as error:
                report.fail(part, f"what it needs cannot be made: {error}")
    finally:
        if chosen.leave:
            report.say(f"left: {rig.at}")
        else:
            rig.close()
            back_and_forth.close()
    return report.finish(time.monotonic() - begun)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
