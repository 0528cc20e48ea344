//! What an agent hands to a hook on stdin: which files its tool is about to edit. Hostile text; nothing is looked up.
//!
//! A tool that is known to edit, but names no file, is an error, and so is what is no JSON: whoever asks must refuse the
//! edit then. A guard that lets through what it does not understand would be gone, without anybody noticing, on the day that
//! an agent changes its form. Any other tool is not megax's business.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::Agent;
use crate::pipeline::{Edit, InCommit};

/// Most bytes that are read from a hook's stdin; a tool that writes a file hands its whole text over.
pub const MAX_BYTES: usize = 64 << 20;
/// Most files in one call of a tool, or in one commit.
pub const MAX_FILES: usize = 100_000;

/// Most bytes of a path; no system opens a longer one.
pub const MAX_PATH: usize = 4096;

/// The keys under which tools name a file.
const PATH_KEYS: [&str; 3] = ["file_path", "notebook_path", "path"];
/// What stands before the paths of a patch.
const PATCH_MARKS: [&str; 4] = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];

/// What is about to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookInput {
    /// The folder that relative paths start from, if it is named.
    pub current: Option<PathBuf>,
    /// The edits; none for a tool that edits no file.
    pub edits: Vec<Edit>,
}

/// Understands a hook's stdin.
///
/// # Errors
/// Why it cannot be understood, as a clause.
pub fn parse(agent: Agent, bytes: &[u8]) -> Result<HookInput, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON ({error})"))?;
    let object = value.as_object().ok_or("it is no JSON object")?;
    let tool = object.get("tool_name").and_then(Value::as_str).ok_or("it names no `tool_name`")?;
    let current = object.get("cwd").and_then(Value::as_str).filter(|cwd| !cwd.is_empty()).map(PathBuf::from);
    let none = Map::new();
    let input = object.get("tool_input").and_then(Value::as_object).unwrap_or(&none);
    if !agent.tools().contains(&tool) {
        return Ok(HookInput { current, edits: Vec::new() });
    }
    let mut edits: Vec<Edit> = PATH_KEYS
        .iter()
        .filter_map(|key| input.get(*key)?.as_str())
        .filter(|path| !path.is_empty())
        .map(|path| Edit { path: path.to_owned(), fragment: fragment(input), ..Edit::default() })
        .collect();
    let patch = ["command", "input", "patch"].iter().filter_map(|key| input.get(*key)?.as_str());
    edits.extend(patch.flat_map(patched));
    if edits.is_empty() {
        return Err(format!("the tool `{tool}` names no file"));
    }
    Ok(HookInput { current, edits: bounded(edits)? })
}

fn bounded(edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    if edits.len() > MAX_FILES {
        return Err(format!("it names more than {MAX_FILES} files"));
    }
    if edits.iter().any(|edit| edit.path.len() > MAX_PATH) {
        return Err(format!("it names a path of more than {MAX_PATH} bytes"));
    }
    Ok(edits)
}

/// The text that an edit changes: `old_string`, or that of the first of several edits.
fn fragment(input: &Map<String, Value>) -> Option<String> {
    let first = || input.get("edits")?.as_array()?.first()?.get("old_string");
    let text = input.get("old_string").or_else(first)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The files of a patch, each with the first line that is taken from it.
fn patched(patch: &str) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    for line in patch.lines() {
        // A mark with blanks before it is one for some; better to ask about a file too many.
        if let Some(path) = PATCH_MARKS.iter().find_map(|mark| line.trim_start().strip_prefix(mark)) {
            edits.push(Edit { path: path.trim().to_owned(), ..Edit::default() });
        } else if let (Some(edit), Some(taken)) = (edits.last_mut(), line.strip_prefix('-'))
            && edit.fragment.is_none()
            && !taken.trim().is_empty()
        {
            edit.fragment = Some(taken.to_owned());
        }
    }
    edits
}

/// The files of a commit, as `git status --porcelain=v1 --branch -z` lists them. What is not staged is passed over.
///
/// # Errors
/// Why it is no such list, as a clause. An empty one is none: git failed, and prints at least the branch otherwise.
pub fn staged(bytes: &[u8]) -> Result<Vec<Edit>, String> {
    let mut lines = bytes.split(|byte| *byte == 0).filter(|line| !line.is_empty());
    if !lines.next().is_some_and(|line| line.starts_with(b"## ")) {
        return Err("it is not what `git status --porcelain=v1 --branch -z` prints".to_owned());
    }
    let mut edits = Vec::new();
    for line in lines {
        let [index, disk, b' ', path @ ..] = line else {
            return Err(format!("`{}` is no line of `git status --porcelain=v1 -z`", String::from_utf8_lossy(line)));
        };
        let in_commit = match (*index, *disk) {
            (b' ' | b'?' | b'!', _) => continue,
            (b'D', _) => InCommit::Deleted,
            (_, b' ') => InCommit::AsOnDisk,
            _ => InCommit::Otherwise,
        };
        edits.push(Edit { path: String::from_utf8_lossy(path).into_owned(), in_commit, ..Edit::default() });
    }
    bounded(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(agent: Agent, text: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let found = parse(agent, text.as_bytes())?;
        Ok(found.edits.into_iter().map(|edit| (edit.path, edit.fragment)).collect())
    }

    #[test]
    fn every_tool_that_edits_names_its_files() {
        let one = |path: &str, fragment: Option<&str>| Ok(vec![(path.to_owned(), fragment.map(str::to_owned))]);
        let write = r#"{"cwd":"/p","tool_name":"Write","tool_input":{"file_path":"/p/a.ts","content":"x"}}"#;
        assert_eq!(edits(Agent::Claude, write), one("/p/a.ts", None));
        assert_eq!(parse(Agent::Claude, write.as_bytes()).unwrap().current, Some(PathBuf::from("/p")));
        let edit = r#"{"tool_name":"Edit","tool_input":{"file_path":"a.ts","old_string":"b","new_string":"c"}}"#;
        assert_eq!(edits(Agent::Claude, edit), one("a.ts", Some("b")));
        let many = r#"{"tool_name":"MultiEdit","tool_input":{"file_path":"a.ts","edits":[{"old_string":"b"}]}}"#;
        assert_eq!(edits(Agent::Claude, many), one("a.ts", Some("b")));
        let notebook = r#"{"tool_name":"NotebookEdit","tool_input":{"notebook_path":"n.ipynb","new_source":""}}"#;
        assert_eq!(edits(Agent::Claude, notebook), one("n.ipynb", None));
        let replace = r#"{"tool_name":"replace","tool_input":{"file_path":"a.ts","old_string":"b"}}"#;
        assert_eq!(edits(Agent::Gemini, replace), one("a.ts", Some("b")));
        let patch = "*** Begin Patch\\n*** Update File: a.ts\\n@@\\n c\\n-old\\n+new\\n*** Move to: b.ts\\n  *** Add File: c d.ts\\n+x\\n*** End Patch";
        let patch = format!(r#"{{"tool_name":"apply_patch","tool_input":{{"command":"{patch}"}}}}"#);
        let own = |path: &str, fragment: Option<&str>| (path.to_owned(), fragment.map(str::to_owned));
        let expected = vec![own("a.ts", Some("old")), own("b.ts", None), own("c d.ts", None)];
        assert_eq!(edits(Agent::Codex, &patch), Ok(expected));
    }

    #[test]
    fn what_is_no_edit_is_free_and_what_cannot_be_understood_is_an_error() {
        assert_eq!(edits(Agent::Claude, r#"{"tool_name":"Bash","tool_input":{"command":"ls"}}"#), Ok(vec![]));
        assert_eq!(
            edits(Agent::Codex, r#"{"tool_name":"Bash","tool_input":{"command":"*** Add File: x"}}"#),
            Ok(vec![])
        );
        assert_eq!(edits(Agent::Claude, r#"{"tool_name":"Read","tool_input":{"file_path":"a.ts"}}"#), Ok(vec![]));
        let long = format!(r#"{{"tool_name":"Write","tool_input":{{"file_path":"{}"}}}}"#, "d/".repeat(MAX_PATH));
        assert!(edits(Agent::Claude, &long).is_err());
        for text in [
            "",
            "[]",
            "{}",
            "nonsense",
            r#"{"tool_name":"Write"}"#,
            r#"{"tool_name":"Write","tool_input":{"file_path":7}}"#,
            r#"{"tool_name":"Edit","tool_input":{"file_path":""}}"#,
            r#"{"tool_name":1,"tool_input":{"file_path":"a"}}"#,
        ] {
            assert!(edits(Agent::Claude, text).is_err(), "{text}");
        }
        assert!(edits(Agent::Codex, r#"{"tool_name":"apply_patch","tool_input":{"command":"nothing"}}"#).is_err());
        assert!(parse(Agent::Claude, "[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn what_git_is_about_to_commit_is_told_from_what_lies_on_the_disk() {
        let found = |bytes: &[u8]| -> Result<Vec<(String, InCommit)>, String> {
            Ok(staged(bytes)?.into_iter().map(|edit| (edit.path, edit.in_commit)).collect())
        };
        assert_eq!(found(b"## No commits yet on main\0"), Ok(vec![]));
        let list = b"## main\0A  a b\0M  c\nd\0MM e\0AD f\0D  g\0 M not staged\0?? new\0T  h\0";
        let one = |path: &str, staged| (path.to_owned(), staged);
        let expected = vec![
            one("a b", InCommit::AsOnDisk),
            one("c\nd", InCommit::AsOnDisk),
            one("e", InCommit::Otherwise),
            one("f", InCommit::Otherwise),
            one("g", InCommit::Deleted),
            one("h", InCommit::AsOnDisk),
        ];
        assert_eq!(found(list), Ok(expected));
        for wrong in [&b""[..], b"a\0b\0", b"A  a\0", b"## main\0a\0", b"## main\0A"] {
            assert!(found(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        let many = [&b"## main\0"[..], &b"A  a\0".repeat(MAX_FILES + 1)].concat();
        assert!(staged(&many).is_err());
    }
}
