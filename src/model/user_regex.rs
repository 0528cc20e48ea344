//! Regular expressions that users write inside mega-files: in schemas and in tests of generated files.
//!
//! The engine takes time linear in the text, whatever the expression says; its size has a limit.

use regex::{Error, Regex, RegexBuilder};

/// Most bytes of one compiled expression.
pub const MAX_BYTES: usize = 1 << 20;

/// What to do about an expression that cannot be used.
pub const HELP: &str = "the syntax is that of Rust's regex crate: no look-around, no back-references; put it in single \
                        quotes";

/// Compiles an expression; with `lines`, `^` and `$` match at every line.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn compile(text: &str, lines: bool) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).multi_line(lines).size_limit(MAX_BYTES).dfa_size_limit(MAX_BYTES).build();
    built.map_err(|error| match error {
        Error::CompiledTooBig(limit) => format!("it needs more than {limit} bytes when compiled"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_fits_one_line() {
        assert_eq!(compile("a(b", false).unwrap_err(), "unclosed group");
        assert!(compile("(?=a)", false).unwrap_err().contains("look-around"));
        assert!(compile(r"(\w{100}){100}{100}", false).unwrap_err().contains("bytes"));
        assert!(compile("^b$", true).unwrap().is_match("a\nb\nc"));
    }
}
