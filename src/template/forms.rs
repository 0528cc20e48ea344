//! Spellings of a value: case forms and plurals. Pure functions of text.
//!
//! A value that already has the wanted form is returned as it is, so that `SEOReport` survives [`pascal`]. Word
//! splitting is `heck`'s; plurals are `pluralizer`'s with a table of exceptions, applied to the last word only.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToTitleCase, ToUpperCamelCase};

use super::nouns;

/// A derived spelling that a placeholder can ask for by its own spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{Entity}`.
    Pascal,
    /// `{ENTITY}`.
    Screaming,
    /// `{entities}`.
    Plural,
    /// `{Entities}`.
    PascalPlural,
}

impl Form {
    /// All forms, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Pascal, Self::Screaming, Self::Plural, Self::PascalPlural];

    /// The form of a value. `plural` overrides the inflector.
    #[must_use]
    pub fn of(self, value: &str, plural_override: Option<&str>) -> String {
        let many = || plural_override.map_or_else(|| plural(value), str::to_owned);
        match self {
            Self::Pascal => pascal(value),
            Self::Screaming => screaming_snake(value),
            Self::Plural => many(),
            Self::PascalPlural => pascal(&many()),
        }
    }

    /// How a placeholder for the variable `name` is spelled in this form.
    #[must_use]
    pub fn spelling(self, name: &str) -> String {
        self.of(name, None)
    }
}

fn is_shape(text: &str, first: impl Fn(char) -> bool, rest: impl Fn(char) -> bool) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(first) && chars.all(rest)
}

/// `UserProfile`.
#[must_use]
pub fn pascal(text: &str) -> String {
    if is_shape(text, char::is_uppercase, char::is_alphanumeric) {
        return text.to_owned();
    }
    text.to_upper_camel_case()
}

/// `userProfile`.
#[must_use]
pub fn camel(text: &str) -> String {
    if is_shape(text, char::is_lowercase, char::is_alphanumeric) {
        return text.to_owned();
    }
    text.to_lower_camel_case()
}

/// `user_profile`.
#[must_use]
pub fn snake(text: &str) -> String {
    if is_shape(text, char::is_lowercase, |c| c == '_' || c.is_lowercase() || c.is_numeric()) {
        return text.to_owned();
    }
    text.to_snake_case()
}

/// `user-profile`.
#[must_use]
pub fn kebab(text: &str) -> String {
    if is_shape(text, char::is_lowercase, |c| c == '-' || c.is_lowercase() || c.is_numeric()) {
        return text.to_owned();
    }
    text.to_kebab_case()
}

/// `USER_PROFILE`.
#[must_use]
pub fn screaming_snake(text: &str) -> String {
    if is_shape(text, char::is_uppercase, |c| c == '_' || c.is_uppercase() || c.is_numeric()) {
        return text.to_owned();
    }
    text.to_shouty_snake_case()
}

/// `User Profile`.
#[must_use]
pub fn title(text: &str) -> String {
    text.to_title_case()
}

/// What the inflector gets wrong, or spells in a way that no code base uses: singular, plural.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("axis", "axes"),
    ("cache", "caches"),
    ("data", "data"),
    ("feedback", "feedback"),
    ("lens", "lenses"),
    ("metadata", "metadata"),
    ("os", "oses"),
    ("schema", "schemas"),
    ("sms", "sms"),
    ("species", "species"),
    ("status", "statuses"),
    ("virus", "viruses"),
];

/// The plural of the last word; a plural stays as it is.
#[must_use]
pub fn plural(text: &str) -> String {
    inflect(text, |word| match known(word) {
        Some((_, many)) => many,
        None => pluralizer::pluralize(word, 2, false),
    })
}

/// The singular of the last word; a singular stays as it is.
#[must_use]
pub fn singular(text: &str) -> String {
    inflect(text, |word| match known(word) {
        Some((one, _)) => one,
        None => pluralizer::pluralize(word, 1, false),
    })
}

/// The singular and the plural of a word that needs no inflector.
fn known(word: &str) -> Option<(String, String)> {
    let exception = EXCEPTIONS.iter().find(|(one, many)| *one == word || *many == word);
    exception.map(|(one, many)| ((*one).to_owned(), (*many).to_owned())).or_else(|| nouns::find(word))
}

/// Acronyms that are written in capitals wherever they stand, and take an ending in lower case: `APIs`. A table, because
/// `USER` and `ROLE` look the same and are words that somebody shouts.
const ACRONYMS: &[&str] = &[
    "ACL", "API", "CLI", "CPU", "CSV", "DAO", "DNS", "DTO", "FAQ", "GPU", "ID", "IDE", "JWT", "KPI", "PDF", "PR",
    "RPC", "SDK", "SKU", "SMS", "SQL", "UI", "URI", "URL", "VAT", "VM",
];

/// Whether the last word of a text, all in capitals, is an acronym and no shouting: it is a known one, or it is short
/// and ends a text in camel case. In `USER_ID` everything shouts.
fn is_acronym(head: &str, word: &str) -> bool {
    let camel = head.ends_with(char::is_lowercase) && word.chars().count() <= 4;
    !head.contains(['_', '-']) && (camel || ACRONYMS.contains(&word))
}

/// Applies `change` to the last word in lower case and puts the letters' case back.
fn inflect(text: &str, change: impl Fn(&str) -> String) -> String {
    let start = last_word(text);
    let (head, word) = text.split_at(start);
    if word.is_empty() || !word.chars().all(char::is_alphabetic) {
        return text.to_owned();
    }
    let lower = word.to_lowercase();
    let changed = change(&lower);
    let capitals = word.chars().count() > 1 && word.chars().all(char::is_uppercase);
    let shouting = capitals && !is_acronym(head, word);
    // The common beginning keeps the writer's own capitals; what the inflection added follows the word's style.
    let kept = lower.chars().zip(changed.chars()).take_while(|(a, b)| a == b).count();
    let mut out: String = head.chars().chain(word.chars().take(kept)).collect();
    for c in changed.chars().skip(kept) {
        if shouting { out.extend(c.to_uppercase()) } else { out.push(c) }
    }
    out
}

/// The byte at which the last word of `userProfile`, `user_profile`, `USER-PROFILE` or `user profile` begins.
fn last_word(text: &str) -> usize {
    let mut start = 0;
    let mut previous = None;
    for (at, c) in text.char_indices() {
        if !c.is_alphanumeric() {
            start = at + c.len_utf8();
        } else if c.is_uppercase() && previous.is_some_and(char::is_lowercase) {
            start = at;
        }
        previous = Some(c);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_have_the_form_stay() {
        for (text, want) in
            [("SEOReport", "SEOReport"), ("users", "Users"), ("order_item", "OrderItem"), ("APIKey", "APIKey")]
        {
            assert_eq!(pascal(text), want);
        }
        assert_eq!(camel("SEOReport"), "seoReport");
        assert_eq!(snake("sha256_hash"), "sha256_hash");
        assert_eq!(pascal("sha256_hash"), "Sha256Hash");
        assert_eq!(kebab("UserProfile"), "user-profile");
        assert_eq!(screaming_snake("userProfile"), "USER_PROFILE");
        assert_eq!(screaming_snake("SEO_REPORT"), "SEO_REPORT");
        assert_eq!(title("user_profile"), "User Profile");
    }

    #[test]
    fn plurals_touch_the_last_word_only_and_keep_its_case() {
        for (one, many) in [
            ("user", "users"),
            ("UserCategory", "UserCategories"),
            ("order_item", "order_items"),
            ("schema", "schemas"),
            ("POLICY", "POLICIES"),
            ("ORDER_ITEM", "ORDER_ITEMS"),
            ("USER_ID", "USER_IDS"),
            ("USER", "USERS"),
            ("ROLE", "ROLES"),
            ("ITEM", "ITEMS"),
            ("API", "APIs"),
            ("APIs", "APIs"),
            ("URL", "URLs"),
            ("userURL", "userURLs"),
            ("userID", "userIDs"),
            ("userXYZ", "userXYZs"),
            ("public API", "public APIs"),
            ("DTO", "DTOs"),
            ("UI", "UIs"),
            ("SMS", "SMS"),
            ("Person", "People"),
            ("status", "statuses"),
            ("users", "users"),
            ("data", "data"),
            ("person", "people"),
            ("sha256", "sha256"),
            ("", ""),
            ("virus", "viruses"),
            ("lens", "lenses"),
        ] {
            assert_eq!(plural(one), many, "plural of {one}");
        }
        for (many, one) in [
            ("categories", "category"),
            ("caches", "cache"),
            ("UserProfiles", "UserProfile"),
            ("data", "data"),
            ("axes", "axis"),
            ("APIs", "API"),
            ("userURLs", "userURL"),
        ] {
            assert_eq!(singular(many), one, "singular of {many}");
        }
    }

    #[test]
    fn forms_spell_the_placeholder_as_they_spell_the_value() {
        let spelled = |name: &str| Form::ALL.map(|form| form.spelling(name));
        assert_eq!(spelled("entity"), ["Entity", "ENTITY", "entities", "Entities"]);
        assert_eq!(spelled("user_profile"), ["UserProfile", "USER_PROFILE", "user_profiles", "UserProfiles"]);
        assert_eq!(Form::Plural.of("staff", Some("crew")), "crew");
        assert_eq!(Form::PascalPlural.of("staff", Some("crew")), "Crew");
    }
}
