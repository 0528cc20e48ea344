//! The entry of megax in an agent's settings file: found, added, brought up to date, taken out. Text in, text out; the order
//! of keys is kept, blanks and line breaks are not. An entry is megax's own if its command ends in `guard --hook NAME`.

use serde_json::{Map, Value, json};

use super::Agent;

/// How a settings file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has the entry, with this very command.
    Current,
    /// It has the entry with another command.
    Stale,
    /// It has no entry of megax.
    Without,
}

/// The end of the command by which an entry is known.
pub fn mark(agent: Agent) -> String {
    format!(" guard --hook {}", agent.name())
}

/// The command of a hook.
pub fn command(agent: Agent, megax: &str) -> String {
    format!("{}{}", super::shell_word(megax), mark(agent))
}

/// The entry that is added to the list of the event.
pub fn entry(agent: Agent, command: &str) -> Value {
    json!({ "matcher": agent.tools().join("|"), "hooks": [{ "type": "command", "command": command }] })
}

/// A settings file with nothing else.
pub fn fresh(agent: Agent, command: &str) -> String {
    let mut events = Map::new();
    events.insert(agent.event().to_owned(), json!([entry(agent, command)]));
    print(&json!({ "hooks": events }))
}

fn print(value: &Value) -> String {
    format!("{value:#}\n")
}

/// What a settings file has of megax, and the command in it. Without a command that it must have, any will do: people put
/// something before it (`MEGAX_TEAM=beta megax ...`).
///
/// # Errors
/// Why the text cannot be understood, as a clause.
pub fn look(agent: Agent, text: &str, command: Option<&str>) -> Result<(Found, Option<String>), String> {
    let root = parse(agent, text)?;
    let (mut found, mut first) = (Found::Without, None);
    for entry in list(agent, &root) {
        for own in commands(entry).filter(|one| one.ends_with(&mark(agent))) {
            // The tools of an older version may be fewer.
            let is_whole = entry.get("matcher") == self::entry(agent, own).get("matcher");
            let is_it = is_whole && command.is_none_or(|command| command == own) && first.is_none();
            found = if is_it { Found::Current } else { Found::Stale };
            first.get_or_insert_with(|| own.to_owned());
        }
    }
    Ok((found, first))
}

/// The text with the entry: brought up to date where it stands, with whatever else it has, else at the end of the list.
///
/// # Errors
/// As [`look`].
pub fn with_entry(agent: Agent, text: &str, command: &str) -> Result<String, String> {
    let mut root = parse(agent, text)?;
    let wrong = || "its `hooks` have another form".to_owned();
    let top = root.as_object_mut().ok_or_else(wrong)?;
    let events = top.entry("hooks").or_insert_with(|| json!({})).as_object_mut().ok_or_else(wrong)?;
    let list = events.entry(agent.event()).or_insert_with(|| json!([])).as_array_mut().ok_or_else(wrong)?;
    let fresh = entry(agent, command);
    let (mut is_placed, mut moved) = (false, None);
    list.retain_mut(|entry| {
        let Some(hooks) = entry.get_mut("hooks").and_then(Value::as_array_mut) else { return true };
        let (before, is_alone) = (hooks.len(), hooks.iter().all(|hook| is_own(agent, hook)));
        let mut is_here = false;
        hooks.retain_mut(|hook| {
            if !is_own(agent, hook) {
                return true;
            }
            if is_placed || moved.is_some() {
                return false;
            }
            if let Some(hook) = hook.as_object_mut() {
                hook.insert("command".to_owned(), command.into());
            }
            (is_placed, is_here) = (is_alone, is_alone);
            // The matcher beside it is also that of somebody else's hooks.
            moved = (!is_alone).then(|| hook.take());
            is_alone
        });
        let is_kept = hooks.len() == before || !hooks.is_empty();
        if let (true, Some(entry), Some(matcher)) = (is_here, entry.as_object_mut(), fresh.get("matcher")) {
            entry.insert("matcher".to_owned(), matcher.clone());
        }
        is_kept
    });
    if !is_placed {
        let mut entry = fresh;
        if let (Some(hook), Some(entry)) = (moved, entry.as_object_mut()) {
            entry.insert("hooks".to_owned(), json!([hook]));
        }
        list.push(entry);
    }
    Ok(print(&root))
}

fn is_own(agent: Agent, hook: &Value) -> bool {
    hook.get("command").and_then(Value::as_str).is_some_and(|text| text.ends_with(&mark(agent)))
}

/// The text without the entry; `None` if nothing else is in it.
///
/// # Errors
/// As [`look`].
pub fn without_entry(agent: Agent, text: &str) -> Result<Option<String>, String> {
    let mut root = parse(agent, text)?;
    let Some(events) = root.get_mut("hooks").and_then(Value::as_object_mut) else { return Ok(Some(text.to_owned())) };
    let Some(list) = events.get_mut(agent.event()).and_then(Value::as_array_mut) else {
        return Ok(Some(text.to_owned()));
    };
    let mut is_changed = false;
    list.retain_mut(|entry| {
        let Some(hooks) = entry.get_mut("hooks").and_then(Value::as_array_mut) else { return true };
        let before = hooks.len();
        hooks.retain(|hook| !is_own(agent, hook));
        is_changed |= hooks.len() != before;
        hooks.len() == before || !hooks.is_empty()
    });
    if !is_changed {
        return Ok(Some(text.to_owned()));
    }
    if list.is_empty() {
        events.shift_remove(agent.event());
    }
    let is_empty = events.is_empty();
    if let (true, Some(top)) = (is_empty, root.as_object_mut()) {
        top.shift_remove("hooks");
    }
    Ok(root.as_object().is_some_and(|top| !top.is_empty()).then(|| print(&root)))
}

fn parse(agent: Agent, text: &str) -> Result<Value, String> {
    let root: Value = serde_json::from_str(text).map_err(|error| format!("it is not valid JSON ({error})"))?;
    super::strict::check(text)?;
    let top = root.as_object().ok_or("it holds no JSON object")?;
    let hooks = top.get("hooks");
    let list = hooks.and_then(|hooks| hooks.get(agent.event()));
    if hooks.is_some_and(|hooks| !hooks.is_object()) || list.is_some_and(|list| !list.is_array()) {
        return Err("its `hooks` have another form".to_owned());
    }
    Ok(root)
}

fn list(agent: Agent, root: &Value) -> impl Iterator<Item = &Value> {
    root.get("hooks").and_then(|hooks| hooks.get(agent.event())?.as_array()).into_iter().flatten()
}

fn commands(entry: &Value) -> impl Iterator<Item = &str> {
    let hooks = entry.get("hooks").and_then(Value::as_array).into_iter().flatten();
    hooks.filter_map(|hook| hook.get("command")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = r#"{"z": 1, "hooks": {"Stop": [], "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "mine"}]}]}, "a": [true]}"#;

    #[test]
    fn the_entry_is_added_found_changed_and_taken_out_and_the_rest_stays_in_order() {
        let agent = Agent::Claude;
        let (own, other) = (command(agent, "megax"), command(agent, "/opt/my megax"));
        assert_eq!(
            (own.as_str(), other.as_str()),
            ("megax guard --hook claude", "'/opt/my megax' guard --hook claude")
        );
        assert_eq!(look(agent, THEIRS, None), Ok((Found::Without, None)));
        let with = with_entry(agent, THEIRS, &own).unwrap();
        assert_eq!(look(agent, &with, None), Ok((Found::Current, Some(own.clone()))));
        assert_eq!(look(agent, &with, Some(&other)), Ok((Found::Stale, Some(own.clone()))));
        let custom = with.replace("megax guard", "MEGAX_TEAM=beta megax guard");
        assert_eq!(look(agent, &custom, None).unwrap().0, Found::Current, "people may put something before it");
        let older = with.replace("Edit|MultiEdit", "Edit");
        assert_eq!(look(agent, &older, None).unwrap().0, Found::Stale, "its tools are fewer");
        let keys =
            |text: &str| -> Vec<usize> { ["\"z\"", "Stop", "mine", "\"a\""].map(|key| text.find(key).unwrap()).into() };
        assert!(keys(&with).is_sorted(), "{with}");
        let moved = with_entry(agent, &with, &other).unwrap();
        assert_eq!(look(agent, &moved, Some(&other)).unwrap().0, Found::Current);
        assert_eq!(moved.matches("guard --hook").count(), 1, "{moved}");
        let out = without_entry(agent, &moved).unwrap().unwrap();
        let (out, theirs): (Value, Value) =
            (serde_json::from_str(&out).unwrap(), serde_json::from_str(THEIRS).unwrap());
        assert_eq!(out.to_string(), theirs.to_string());
    }

    #[test]
    fn a_file_of_megax_alone_is_nothing_without_the_entry() {
        for agent in Agent::ALL {
            let own = command(agent, "megax");
            let text = fresh(agent, &own);
            assert_eq!(look(agent, &text, Some(&own)).unwrap().0, Found::Current, "{text}");
            assert_eq!(without_entry(agent, &text), Ok(None));
            let others = Agent::ALL.iter().filter(|other| **other != agent);
            assert!(others.clone().all(|other| look(*other, &text, None) == Ok((Found::Without, None))));
        }
        assert_eq!(without_entry(Agent::Claude, "{ }"), Ok(Some("{ }".to_owned())), "to the byte");
    }

    #[test]
    fn an_update_keeps_what_else_the_entry_has() {
        let agent = Agent::Claude;
        let own = r#"{"type": "command", "command": "old guard --hook claude", "timeout": 30}"#;
        let alone =
            format!(r#"{{"hooks": {{"PreToolUse": [{{"matcher": "Edit", "x": 1, "hooks": [{own}]}}, {{"y": 2}}]}}}}"#);
        let new: Value = serde_json::from_str(&with_entry(agent, &alone, "new guard --hook claude").unwrap()).unwrap();
        let whole = alone.replace("old", "new").replace("\"Edit\"", &entry(agent, "")["matcher"].to_string());
        assert_eq!(new.to_string(), serde_json::from_str::<Value>(&whole).unwrap().to_string());
        let mixed = alone.replace(own, &format!("{{\"command\": \"mine\"}}, {own}"));
        let new: Value = serde_json::from_str(&with_entry(agent, &mixed, "new guard --hook claude").unwrap()).unwrap();
        let list = &new["hooks"]["PreToolUse"];
        assert_eq!((&list[0]["matcher"], list[0]["hooks"].as_array().unwrap().len()), (&json!("Edit"), 1), "theirs");
        assert_eq!(list[2]["hooks"][0]["timeout"], json!(30));
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for text in [
            "",
            "[]",
            "{\"hooks\": []}",
            "{\"hooks\": {\"PreToolUse\": {}}}",
            "// x\n{}",
            "{\"a\": 1, \"a\": 2}",
            "{\"a\": 1.0e2}",
        ] {
            assert!(look(Agent::Claude, text, None).is_err(), "{text}");
            assert!(with_entry(Agent::Claude, text, "x").is_err(), "{text}");
            assert!(without_entry(Agent::Claude, text).is_err(), "{text}");
        }
    }
}
