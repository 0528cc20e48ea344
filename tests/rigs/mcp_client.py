#!/usr/bin/env python3
"""A session of `megax mcp` with the official Python client of the protocol, as an agent has it.

    mcp_client.py BINARY                  the session, in the newest protocol and in the one before, then every lie
    mcp_client.py BINARY --broken LIE     the session over a relay that falsifies answers; must fail (exit code 1)

The session: list the tools, validate a wrong mega-file, read the diagnostics, write the mended file, plan, expand with the
digest, be refused with a stale digest; and each document is what the command prints with `--format json`. A rig that
believes everything proves nothing, so the session is played again over a relay that lies in one answer: each lie must be
noticed.

Needs Python 3.10 and the package `mcp` 2.x; without it, a virtual environment is made beside the binary's folder. Where it
cannot be installed, the rig says SKIPPED and ends with 0.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

PACKAGE = "mcp==2.3.0"
# Longest time of a session, in seconds.
TIMEOUT = 120
MODES = ("auto", "legacy")
TOOLS_AT_MOST = 7

MANIFEST = 'teams:\n  api: { output: ["api/"] }\n  web: { output: ["web/"] }\n'
MEGA_FILE = """\
id: mega-api-001
team: api
generator:
  rules:
    - for_each: "data.items"
      as: item
      generate:
        - body: "api/{item}.txt"
data:
  items: [one, two, three]
templates:
  body: |
    This is {item}.
"""
WRONG = MEGA_FILE.replace('"api/{item}.txt"', '"api/{itme}.txt"')
WRONG_LINE = 8


def in_environment(binary):
    """Goes on where the client is installed; without it, says so and ends."""
    try:
        import mcp  # noqa: F401

        if hasattr(mcp, "Client"):
            return
    except ImportError:
        pass
    if sys.version_info < (3, 10):
        skip("the client needs Python 3.10")
    if os.environ.get("MEGAX_RIG_ENVIRONMENT"):
        skip(f"{PACKAGE} is installed and cannot be used")
    folder = binary.parent.parent / "mcp-client"
    python = folder / "bin" / "python"
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE],
    ]
    if python.exists() and subprocess.run([python, "-c", "from mcp import Client"], capture_output=True).returncode == 0:
        steps = []
    for step in steps:
        made = subprocess.run(step, capture_output=True, text=True)
        if made.returncode != 0:
            skip(f"{PACKAGE} cannot be installed: {(made.stderr or made.stdout).strip().splitlines()[-1:]}")
    os.environ["MEGAX_RIG_ENVIRONMENT"] = "1"
    os.execv(python, [str(python), *sys.argv])


def skip(why):
    print(f"SKIPPED: {why}", file=sys.stderr)
    sys.exit(0)


class Failed(Exception):
    """A step that did not go as it must."""

    def __init__(self, what, found):
        super().__init__(f"{what}: {found}"[:600])
        self.what = what


def check(holds, what, found=""):
    if not holds:
        raise Failed(what, found)
    print(f"  ok: {what}")


def command(binary, root, *args):
    """What a command prints as JSON."""
    done = subprocess.run([binary, *args, "--format", "json"], cwd=root, capture_output=True, text=True, timeout=TIMEOUT)
    return json.loads(done.stdout)


def files(root):
    """The generated files, with their bytes."""
    return {path.name: path.read_bytes() for path in sorted((root / "api").glob("*"))}


def write(root, text):
    (root / "megafiles" / "api.yaml").write_text(text)


async def session(binary, client, root):
    """The session, step by step."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    check(len(tools) <= TOOLS_AT_MOST and {"validate", "plan", "expand"} <= set(tools), "tools", tools)
    for tool in tools.values():
        check(tool.input_schema["type"] == "object" and tool.output_schema and tool.description, f"{tool.name} has schemas")
    check([name for name, tool in tools.items() if not tool.annotations.read_only_hint] == ["expand"], "only expand writes")

    write(root, WRONG)
    wrong = await client.call_tool("validate", {})
    check(wrong.is_error, "a wrong mega-file is an error")
    finding = wrong.structured_content["diagnostics"][0]
    check((finding["file"], finding["line"]) == ("megafiles/api.yaml", WRONG_LINE), "the finding names file and line", finding)
    check(finding["code"] in wrong.content[0].text, "the text names the code", wrong.content)
    check(wrong.structured_content == command(binary, root, "validate"), "validate answers what the command prints")
    page = await client.read_resource(f"megax://codes/{finding['code']}")
    check(finding["code"] in page.contents[0].text, "the code has a page")

    write(root, MEGA_FILE)
    right = await client.call_tool("validate", {"strict": True})
    check(not right.is_error and right.structured_content["outcome"] == "done", "the mended mega-file is valid", right)

    plan = await client.call_tool("plan", {"team": "api"})
    digest = plan.structured_content["plan"]
    check(not plan.is_error and len(digest) == 64 and digest in plan.content[0].text, "the plan has a digest", plan)
    check(plan.structured_content["summary"]["created"] == 3, "the plan makes three files")
    check(files(root) == {}, "a plan writes nothing")
    refused = await client.call_tool("expand", {"digest": "0" * 64})
    check(refused.is_error and files(root) == {}, "an unknown digest writes nothing")

    write(root, MEGA_FILE.replace("This is", "That is"))
    stale = await client.call_tool("expand", {"digest": digest})
    codes = [one["code"] for one in stale.structured_content["diagnostics"]]
    check(stale.is_error and "MX820" in codes, "a stale digest is refused", stale)
    check(files(root) == {}, "a stale digest writes nothing", files(root))

    plan = await client.call_tool("plan", {})
    done = await client.call_tool("expand", {"digest": plan.structured_content["plan"]})
    check(not done.is_error and done.structured_content["outcome"] == "done", "the new digest is accepted", done)
    check(done.structured_content["tree"] == plan.structured_content["tree"], "what is written is what was planned")
    check(files(root) == {f"{name}.txt": f"That is {name}.\n".encode() for name in ("one", "two", "three")}, "the files")
    status = await client.call_tool("status", {})
    check(status.structured_content == command(binary, root, "status"), "status answers what the command prints")
    place = await client.call_tool("explain", {"subject": "api/two.txt:1"})
    check("megafiles/api.yaml:13" in place.content[0].text, "explain names the line to edit", place.content)

    blocked = await client.call_tool("check_path", {"paths": ["api/two.txt:1"], "team": "api"})
    check(blocked.is_error and blocked.structured_content["outcome"] == "blocked", "a generated file is blocked", blocked)
    check("megafiles/api.yaml:13" in blocked.content[0].text, "check_path names the line to edit", blocked.content)
    free = await client.call_tool("check_path", {"paths": ["web/mine.txt"], "team": "web"})
    check(not free.is_error, "a free file passes", free)
    review = await client.call_tool("review", {})
    check(review.structured_content == command(binary, root, "review"), "review answers what the command prints")

    prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
    check(prompts == {"team-start", "orchestrator-start"}, "prompts", prompts)
    brief = await client.get_prompt("team-start", {"team": "web"})
    check("web" in brief.messages[0].content.text, "a session can start with the brief of a team", brief)

    listed = [str(resource.uri) for resource in (await client.list_resources()).resources]
    for uri in listed:
        read = await client.read_resource(uri)
        if len(read.contents[0].text) < 100:
            raise Failed("every resource can be read", uri)
    check(len(listed) > 15, "every resource can be read", listed)


async def play(binary, mode, lie=None):
    from mcp import Client, StdioServerParameters

    with tempfile.TemporaryDirectory(prefix="megax-mcp-") as folder:
        root = Path(folder).resolve()
        (root / "megafiles").mkdir()
        (root / "megax.yaml").write_text(MANIFEST)
        write(root, MEGA_FILE)
        relay = [sys.executable, str(Path(__file__).resolve()), "--relay", lie] if lie else []
        line = [*relay, str(binary), "mcp"]
        server = StdioServerParameters(command=line[0], args=line[1:], cwd=str(root))
        async with asyncio.timeout(TIMEOUT) if hasattr(asyncio, "timeout") else Nothing():
            async with Client(server, mode=mode, read_timeout_seconds=TIMEOUT) as client:
                await session(binary, client, root)


class Nothing:
    """Before Python 3.11 there is no timeout of a block; each call has its own."""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return False


def played(binary, mode, lie=None):
    """What did not go as it must; `None` for nothing."""
    try:
        asyncio.run(play(binary, mode, lie))
        return None
    except BaseException as error:  # noqa: BLE001 - whatever ends the session is a failure of it
        if isinstance(error, KeyboardInterrupt):
            raise
        # The client wraps what happened in groups.
        while getattr(error, "exceptions", None):
            error = error.exceptions[0]
        print(f"  FAILED: {type(error).__name__}: {error}")
        return error.what if isinstance(error, Failed) else str(error)


def lie_no_error(result):
    """A finding is kept back."""
    result.update(isError=False)
    result["structuredContent"].update(outcome="done", diagnostics=[])


def lie_wrong_line(result):
    for finding in result["structuredContent"]["diagnostics"]:
        finding["line"] = 1


def lie_other_digest(result):
    result["structuredContent"]["plan"] = "f" * 64


def lie_other_tree(result):
    result["structuredContent"]["tree"] = "f" * 64


def lie_more_tools(result):
    result["tools"] += [{**result["tools"][0], "name": f"more{number}"} for number in range(TOOLS_AT_MOST)]


# Which tool's answers are falsified, how, and the step that must notice.
LIES = {
    "no-error": ("validate", lie_no_error, "a wrong mega-file is an error"),
    "wrong-line": ("validate", lie_wrong_line, "the finding names file and line"),
    "other-digest": ("plan", lie_other_digest, "the plan has a digest"),
    "stale-accepted": ("expand", lie_no_error, "a stale digest is refused"),
    "other-tree": ("expand", lie_other_tree, "what is written is what was planned"),
    "more-tools": (None, lie_more_tools, "tools"),
}


def relay(lie, line):
    """Passes messages on, and falsifies some answers."""
    tool, falsify, _ = LIES[lie]
    server = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    concerned = set()

    def requests():
        for message in sys.stdin.buffer:
            asked = json.loads(message)
            called = asked.get("params", {}).get("name") if asked.get("method") == "tools/call" else None
            if called == tool and asked.get("method") == ("tools/call" if tool else "tools/list"):
                concerned.add(asked["id"])
            server.stdin.write(message)
            server.stdin.flush()
        server.stdin.close()

    threading.Thread(target=requests, daemon=True).start()
    for message in server.stdout:
        answer = json.loads(message)
        if answer.get("id") in concerned and ("tools" in answer.get("result", {}) or answer["result"].get("structuredContent")):
            falsify(answer["result"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return server.wait()


def main():
    if sys.argv[1:2] == ["--relay"]:
        sys.exit(relay(sys.argv[2], sys.argv[3:]))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--broken", choices=sorted(LIES), help="only this lie; must fail")
    args = parser.parse_args()
    binary = args.binary.resolve()
    in_environment(binary)
    if args.broken:
        sys.exit(0 if played(binary, MODES[0], args.broken) is None else 1)
    for mode in MODES:
        print(f"session, {mode}")
        if played(binary, mode) is not None:
            sys.exit(1)
    for lie, (_, _, noticed_by) in LIES.items():
        print(f"lie: {lie}")
        found = played(binary, MODES[0], lie)
        if found != noticed_by:
            print(f"the lie {lie} was to be noticed by `{noticed_by}`, not `{found}`: this rig proves nothing", file=sys.stderr)
            sys.exit(1)
    print(f"{len(MODES)} sessions, and {len(LIES)} lies noticed")


if __name__ == "__main__":
    main()
