//! CSV to a tree: the first record names the columns, each other one is a mapping of texts. Nothing is guessed: `0644`
//! stays text, and so does an empty field.

use std::ops::Range;

use csv_core::{ReadFieldResult, Reader};

use super::{Builder, Stop};
use crate::source::tree::{Kind, NodeId, Style};

/// A field: where it is written, and what it says.
struct Field {
    range: Range<usize>,
    text: Box<str>,
}

/// Reads the text of `builder`.
pub(super) fn read(builder: &mut Builder<'_>) -> Result<NodeId, Stop> {
    let mut fields = Fields::new(builder.text);
    let Some(header) = fields.record(builder)? else {
        let finding = builder.wrong(&(0..0), "the file is empty");
        return Err(Box::new(finding.help("the first line names the columns: `name,path`")));
    };
    let names = header_of(builder, header)?;
    let mut rows = Vec::new();
    while let Some(record) = fields.record(builder)? {
        let start = record.first().map_or(0, |field| field.range.start);
        let end = record.last().map_or(start, |field| field.range.end);
        if record.len() != names.len() {
            wrong_count(builder, start..end, record.len(), names.len());
            continue;
        }
        let mut entries = Vec::with_capacity(names.len());
        for (name, field) in names.iter().zip(record) {
            // The text of a column's name is one node that all rows share.
            entries.push((*name, builder.push(&field.range, Kind::Text(field.text, Style::Double))?));
        }
        rows.push(builder.push(&(start..end), Kind::Map(entries))?);
    }
    builder.push(&(0..builder.text.len()), Kind::List(rows))
}

fn header_of(builder: &mut Builder<'_>, header: Vec<Field>) -> Result<Vec<NodeId>, Stop> {
    if let [only] = header.as_slice()
        && let Some(divider) = [';', '\t', '|'].into_iter().find(|&divider| only.text.contains(divider))
    {
        let finding = builder.wrong(&only.range, format!("the columns are divided by {divider:?}, not by commas"));
        return Err(Box::new(finding.help("save the file with commas between the fields")));
    }
    let mut names = Vec::with_capacity(header.len());
    for field in header {
        if field.text.trim().is_empty() {
            let range = if field.range.is_empty() { builder.character(field.range.start) } else { field.range.clone() };
            let finding = builder.wrong(&range, "a column has no name");
            builder.findings.push(finding.help("the first line names every column"));
        }
        names.push(builder.push(&field.range, Kind::Text(field.text, Style::Double))?);
    }
    if builder.findings.is_empty() {
        builder.repeated("column", &names);
    }
    Ok(names)
}

/// So many lines with a wrong number of fields are told one by one.
const MOST_ALIKE: usize = 20;

fn wrong_count(builder: &mut Builder<'_>, range: Range<usize>, found: usize, wanted: usize) {
    if builder.findings.len() >= MOST_ALIKE {
        return;
    }
    let fields = if found == 1 { "1 field".to_owned() } else { format!("{found} fields") };
    let finding = builder.wrong(&range, format!("this line has {fields}, but the header names {wanted}"));
    let help = if found > wanted {
        "put a field that holds a comma in double quotes"
    } else {
        "write every field, an empty one as nothing between two commas"
    };
    builder.findings.push(finding.help(help));
}

/// The text, field by field.
struct Fields<'t> {
    reader: Reader,
    text: &'t str,
    at: usize,
    buffer: Vec<u8>,
}

impl<'t> Fields<'t> {
    fn new(text: &'t str) -> Self {
        Self { reader: Reader::new(), text, at: 0, buffer: vec![0; 4096] }
    }

    /// The next record; `None` at the end. Empty lines are passed over.
    fn record(&mut self, builder: &Builder<'_>) -> Result<Option<Vec<Field>>, Stop> {
        let mut fields = Vec::new();
        loop {
            if fields.is_empty() {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let start = self.at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
                if start >= self.text.len() {
                    return Ok(None);
                }
            }
            let (field, last) = self.field(builder, fields.is_empty())?;
            fields.extend(field);
            if last {
                return Ok((!fields.is_empty()).then_some(fields));
            }
        }
    }

    /// One field, and whether it ends its record.
    fn field(&mut self, builder: &Builder<'_>, first: bool) -> Result<(Option<Field>, bool), Stop> {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        let mut length = 0;
        loop {
            let (result, read, written) = self.reader.read_field(&bytes[self.at..], &mut self.buffer[length..]);
            self.at += read;
            length += written;
            let last = match result {
                ReadFieldResult::InputEmpty if self.at >= bytes.len() && read == 0 => return Ok((None, true)),
                ReadFieldResult::InputEmpty => continue,
                ReadFieldResult::OutputFull => {
                    self.buffer.resize(self.buffer.len() * 2, 0);
                    continue;
                }
                ReadFieldResult::End => return Ok((None, true)),
                ReadFieldResult::Field { record_end } => record_end,
            };
            let raw = &self.text[begin..self.at];
            let blank = if first { raw.len() - raw.trim_start_matches(['\r', '\n']).len() } else { 0 };
            let raw = &raw[blank..];
            let raw = if last { raw.trim_end_matches(['\r', '\n']) } else { raw.strip_suffix(',').unwrap_or(raw) };
            let range = begin + blank..begin + blank + raw.len();
            check_quotes(builder, &range, raw)?;
            let text = String::from_utf8_lossy(&self.buffer[..length]).into();
            return Ok((Some(Field { range, text }), last));
        }
    }
}

/// A quoted field ends with its quote. The reader itself takes anything.
fn check_quotes(builder: &Builder<'_>, range: &Range<usize>, raw: &str) -> Result<(), Stop> {
    let Some(inner) = raw.strip_prefix('"') else { return Ok(()) };
    let mut rest = inner;
    while let Some(at) = rest.find('"') {
        let after = &rest[at + 1..];
        match after.strip_prefix('"') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(()),
            None => {
                let start = range.end - after.len();
                let finding = builder.wrong(&(start..range.end), "text follows the closing quote of a field");
                return Err(Box::new(finding.help("write a quote inside a quoted field twice: `\"\"`")));
            }
        }
    }
    let opening = builder.character(range.start);
    let finding = builder.wrong(&opening, "this quoted field is never closed");
    Err(Box::new(finding.help("close it with a double quote")))
}
