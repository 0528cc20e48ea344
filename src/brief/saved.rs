//! Briefs that are kept as files. The first line says that megax wrote the file, so that it may be written again; nothing
//! else is ever replaced. Pure.

/// The first line of a brief that megax wrote.
pub const MARKER: &str =
    "<!-- Written by `megax brief --all`, and written again by it: change templates/brief/ instead. -->";

/// The name of the orchestrator's file.
pub const ORCHESTRATOR: &str = "orchestrator.md";

/// The name of a team's file.
#[must_use]
pub fn file_name(team: &str) -> String {
    let name = format!("{team}.md");
    // A team may have the orchestrator's name.
    if name == ORCHESTRATOR { format!("team-{name}") } else { name }
}

/// The text of the file.
#[must_use]
pub fn file_text(brief: &str) -> String {
    format!("{MARKER}\n{brief}")
}

/// Whether megax wrote a file: by its first line, whatever follows.
#[must_use]
pub fn is_own(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(MARKER.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_the_marker_is_our_own() {
        assert!(is_own(file_text("# Team").as_bytes()));
        assert!(is_own(file_text("# Team").replace('\n', "\r\n").as_bytes()));
        assert!(is_own(MARKER.as_bytes()));
        for text in ["", "# Team\n", &format!(" {MARKER}\n"), &format!("{MARKER} mine\n")] {
            assert!(!is_own(text.as_bytes()), "{text}");
        }
        assert_ne!(file_name("orchestrator"), ORCHESTRATOR);
    }
}
