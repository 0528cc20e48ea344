//! `megax mcp`, spoken to line by line as a client does: what it answers is what the commands print, nothing is written but
//! under the digest of a plan, and no line ends it.

mod robust;
mod session;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use crate::properties::temporary;
use crate::steps::megax;

/// The longest time until an answer.
const SOON: Duration = Duration::from_secs(120);

/// A mega-file that is right.
const RIGHT: &str = "\
id: mega-api-001
team: api
generator:
  rules:
    - for_each: \"data.items\"
      as: item
      generate:
        - body: \"api/{item}.txt\"
data:
  items: [one, two, three]
templates:
  body: |
    This is {item}.
";

/// A server, and what it says.
struct Session {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    number: u64,
}

impl Session {
    /// A server that is not spoken to yet.
    fn silent(root: &Path, args: &[&str]) -> Self {
        let mut command = megax(root, root);
        command.arg("mcp").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { break };
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, input, lines, number: 0 }
    }

    /// A session that has begun.
    fn begin(root: &Path, args: &[&str]) -> Self {
        let mut session = Self::silent(root, args);
        let client = json!({ "name": "test", "version": "1" });
        let asked = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        let answer = session.ask("initialize", &asked);
        assert_eq!(answer["result"]["serverInfo"]["name"], "megax");
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        session
    }

    fn send(&mut self, line: &str) {
        self.send_bytes(line.as_bytes());
    }

    fn send_bytes(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).and_then(|()| input.write_all(b"\n")).and_then(|()| input.flush()).unwrap();
    }

    /// Sends a request without waiting; its number.
    fn request(&mut self, method: &str, params: &Value) -> u64 {
        self.number += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.number, "method": method, "params": params });
        self.send(&request.to_string());
        self.number
    }

    /// The next line: nothing but the protocol.
    fn next(&mut self) -> Value {
        let line = self.lines.recv_timeout(SOON).expect("an answer in time");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let number = self.request(method, params);
        let answer = self.next();
        assert_eq!(answer["id"], number, "{answer}");
        answer
    }

    /// The result of a tool.
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// Closes stdin and waits for the end.
    fn end(mut self) -> Output {
        drop(self.input.take());
        while self.lines.recv_timeout(SOON).is_ok() {}
        let mut stderr = Vec::new();
        self.child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        Output { status: self.child.wait().unwrap(), stdout: Vec::new(), stderr }
    }
}

fn text_of(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

/// Two teams, and a mega-file of the first.
fn project(mega_file: &str) -> (tempfile::TempDir, PathBuf) {
    let (keep, root) = temporary();
    let manifest = "teams:\n  api: { output: [\"api/\"] }\n  web: { output: [\"web/\"] }\n";
    fs::create_dir_all(root.join("megafiles")).unwrap();
    fs::write(root.join("megax.yaml"), manifest).unwrap();
    write(&root, mega_file);
    (keep, root)
}

fn write(root: &Path, mega_file: &str) {
    fs::write(root.join("megafiles/api.yaml"), mega_file).unwrap();
}

/// What a command prints with `--format json`.
fn command(root: &Path, args: &[&str]) -> Value {
    let output = megax(root, root).args(args).args(["--format", "json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"))
}
