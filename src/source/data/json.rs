//! JSON to a tree: strict JSON, checked by the library that defines it for us, then walked for the places.
//!
//! The walk relies on the check and never recurses, so that depth is bounded by the limit alone.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{Builder, Stop};
use crate::source::tree::{Kind, NodeId, Style};

/// Reads the text of `builder`.
pub(super) fn read(builder: &mut Builder<'_>) -> Result<NodeId, Stop> {
    check(builder)?;
    let mut walk = Walk { bytes: builder.text.as_bytes(), at: 0, frames: Vec::new(), builder };
    walk.document()
}

/// Whether the text is JSON at all.
fn check(builder: &Builder<'_>) -> Result<(), Stop> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(builder.text) else { return Ok(()) };
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    let line_start = |line: usize| {
        let mut starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', builder.text.as_bytes()).map(|at| at + 1));
        starts.nth(line.saturating_sub(1)).unwrap_or(builder.text.len())
    };
    // The column is that of the last character that was read; a control character is told before it is read.
    let unread = usize::from(said.starts_with("control character"));
    let at = (line_start(error.line()) + error.column() + unread).saturating_sub(1);
    let range = builder.character(at);
    // Where the library only looks, it says something else of a comma before a closing bracket.
    let closes = matches!(&builder.text[range.clone()], "}" | "]");
    let said = if closes && builder.text[..range.start].trim_end().ends_with(',') { "trailing comma" } else { said };
    let finding = builder.wrong(&range, format!("this is not valid JSON: {said}"));
    Err(match help(builder.text, range.start, said) {
        Some(help) => Box::new(finding.help(help)),
        None => finding,
    })
}

/// What to write instead, for what people often write.
fn help(text: &str, at: usize, said: &str) -> Option<&'static str> {
    let rest = &text[at..];
    let help = if text.trim().is_empty() {
        "the file is empty; write at least `{}`"
    } else if said.starts_with("EOF") {
        "the text ends too early: close every `\"`, `]` and `}`"
    } else if said.starts_with("trailing comma") {
        "remove the comma before the closing bracket"
    } else if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        "JSON has no comments: remove them"
    } else if rest.starts_with('\'') {
        "write texts and keys in double quotes"
    } else if said.starts_with("control character") {
        "close the text with `\"` on its line, or write `\\n` for a line break"
    } else if said.starts_with("key must be a string") {
        "write the key in double quotes"
    } else if said.starts_with("trailing characters") {
        "a file holds one value: put several into a list `[...]`"
    } else if ["NaN", "Infinity", "-Infinity", "None", "True", "False", "undefined"].iter().any(|w| rest.starts_with(w))
    {
        "JSON has `null`, `true`, `false`, and no number that is infinite"
    } else {
        return None;
    };
    Some(help)
}

/// A list or mapping that is not closed.
struct Frame {
    mapping: bool,
    start: usize,
    /// The items; keys and values in turn of a mapping.
    children: Vec<NodeId>,
}

struct Walk<'b, 't> {
    bytes: &'t [u8],
    at: usize,
    frames: Vec<Frame>,
    builder: &'b mut Builder<'t>,
}

impl Walk<'_, '_> {
    fn document(&mut self) -> Result<NodeId, Stop> {
        loop {
            let Some(&byte) = self.bytes.get(self.at) else {
                // The check has seen the end of a value; only a slip of this walk comes here.
                return Err(self.builder.wrong(&(self.at..self.at), "this is not valid JSON"));
            };
            let done = match byte {
                b'{' | b'[' => {
                    self.builder.deeper(self.frames.len(), self.at)?;
                    self.frames.push(Frame { mapping: byte == b'{', start: self.at, children: Vec::new() });
                    self.at += 1;
                    None
                }
                b'}' | b']' => {
                    self.at += 1;
                    self.close()?
                }
                b'"' => Some(self.string()?),
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => {
                    self.at += 1;
                    None
                }
                _ => Some(self.word()?),
            };
            if let Some(node) = done {
                match self.frames.last_mut() {
                    Some(frame) => frame.children.push(node),
                    None => return Ok(node),
                }
            }
        }
    }

    fn close(&mut self) -> Result<Option<NodeId>, Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(None) };
        let kind = if frame.mapping {
            let (pairs, _) = frame.children.as_chunks::<2>();
            let keys: Vec<NodeId> = pairs.iter().map(|&[key, _]| key).collect();
            self.builder.repeated("key", &keys);
            Kind::Map(pairs.iter().map(|&[key, value]| (key, value)).collect())
        } else {
            Kind::List(frame.children)
        };
        self.builder.push(&(frame.start..self.at), kind).map(Some)
    }

    fn string(&mut self) -> Result<NodeId, Stop> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        while let Some(found) = memchr::memchr2(b'"', b'\\', &self.bytes[self.at.min(self.bytes.len())..]) {
            self.at += found;
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return self.text(&(start..self.at), escaped);
            }
            escaped = true;
            self.at += 2;
        }
        Err(self.builder.wrong(&(start..self.bytes.len()), "this text is never closed"))
    }

    fn text(&mut self, range: &Range<usize>, escaped: bool) -> Result<NodeId, Stop> {
        let raw = &self.builder.text[range.clone()];
        let value: Box<str> = if escaped {
            // The check passes over escapes that stand for half a character.
            serde_json::from_str::<String>(raw)
                .map_err(|_| {
                    let message = "this text holds an escape that stands for half a character";
                    let finding = self.builder.wrong(range, format!("this is not valid JSON: {message}"));
                    Box::new(finding.help("write both halves (`\\ud83d\\ude00`), or the character itself"))
                })?
                .into()
        } else {
            raw.get(1..raw.len() - 1).unwrap_or_default().into()
        };
        self.builder.push(range, Kind::Text(value, Style::Double))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<NodeId, Stop> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
        let range = self.at..self.at + length.unwrap_or(rest.len());
        self.at = range.end;
        let word = &self.builder.text[range.clone()];
        let kind = match word {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => number(word).ok_or_else(|| {
                let finding = self.builder.wrong(&range, format!("`{word}` is not a number that can be printed"));
                Box::new(finding.help(format!("write it as text, \"{word}\"")))
            })?,
        };
        self.builder.push(&range, kind)
    }
}

/// A whole number that is too long for a number keeps its digits as text.
fn number(word: &str) -> Option<Kind> {
    if word.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Some(word.parse().map_or_else(|_| Kind::Text(word.into(), Style::Plain), Kind::Int));
    }
    word.parse::<f64>().ok().filter(|value| value.is_finite()).map(Kind::Float)
}
