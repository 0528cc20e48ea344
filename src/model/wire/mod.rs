//! The documents as they are written: shapes without meaning.
//!
//! Every type decodes from a [`Tree`](crate::source::Tree) and describes itself as JSON Schema; the doc comments are
//! the descriptions that people, editors and language models read. Nothing here resolves a name, renders or lowers, and
//! no later stage sees these types: `model::build` turns them into the one meaning.

pub mod lbof;
pub mod manifest;
pub mod native;
pub mod rule;
mod scalar;
pub mod shape;

pub use lbof::LbofWire;
pub use manifest::ManifestWire;
pub use native::NativeWire;
pub use scalar::{ConditionWire, LooseText, SourcePath};

/// The pattern of ids and team names.
pub const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$";

/// Whether a text is an id or the name of a team ([`NAME_PATTERN`]).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 100
        && text.bytes().all(allowed)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The pattern of loop variables.
pub const VARIABLE_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// An enum that is written as one of a few words. `schemars` would describe it by `oneOf`, whose errors help nobody.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident as $title:literal {
        $($variant:ident = $word:literal: $help:literal,)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        pub enum $name { $(#[doc = $help] #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let about = [$($doc.trim(),)+].join("\n");
                let words = [$(concat!("`", $word, "`: ", $help),)+].join("; ");
                schemars::json_schema!({
                    "description": format!("{about}\n{words}."),
                    "type": "string",
                    "enum": [$($word,)+]
                })
            }
        }
    };
}
pub(crate) use words;
