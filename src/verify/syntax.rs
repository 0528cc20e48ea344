//! Whether a generated file parses in its language. Only syntax is judged, by the parsers that megax has anyway.

use serde::de::IgnoredAny;

use crate::source::yaml;
use crate::span::SourceFile;

/// A language that megax can parse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Json,
    Yaml,
    Toml,
}

/// What keeps a text from parsing.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line and column, from 1, where there is a place.
    pub at: Option<(u64, u64)>,
    /// What is wrong.
    pub message: String,
}

impl Language {
    /// The language of a path, by its extension.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
        }
    }

    /// Judges a text.
    pub fn check(self, body: &[u8]) -> Result<(), Wrong> {
        let Ok(text) = std::str::from_utf8(body) else {
            return Err(Wrong { at: None, message: "it is not UTF-8 text".to_owned() });
        };
        match self {
            Self::Json => json(text),
            Self::Yaml => yaml::syntax(text)
                .map_err(|(line, column, message)| Wrong { at: Some((line.into(), column.into())), message }),
            Self::Toml => toml(text),
        }
    }
}

fn json(text: &str) -> Result<(), Wrong> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(text) else { return Ok(()) };
    let whole = error.to_string();
    let message = whole.split(" at line ").next().unwrap_or(&whole);
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim_start();
    let hint = if line.starts_with("//") || line.starts_with("/*") || line.starts_with('#') {
        " (JSON has no comments)"
    } else if message == "expected value" && before(text, error.line(), error.column()).ends_with(',') {
        " after the last comma"
    } else {
        ""
    };
    let at = (error.line().max(1) as u64, error.column().max(1) as u64);
    Err(Wrong { at: Some(at), message: format!("{message}{hint}") })
}

/// What stands before a line and column, without the blanks at its end.
fn before(text: &str, line: usize, column: usize) -> &str {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.get(..start + column.saturating_sub(1)).unwrap_or_default().trim_end()
}

fn toml(text: &str) -> Result<(), Wrong> {
    let Err(error) = text.parse::<toml::Table>() else { return Ok(()) };
    let at = error.span().map(|span| {
        let offset = u32::try_from(span.start).unwrap_or(u32::MAX);
        let position = SourceFile::new("", text).position(offset);
        (position.line.into(), position.column.into())
    });
    Err(Wrong { at, message: error.message().lines().collect::<Vec<_>>().join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str) -> Option<(u64, u64)> {
        Language::of(path).unwrap().check(text.as_bytes()).err().map(|wrong| {
            assert!(!wrong.message.is_empty());
            wrong.at.unwrap()
        })
    }

    #[test]
    fn valid_texts_pass_and_faults_have_a_place() {
        assert_eq!(check("a.json", "{\"a\": [1, 2.5e3, null]}\n"), None);
        assert_eq!(check("a.json", "{\n  \"a\": 1,\n}\n"), Some((3, 1)));
        assert_eq!(check("a.json", "{} {}"), Some((1, 4)));
        assert_eq!(check("a.json", ""), Some((1, 1)));
        assert_eq!(check("x/A.YML", "a: &x {b: !t 1}\nc:\n  <<: *x\n---\n%: 2\n"), Some((5, 1)));
        assert_eq!(
            check("a.yaml", "%YAML 1.2\n---\na: &x {b: !Ref 1}\nc:\n  <<: *x\n---\n- !<tag:x> |\n  t\n...\n"),
            None
        );
        assert_eq!(check("a.yaml", "a: [1\nb: 2\n").map(|at| at.0), Some(2));
        assert_eq!(check("a.yaml", "a: 1\na: 2\n? {x: y}\n: z\n"), None);
        assert_eq!(check("a.toml", "[a]\nb = 1979-05-27\n"), None);
        assert_eq!(check("a.toml", "[a]\nb = \n").map(|at| at.0), Some(2));
        assert_eq!(check("a.toml", "a = 1\na = 2\n").map(|at| at.0), Some(2));
        assert_eq!((Language::of("a.ts"), Language::of("json"), Language::of("a.json/b")), (None, None, None));
    }

    #[test]
    fn the_usual_slips_in_json_are_named() {
        let words = |text: &str| Language::Json.check(text.as_bytes()).unwrap_err().message;
        assert_eq!(words("{\"a\": [\n  1,\n]}"), "expected value after the last comma");
        assert_eq!(words("{\n  // no\n  \"a\": 1}"), "key must be a string (JSON has no comments)");
        assert_eq!(words("{\"a\": }"), "expected value");
    }

    #[test]
    fn hostile_texts_are_answered() {
        assert!(check("a.json", &"[".repeat(200_000)).is_some());
        assert!(check("a.yaml", &"[".repeat(200_000)).is_some());
        assert!(check("a.toml", &format!("a = {}", "[".repeat(200_000))).is_some());
        assert!(Language::Json.check(b"\xff").is_err_and(|wrong| wrong.at.is_none()));
    }
}
