//! Lines that no client should send, too many of them, and the end.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{RIGHT, SOON, Session, project, text_of};
use crate::folder;

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
            refused.push(number)
        } else {
            done.push(number)
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

#[test]
fn a_render_that_takes_too_long_is_given_up_and_the_server_goes_on() {
    // In steps it ends after a while; in seconds it may take one.
    let slow = RIGHT
        .replace("This is {item}.", "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}");
    let (_keep, root) = project(&slow);
    let limits = "limits: { render_seconds: 1, render_steps: 6000000, rounds: 50000000 }\n";
    let manifest = fs::read_to_string(root.join("megax.yaml")).unwrap();
    fs::write(root.join("megax.yaml"), limits.to_owned() + &manifest).unwrap();
    let mut session = Session::begin(&root, &[]);
    let stuck = session.call("validate", &json!({}));
    assert!(text_of(&stuck).contains("`render_seconds` is 1"), "{stuck}");
    assert_eq!(stuck["structuredContent"]["outcome"], "wrong");
    super::write(&root, RIGHT);
    let begun = Instant::now();
    let mut refused = 0;
    loop {
        let result = session.call("validate", &json!({}));
        if result["isError"] == false {
            break;
        }
        refused += 1;
        assert!(text_of(&result).contains("it still goes on"), "{result}");
        assert!(begun.elapsed() < SOON, "it never ends");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(refused > 0, "the render that was given up still went on");
    assert!(session.end().status.success());
}
