//! The ways to read a template, by their names in a mega-file.

/// Which tags a template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syntax {
    /// megax finds out; see [`super::choose`].
    #[default]
    Auto,
    /// Jinja tags and placeholders; every `{{`, `{%` and `{#` is a tag.
    Both,
    /// Jinja tags only.
    Jinja,
    /// Placeholders only.
    Placeholder,
    /// Neither: the text as it stands.
    Raw,
    /// Jinja with `[[ ]]`, `[% %]` and `[# #]`; braces are text.
    Brackets,
}

impl Syntax {
    /// All names that a mega-file can use.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("auto", Self::Auto),
        ("both", Self::Both),
        ("jinja", Self::Jinja),
        ("placeholder", Self::Placeholder),
        ("raw", Self::Raw),
        ("brackets", Self::Brackets),
    ];

    /// The name in a mega-file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(_, syntax)| *syntax == self).map_or("auto", |(name, _)| name)
    }
}
