//! TOML to a tree. Dates and times become text, as they are written.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Builder, Stop};
use crate::limit::Limit;
use crate::source::tree::{Kind, NodeId, Style};

/// Reads the text of `builder`.
pub(super) fn read(builder: &mut Builder<'_>) -> Result<NodeId, Stop> {
    let text = builder.text;
    // The parser notes every sign before it finds anything wrong; a value has one of these at least.
    let signs = memchr::memchr3_iter(b'=', b',', b'\n', text.as_bytes()).count();
    if signs > builder.limits.size(Limit::YamlNodes) {
        return Err(builder.limit(
            Limit::YamlNodes,
            "the file holds too many values",
            0,
            "split it into several sources",
        ));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let mut range = error.span().unwrap_or(0..0);
        if range.is_empty() || range.end > text.len() {
            range = builder.character(range.start);
        }
        let said = error.message();
        let finding = builder.wrong(&range, format!("this is not valid TOML: {said}"));
        match help(said) {
            Some(help) => Box::new(finding.help(help)),
            None => finding,
        }
    })?;
    let whole = 0..text.len();
    mapping(builder, table.get_ref(), &whole, 0)
}

fn help(said: &str) -> Option<&'static str> {
    if said.contains("duplicate key") {
        Some("remove one of the two, or give it another name")
    } else if said.contains("string values must be quoted") || said.contains("invalid bare") {
        Some("write texts in double quotes")
    } else {
        None
    }
}

fn mapping(builder: &mut Builder<'_>, table: &DeTable<'_>, range: &Range<usize>, depth: usize) -> Result<NodeId, Stop> {
    builder.deeper(depth, range.start)?;
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let name = builder.push(&key.span(), Kind::Text(key.get_ref().as_ref().into(), Style::Plain))?;
        entries.push((name, value_of(builder, value, depth + 1)?));
    }
    builder.push(range, Kind::Map(entries))
}

/// Recursion ends at the limit of depth.
fn value_of(builder: &mut Builder<'_>, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<NodeId, Stop> {
    let range = value.span();
    let kind = match value.get_ref() {
        DeValue::Table(table) => return mapping(builder, table, &range, depth),
        DeValue::Array(items) => {
            builder.deeper(depth, range.start)?;
            let items = items.iter().map(|item| value_of(builder, item, depth + 1));
            Kind::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::String(text) => Kind::Text(text.as_ref().into(), Style::Double),
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Datetime(_) => Kind::Text(builder.text.get(range.clone()).unwrap_or_default().into(), Style::Plain),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Kind::Int)
            .map_err(|_| unprintable(builder, &range))?,
        DeValue::Float(number) => {
            let value = number.as_str().parse::<f64>().ok().filter(|value| value.is_finite());
            Kind::Float(value.ok_or_else(|| unprintable(builder, &range))?)
        }
    };
    builder.push(&range, kind)
}

fn unprintable(builder: &Builder<'_>, range: &Range<usize>) -> Stop {
    let word = builder.text.get(range.clone()).unwrap_or_default();
    let finding = builder.wrong(range, format!("`{word}` is not a number that can be printed"));
    Box::new(finding.help(format!("write it as text, \"{word}\"")))
}
