//! Names with a dash, which the engine reads as a difference: keys of a mapping, and filters of other tools.

use std::ops::Range;

use super::lexer;
use super::mends::{self, Mend};

/// `contributions.api-routes` is `contributions.api` minus `routes`: how to write the key of which `range` is the end.
pub(super) fn key(text: &str, range: &Range<usize>) -> Option<String> {
    let is_part = |c: char| c == '-' || c == '.' || lexer::is_name_part(c);
    let start = text[..range.start].char_indices().rev().take_while(|(_, c)| is_part(*c)).last()?.0;
    let end = text[range.end..].find(|c: char| !is_part(c)).map_or(text.len(), |end| range.end + end);
    let (above, key) = text[start..end].rsplit_once('.')?;
    let is_dashed = key.contains('-') && !key.starts_with('-') && !key.ends_with('-') && !above.contains('-');
    is_dashed.then(|| format!("`{above}[\"{key}\"]`"))
}

/// `x | kebab-case`, where the name at `range` is a word after the first dash: the whole, and the filter that is meant.
pub(super) fn filter(text: &str, range: &Range<usize>) -> Option<Mend> {
    let is_part = |c: char| c == '-' || lexer::is_name_part(c);
    let before = text.get(..range.start)?;
    let len: usize = before.chars().rev().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
    let start = before.len() - len;
    let end = text[range.end..].find(|c: char| !is_part(c)).map_or(text.len(), |end| range.end + end);
    let is_filter = before[..start].trim_end().ends_with('|');
    let word = text.get(start..end).filter(|word| is_filter && word.contains('-') && !word.ends_with('-'))?;
    Some((start..end, mends::spelling(&word.replace('-', "_"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_in_the_name_of_a_filter_is_read_as_one_word() {
        let mended = |text: &str| {
            let (range, new) = filter(text, &(text.len() - 4..text.len()))?;
            Some([&text[..range.start], &new].concat())
        };
        assert_eq!(mended("a | kebab-case").as_deref(), Some("a | kebab"));
        assert_eq!(mended("a|screaming-snake-case").as_deref(), Some("a|screaming_snake"));
        assert_eq!(mended("a - case"), None);
        assert_eq!(mended("a|length-case"), None, "that may be a difference");
    }
}
