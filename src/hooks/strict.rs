//! Whether a JSON text comes out of a reader and a printer as it went in, blanks and escapes aside.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Looks for what would be lost: the first of two equal keys, and digits of numbers.
///
/// # Errors
/// What would be lost, as a clause.
pub fn check(text: &str) -> Result<(), String> {
    serde_json::from_str::<Unique>(text).map_err(|error| error.to_string())?;
    let lost = numbers(text).into_iter().find(|number| {
        let read = serde_json::from_str::<Value>(number).ok();
        read.is_none_or(|value| serde_json::to_string(&value).ok().as_deref() != Some(*number))
    });
    lost.map_or(Ok(()), |number| Err(format!("the number `{number}` would be written in another form")))
}

/// The numbers of a valid text.
fn numbers(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut in_string, mut escaped) = (Vec::new(), None, false, false);
    for (at, c) in text.char_indices() {
        if in_string {
            (in_string, escaped) = (escaped || c != '"', c == '\\' && !escaped);
            continue;
        }
        let is_part = start.is_some() && matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        if start.is_none() && matches!(c, '0'..='9' | '-') {
            start = Some(at);
        } else if !is_part && let Some(start) = start.take() {
            found.extend(text.get(start..at));
        }
        in_string = c == '"';
    }
    found.extend(start.and_then(|start| text.get(start..)));
    found
}

/// Any value whose objects have no key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format!("the key `{key}` is there twice")));
            }
            map.next_value::<Self>()?;
            keys.insert(key);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_lost_is_found() {
        for text in [r#"{"a": 1, "b": [0, -2, 1.5, "1.50 \" 7e1"], "c": {"a": null}}"#, "[true]", "{}", "3"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#, "[1.50]", "[1e3]", "[-0]"] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("123456789012345678901234567890").is_err());
    }
}
