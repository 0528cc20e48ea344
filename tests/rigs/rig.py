"""What the parts of the rig share: a small project in two versions, running megax, and looking at trees.

Version 2 differs from version 1 in every way a commit knows: files in new folders, changed bytes, a changed mode, deletes
that empty a folder and one that does not, a file that becomes a folder, and lockfile shards that come, change and go.
Files of a person lie between them.
"""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

# Longest run of megax, in seconds. A run that takes longer hangs.
TIMEOUT = 20
# Exit codes that a run may end with when the disk fails under it.
GRACEFUL = (0, 3, 4, 5, 6)

SHARED = """\
id: rig-001
team: rig
generator:
  rules:
    - for_each: "data.items"
      as: item
      generate:
        - body: "src/{{item}}.txt"
        - {{ content: "the same\\n", path: "src/same/{{item}}.txt" }}
    - generate:
        - {{ content: "#!/bin/sh\\necho {version}\\n", path: bin/tool.sh, mode: executable }}
        - {{ content: "#!/bin/sh\\n", path: bin/run.sh, mode: {mode} }}
{own}
data:
  items: [one, two, three]
templates:
  body: |
    {version} of {{item}}
{more}
"""
OWN = {
    1: """\
        - { content: "left\\n", path: gone/deep/x.txt }
        - { content: "left\\n", path: gone/y.txt }
        - { content: "left\\n", path: notes/z.txt }
        - { content: "a file\\n", path: turn }""",
    2: """\
        - { content: "came\\n", path: fresh/deep/a.txt }
        - { content: "came\\n", path: fresh/b.txt }
        - { content: "in a folder\\n", path: turn/inside.txt }""",
}
OTHER = """\
id: {id}
team: rig
generator:
  rules:
    - generate:
        - {{ content: "of {id}\\n", path: "{path}" }}
"""
# Files of a person, in folders that megax writes into, changes and empties.
PERSONS = {"notes/person.txt": "mine\n", "src/mine.txt": "mine too\n", "bin/tool": "no megax\n"}


class Rig:
    """A folder of its own with both versions of the project, the tree of each, and the binary under test."""

    def __init__(self, binary, at=None, turns=True):
        """`turns`: whether a file becomes a folder, which megax does not do the other way round."""
        self.turns = turns
        self.binary = str(Path(binary).resolve())
        self.at = Path(tempfile.mkdtemp(prefix="megax-rig-", dir=at))
        self.projects = {version: self._project(version) for version in (1, 2)}
        self.old = self.at / "old"
        self._persons(self.old)
        self.must(self.expand(1, self.old))
        # A file that was made private stays private.
        os.chmod(self.old / "src/one.txt", 0o600)
        both = self.copy("both")
        self.trees = {1: look(both)}
        self.must(self.expand(2, both))
        self.trees[2] = look(both)
        shutil.rmtree(both)
        assert self.trees[1] != self.trees[2]

    def close(self):
        shutil.rmtree(self.at, ignore_errors=True)

    def copy(self, name):
        """A fresh copy of the tree of version 1."""
        target = self.at / name
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(self.old, target, symlinks=True)
        return target

    def applied(self):
        """A tree of version 2 that was one of version 1: its last operation can be undone."""
        at = self.at / "applied"
        if not at.exists():
            self.copy("applied")
            self.must(self.expand(2, at))
        return at

    def undo(self, out):
        return [self.binary, "undo", "--manifest", f"{self.projects[1]}/megax.yaml", "--out", str(out)]

    def expand(self, version, out, *more, jobs=1, durability="process"):
        """The command that expands one version."""
        project = str(self.projects[version])
        return [self.binary, "expand", "--manifest", f"{project}/megax.yaml", "--out", str(out), "--jobs", str(jobs),
                "--durability", durability, *more]

    def recover(self, out):
        return [self.binary, "recover", "--manifest", f"{self.projects[1]}/megax.yaml", "--out", str(out)]

    def must(self, command, said=None):
        """Runs a command that has to come through; what went wrong, or None when `said` is given."""
        done = run(command)
        if said is None:
            assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            return None
        if done.returncode != 0:
            return f"`{command[1]}` ended with {done.returncode}: {done.stderr.strip()[:400]}"
        return None if said in done.stdout + done.stderr else f"`{command[1]}` does not say {said!r}"

    def which(self, out):
        """The version that a tree is, exactly; or how it differs from both."""
        found = look(out)
        for version, tree in self.trees.items():
            if found == tree:
                return version
        return "neither: " + "; ".join(f"from {version}: {difference(tree, found)}" for version, tree in self.trees.items())

    def after(self, out):
        """Recovers, judges the tree, goes on to version 2. The version found, and what is wrong."""
        wrong = self.must(self.recover(out), "")
        version = self.which(out)
        if wrong is None and version not in (1, 2):
            wrong = version
        wrong = wrong or self.must(self.expand(2, out), "")
        if wrong is None and self.which(out) != 2:
            wrong = f"the next run made another tree, {self.which(out)}"
        wrong = wrong or self.must(self.expand(2, out), "nothing to do")
        left = sorted(os.listdir(out / ".megax/txn"))
        if wrong is None and left:
            wrong = f"left in .megax/txn: {left}"
        return version, wrong

    def _project(self, version):
        folder = self.at / f"v{version}"
        folder.mkdir()
        (folder / "megax.yaml").write_text('teams: { rig: { output: ["**"] } }\n')
        mode = "regular" if version == 1 else "executable"
        # Many bytes, so that a body is not written in one call's time.
        more = "\n".join(f"    line {number} of version {version}" for number in range(40))
        own = "\n".join(line for line in OWN[version].splitlines() if self.turns or "turn" not in line)
        mega = SHARED.format(version=f"version {version}", mode=mode, own=own, more=more)
        (folder / "megafiles").mkdir()
        (folder / "megafiles/rig.yaml").write_text(mega)
        other = OTHER.format(id=f"rig-only-{version}", path=f"only/{version}.txt")
        (folder / "megafiles/other.yaml").write_text(other)
        return folder

    def _persons(self, tree):
        for path, text in PERSONS.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)


def run(command):
    """Runs a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, check=False)


def look(root):
    """Every path outside `.megax`, with its mode and its bytes. The lockfile counts as part of the tree."""
    found = {}
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        if inside == Path("."):
            folders[:] = [name for name in folders if name != ".megax"]
            folders += [".megax/lock"] if (Path(root) / ".megax/lock").is_dir() else []
        for name in folders:
            if name != ".megax/lock":
                found[str(inside / name)] = ("folder", b"")
        for name in files:
            at = Path(folder) / name
            mode = at.lstat().st_mode
            body = at.read_bytes() if stat.S_ISREG(mode) else b""
            found[str(inside / name)] = (oct(mode), body)
    # Which folders of the lockfile exist is nobody's business.
    return {path: all for path, all in found.items() if not (path.startswith(".megax") and all[0] == "folder")}


def difference(expected, found):
    """In words, and short."""
    missing = sorted(expected.keys() - found.keys())
    extra = sorted(found.keys() - expected.keys())
    other = sorted(path for path in expected.keys() & found.keys() if expected[path] != found[path])
    named = [f"{what} {paths[:4]}" for what, paths in (("missing", missing), ("extra", extra), ("other", other)) if paths]
    return ", ".join(named)
