//! Lines that no client should send, too many of them, and the end.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{RIGHT, SOON, Session, project, text_of};
#[cfg(target_os = "linux")]
use crate::confined::kernel_confines;
use crate::folder;
#[cfg(target_os = "linux")]
use crate::properties::temporary;

fn ping(session: &mut Session) {
    let answer = session.ask("ping", &json!({}));
    assert_eq!(answer["result"], json!({}), "{answer}");
}

#[test]
fn no_line_ends_the_server() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    // What is no JSON has no answer, as in the other official libraries.
    for line in [&b"no json"[..], b"{", b"\xff\xfe\x00", b"", b"   ", b"\x1b[2J\x07"] {
        session.send_bytes(line);
        ping(&mut session);
    }
    // What is JSON and no message has one.
    for line in ["{}", "[]", "{\"jsonrpc\":\"2.0\"}", "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", "7"] {
        session.send(line);
        let answer = session.next();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)), "{line}: {answer}");
        ping(&mut session);
    }
    for (method, params, code, said) in [
        ("tools/call", json!({ "name": "erase", "arguments": {} }), -32602, "the tools are validate, plan"),
        ("tools/call", json!({ "name": "validate", "arguments": { "path": "x" } }), -32602, "unknown field `path`"),
        ("tools/call", json!({ "name": "expand" }), -32602, "missing field `digest`"),
        ("tools/call", json!({}), -32602, "`name`, a text"),
        ("tools/call", json!({ "name": "validate", "arguments": [] }), -32602, "`arguments`, an object"),
        ("resources/read", json!({ "uri": 7 }), -32602, "`uri`, a text"),
        ("resources/read", json!({ "uri": "file:///etc/passwd" }), -32002, "there is nothing at"),
        ("erase", json!({}), -32601, "erase"),
    ] {
        let answer = session.ask(method, &params);
        let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{method} {params}: {answer}"));
        assert!(message.contains(said), "{answer}");
        assert_eq!(answer["error"]["code"], json!(code), "{answer}");
    }
    // A line that is too long is left out, however it is sent.
    let long = json!({ "jsonrpc": "2.0", "id": 9999, "method": "ping", "params": { "x": "y".repeat(3 << 20) } });
    session.send(&long.to_string());
    ping(&mut session);
    assert_eq!(session.call("validate", &json!({}))["isError"], false);
    let output = session.end();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("exceeded the maximum line length") && said.contains("unparsable"), "{said}");
    assert!(!said.contains("yyy") && !said.contains('\u{1b}'), "no message is shown as it came: {said}");
    assert!(folder::outputs(&root).is_empty());
}

#[test]
fn a_server_that_nobody_speaks_to_ends_and_so_does_one_that_is_spoken_to_wrongly() {
    let (_keep, root) = project(RIGHT);
    let output = Session::silent(&root, &[]).end();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let mut session = Session::silent(&root, &[]);
    session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    let output = session.end();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`initialize`"), "{output:?}");
    let mut session = Session::silent(&root, &[]);
    session.input.as_mut().unwrap().write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"met").unwrap();
    assert!(session.end().status.success(), "a line that ends in the middle");
}

#[test]
fn many_requests_at_once_are_each_answered_once_and_some_may_be_cancelled() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let asked: Vec<u64> =
        (0..80).map(|_| session.request("tools/call", &json!({ "name": "status", "arguments": {} }))).collect();
    for number in [asked[1], asked[20], 4711] {
        let params = json!({ "requestId": number, "reason": "changed my mind" });
        session.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string());
    }
    let last = session.request("tools/call", &json!({ "name": "validate", "arguments": {} }));
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    while let Ok(line) = session.lines.recv_timeout(if done.is_empty() { SOON } else { Duration::from_secs(5) }) {
        let answer: Value = serde_json::from_str(&line).unwrap();
        let number = answer["id"].as_u64().unwrap();
        assert!(asked.contains(&number) || number == last);
        if answer.get("error").is_some() {
            refused.push(number);
        } else {
            done.push(number);
        }
        if done.len() + refused.len() >= 81 {
            break;
        }
    }
    let mut all = [done.clone(), refused.clone()].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), done.len() + refused.len(), "no request is answered twice");
    assert!(all.len() >= 78, "all but the cancelled ones: {}", all.len());
    assert!(done.len() >= 30, "{} were carried out", done.len());
    let order: Vec<u64> = done.iter().copied().filter(|number| *number != last).collect();
    assert!(order.is_sorted(), "one after another: {order:?}");
    ping(&mut session);
    assert!(session.end().status.success());
}

#[test]
fn what_was_begun_when_stdin_ended_is_finished() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let digest = session.call("plan", &json!({}))["structuredContent"]["plan"].clone();
    session.request("tools/call", &json!({ "name": "expand", "arguments": { "digest": digest } }));
    assert!(session.end().status.success());
    let written = folder::outputs(&root);
    assert!(written.contains_key("api/one.txt") && written.contains_key("api/three.txt"), "{written:?}");
}

/// A project in which a render does nothing for so many steps of the engine, and may take a second.
fn slow_project(steps: u64) -> (tempfile::TempDir, std::path::PathBuf) {
    let idle = "{% for a in range(20000) %}{% for b in range(20000) %}{% endfor %}{% endfor %}";
    let (keep, root) = project(&RIGHT.replace("This is {item}.", idle));
    let limits = format!("limits: {{ render_seconds: 1, render_steps: {steps}, run_steps: {steps} }}\n");
    let manifest = fs::read_to_string(root.join("megax.yaml")).unwrap();
    fs::write(root.join("megax.yaml"), limits + &manifest).unwrap();
    (keep, root)
}

const GIVEN_UP: &str = "`render_seconds` is 1";

#[test]
fn a_render_that_takes_too_long_is_given_up_and_calls_wait_until_it_ended() {
    // So many steps that they take seconds, on a machine of any speed, and not minutes.
    let (_keep, root, mut session) = (21..31)
        .find_map(|power| {
            let (keep, root) = slow_project(1 << power);
            let mut session = Session::begin(&root, &[]);
            let result = session.call("validate", &json!({}));
            assert_eq!(result["structuredContent"]["outcome"], "wrong", "{result}");
            text_of(&result).contains(GIVEN_UP).then_some((keep, root, session))
        })
        .expect("a render that takes a second");
    super::write(&root, RIGHT);
    let begun = Instant::now();
    while session.call("validate", &json!({}))["isError"] == true {
        assert!(begun.elapsed() < SOON, "it never ends");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(session.end().status.success());
}

#[test]
fn while_a_render_goes_on_that_was_given_up_a_call_says_so_and_the_server_can_end() {
    let (_keep, root) = slow_project(2_000_000_000);
    let mut session = Session::begin(&root, &[]);
    assert!(text_of(&session.call("validate", &json!({}))).contains(GIVEN_UP));
    super::write(&root, RIGHT);
    for tool in ["validate", "plan", "status"] {
        let refused = session.call(tool, &json!({}));
        assert_eq!((&refused["isError"], refused.get("structuredContent")), (&json!(true), None));
        assert!(text_of(&refused).contains("it still goes on"), "{refused}");
    }
    ping(&mut session);
    assert!(session.end().status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn where_the_kernel_can_do_it_a_server_is_confined_to_its_project() {
    let (_keep, root) = project(RIGHT);
    let (_keep_elsewhere, elsewhere) = temporary();
    fs::write(elsewhere.join("other.yaml"), RIGHT.replace("api-001", "api-002").replace("{item}", "other-{item}"))
        .unwrap();
    let manifest = root.join("megax.yaml");
    let outside = [elsewhere.join("other.yaml").to_str().unwrap().to_owned(), "../x.yaml".to_owned()];
    for (more, confined) in [(&[][..], kernel_confines()), (&["--no-sandbox"], false)] {
        let args = [&["--manifest", manifest.to_str().unwrap()], more].concat();
        let mut session = Session::begin(&root, &args);
        assert_eq!(session.call("validate", &json!({}))["isError"], false);
        // What a client names lies in the project, with the sandbox and without it.
        for (tool, path) in ["validate", "plan"].iter().zip(&outside) {
            let result = session.call(tool, &json!({ "paths": [path] }));
            assert!(text_of(&result).contains("does not lie in the folder"), "{args:?}: {result}");
        }
        let status = fs::read_to_string(format!("/proc/{}/status", session.child.id())).unwrap();
        assert!(status.contains(&format!("NoNewPrivs:\t{}\n", u8::from(confined))), "{args:?}: {status}");
    }
}
