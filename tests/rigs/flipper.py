#!/usr/bin/env python3
"""Folders that flip between themselves and a symlink that leads out, as fast as they can, while megax applies.

    flipper.py BINARY                 half a minute: half of it with the sandbox, half without
    flipper.py BINARY --seconds 600   longer

Flipped are folders of the output tree, a single output file, the lockfile's folder, and folders of inputs: the team's
mega-files, the shared templates. Each is exchanged, in one step, with a symlink to its like in a folder outside, which
holds the same names with a secret in them. Afterwards the outside must be as it was (names, bytes, times), the secret must
be in no generated file, in nothing that megax stored and in nothing that it printed, and no run may have crashed or hung.

A writer that looks before it opens, as many do, is put in the place of megax first: if the rig does not see it escape, both
by writing and by reading, the rig proves nothing and says so.

Needs Linux (renameat2) and Python 3 alone.
"""

import argparse
import collections
import ctypes
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rig import GRACEFUL, TIMEOUT

SECRET = "OUTSIDE-SECRET"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
# Seconds that some of the places flip together.
PHASE = 1.5
# Longest time until the careless writer must have escaped.
PATIENCE = 20

MANIFEST = 'teams: { x: { output: ["**"] } }\n'
MEGA_FILE = """\
id: flip-001
team: x
generator:
  rules:
    - for_each: "data.items"
      as: item
      generate:
        - body: "src/{{item}}.txt"
        - body: "deep/er/{{item}}.txt"
    - generate:
        - {{ content: "{version}\\n", path: bin/tool.txt }}
        - {{ content: "{version}\\n", path: "only/{version}.txt" }}
        - {{ template: shared.txt, path: src/shared.txt }}
data:
  items: [one, two, three, four]
templates:
  body: |
    {version} of {{item}}
"""


def exchange(one, other):
    """Exchanges two names in one step; whether it did."""
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    return renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


class Stage:
    """Two versions of a project, a tree that both are expanded into, and a folder outside."""

    def __init__(self, binary, at):
        self.binary = str(Path(binary).resolve())
        self.at = Path(tempfile.mkdtemp(prefix="megax-flip-", dir=at))
        self.out, self.outside, self.aside = (self.at / name for name in ("out", "outside", "aside"))
        self.projects = [self._project(version, version) for version in ("first", "second")]
        self.aside.mkdir()
        self.places = {}
        for version in (0, 1):
            done = self.run(version)
            assert done.returncode == 0, done.stdout + done.stderr
        self._outside()
        for place in ("out/src", "out/deep", "out/deep/er", "out/bin/tool.txt", "out/.megax/lock", "first/megafiles/team-x",
                      "second/megafiles/team-x", "first/templates", "second/templates"):
            self._place(place)

    def close(self):
        shutil.rmtree(self.at, ignore_errors=True)

    def command(self, version, *more):
        return [self.binary, "expand", "--manifest", f"{self.projects[version]}/megax.yaml", "--out", str(self.out),
                "--durability", "process", "--jobs", "2", "--on-edit", "overwrite", "--allow-deletes", "100", *more]

    def run(self, version, *more):
        return subprocess.run(self.command(version, *more), capture_output=True, text=True, errors="replace",
                              timeout=TIMEOUT, check=False)

    def _project(self, version, text):
        folder = self.at / version
        (folder / "megafiles/team-x").mkdir(parents=True)
        (folder / "templates").mkdir()
        (folder / "megax.yaml").write_text(MANIFEST)
        (folder / "megafiles/team-x/flip.yaml").write_text(MEGA_FILE.format(version=text))
        (folder / "templates/shared.txt").write_text(f"shared, {text}\n")
        return folder

    def _outside(self):
        """The same names with a secret in them: a reader that is led out gets it, a writer changes it."""
        shutil.copytree(self.out, self.outside / "out", symlinks=True)
        self._project("outside/first", SECRET)
        self._project("outside/second", SECRET)
        for folder, _, files in os.walk(self.outside / "out"):
            for name in files:
                if not name.endswith(".lock"):
                    Path(folder, name).write_text(f"{SECRET} {name}\n")

    def _place(self, place):
        link = self.aside / place.replace("/", "-")
        link.symlink_to(self.outside / place)
        self.places[place] = link

    def restore(self):
        """Everything is itself again."""
        for place, link in self.places.items():
            if (self.at / place).is_symlink() and not link.is_symlink():
                exchange(self.at / place, link)

    def facts(self):
        """All that may not change outside."""
        found = {}
        for folder, folders, files in os.walk(self.outside):
            for name in [".", *folders, *files]:
                at = Path(folder, name)
                about = at.lstat()
                body = at.read_bytes() if stat.S_ISREG(about.st_mode) else b""
                found[str(at)] = (about.st_mode, about.st_mtime_ns, about.st_nlink, body)
        return found

    def leaked(self):
        """Files with the secret in them that megax made or stored."""
        found = []
        for folder, folders, files in os.walk(self.out):
            folders[:] = [name for name in folders if not Path(folder, name).is_symlink()]
            for name in files:
                at = Path(folder, name)
                if stat.S_ISREG(at.lstat().st_mode) and SECRET.encode() in at.read_bytes():
                    found.append(str(at.relative_to(self.at)))
        return found


class Flipper:
    """A process that flips some places until it is stopped; how often it did."""

    def __init__(self, stage, places):
        self.stage, self.places = stage, places

    def __enter__(self):
        self.reader, writer = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(self.reader)
            self._flip(writer)
        os.close(writer)
        return self

    def _flip(self, writer):
        stopped, flips = [], 0
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
        pairs = [(self.stage.at / place, self.stage.places[place]) for place in self.places]
        chance = random.Random(os.getpid())
        while not stopped:
            for place, link in pairs:
                # Below a symlink everything is outside, and that is not for this process to touch.
                if not (self.stage.at / place).parent.is_symlink():
                    flips += exchange(place, link)
            # Sometimes a while as it is, so that a run comes further.
            if chance.random() < 0.02:
                time.sleep(chance.random() * 0.02)
        os.write(writer, str(flips).encode())
        os._exit(0)

    def __exit__(self, *_):
        os.kill(self.child, signal.SIGTERM)
        self.flips = int(os.read(self.reader, 32) or b"0")
        os.close(self.reader)
        os.waitpid(self.child, 0)
        self.stage.restore()


def sets(stage):
    """Which places flip together: each kind alone, so that a run comes far enough, and all."""
    of = lambda *begin: [place for place in stage.places if place.startswith(begin)]
    # Of two folders inside one another only one flips at a time.
    nested = "out/deep/er"
    outputs = [place for place in of("out/src", "out/deep") if place != nested]
    inputs = of("first", "second")
    return [outputs, ["out/bin/tool.txt"], ["out/.megax/lock"], [nested], inputs, of("first/templates"),
            outputs + inputs + ["out/bin/tool.txt", "out/.megax/lock"]]


def applies(stage, seconds, options, wrong):
    """Applies both versions by turns while places flip; the exit codes with their numbers, and the flips."""
    codes, flips, version, end = collections.Counter(), 0, 0, time.monotonic() + seconds
    phase = 0
    all_sets = sets(stage)
    each = min(PHASE, seconds / len(all_sets))
    while time.monotonic() < end and not wrong:
        with Flipper(stage, all_sets[phase % len(all_sets)]) as flipper:
            until = min(end, time.monotonic() + each)
            while time.monotonic() < until and not wrong:
                try:
                    done = stage.run(version, *options)
                except subprocess.TimeoutExpired:
                    wrong.append("a run hangs")
                    break
                codes[done.returncode] += 1
                if done.returncode not in GRACEFUL:
                    wrong.append(f"exit code {done.returncode}: {done.stderr[-400:]}")
                if SECRET in done.stdout + done.stderr:
                    wrong.append(f"it printed what is outside: {(done.stdout + done.stderr)[-400:]}")
                version = 1 - version
        flips += flipper.flips
        phase += 1
    return codes, flips


def megax(stage, seconds, options):
    """One half: runs, then what must hold. What is wrong."""
    before, wrong = stage.facts(), []
    codes, flips = applies(stage, seconds, options, wrong)
    after = stage.facts()
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    wrong += [f"changed outside: {path}" for path in changed[:5]]
    wrong += [f"read from outside: {path}" for path in stage.leaked()[:5]]
    if not wrong:
        wrong += calm(stage, options)
    said = ", ".join(f"{number} ended with {code}" for code, number in sorted(codes.items()))
    print(f"{' '.join(options) or 'with the sandbox':18} {codes.total():5} applies ({said}), {flips} flips, "
          f"{len(changed) + len(stage.leaked())} escapes", flush=True)
    if not wrong and (codes[0] == 0 or codes.total() == codes[0]):
        wrong.append("no run came through, or none was disturbed: this proves nothing")
    return wrong


def calm(stage, options):
    """When nothing flips any more, two runs make the tree whole, and then there is nothing to do."""
    subprocess.run([stage.binary, "recover", "--manifest", f"{stage.projects[0]}/megax.yaml", "--out", str(stage.out)],
                   capture_output=True, timeout=TIMEOUT, check=False)
    for number, said in ((0, ""), (0, "nothing to do")):
        done = stage.run(number, *options)
        if done.returncode != 0 or said not in done.stdout + done.stderr:
            return [f"afterwards a run ended with {done.returncode}: {done.stderr[-600:]}"]
    return []


def careless(stage, version):
    """As many programs write: looks at everything first, does its work, then opens by path."""
    source = stage.at / "first/templates/shared.txt"
    targets = [stage.out / "src" / name for name in ("one.txt", "shared.txt")]
    if any(at.parent.is_symlink() or at.is_symlink() for at in (source, *targets)):
        return
    time.sleep(0.0002)
    for target in targets:
        try:
            target.write_text(f"careless {version} {source.read_text()}")
        except OSError:
            pass


def bites(stage):
    """The careless writer escapes, and the rig sees it; what is wrong."""
    before, end = stage.facts(), time.monotonic() + PATIENCE
    begun = time.monotonic()
    written = read = False
    runs = flips = 0
    while time.monotonic() < end and not (written and read):
        with Flipper(stage, ["out/src", "first/templates"]) as flipper:
            for _ in range(200):
                careless(stage, runs)
                runs += 1
        flips += flipper.flips
        written = written or stage.facts() != before
        read = read or bool(stage.leaked())
    print(f"{'a careless writer':18} {runs:5} applies, {flips} flips: it {'wrote' if written else 'did not write'} outside and "
          f"{'read' if read else 'did not read'} from there within {time.monotonic() - begun:.1f} s", flush=True)
    return [] if written and read else ["the careless writer did not escape: the rig proves nothing"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary")
    arguments.add_argument("--seconds", type=float, default=30)
    arguments.add_argument("--at", help="a folder on the file system to try; by default that for temporary files")
    chosen = arguments.parse_args()
    if not hasattr(ctypes.CDLL(None), "renameat2"):
        print("SKIPPED: this system cannot exchange two names in one step")
        return 0
    os.environ.pop("MEGAX_NO_SANDBOX", None)
    parts = (("bites", bites), ("sandbox", lambda stage: megax(stage, chosen.seconds / 2, ())),
             ("no sandbox", lambda stage: megax(stage, chosen.seconds / 2, ("--no-sandbox",))))
    failed = 0
    for name, part in parts:
        stage = Stage(chosen.binary, chosen.at)
        try:
            for line in part(stage):
                failed += 1
                print(f"FAILED {name}: {line}", flush=True)
        finally:
            stage.close()
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
