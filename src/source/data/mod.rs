//! Data files to trees: YAML, JSON, TOML and CSV, named under `sources` in a mega-file, in one form with places.
//!
//! Text in, tree or findings out; touches no disk. Every format has the limits of YAML, and none may panic or recurse
//! without a bound, whatever the text holds.

mod csv;
mod json;
#[cfg(test)]
mod tests;
mod toml;

use std::ops::Range;
use std::sync::Arc;

use super::tally::{Counter, Tally};
use super::tree::{Kind, Node, NodeId, Tree};
use super::yaml;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::limit::{Limit, Limits};
use crate::span::{FileId, Span};

/// A file that some mega-file names under `sources`.
#[derive(Debug)]
pub struct DataFile {
    /// Its text; `None` if it cannot be read.
    pub file: Option<FileId>,
    /// Where mega-files name it.
    pub readers: Vec<Span>,
    /// What it holds, or why it cannot be used. A finding without a place is about the file as a whole.
    pub tree: Result<Arc<Tree>, Diagnostics>,
}

/// How a data file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`.
    Yaml,
    /// `.json`.
    Json,
    /// `.toml`.
    Toml,
    /// `.csv`: comma-separated, the first record names the columns.
    Csv,
}

impl Format {
    /// The format of a path, by its ending; letter case does not matter.
    ///
    /// # Errors
    /// What to do with a file of another ending.
    pub fn of(path: &str) -> Result<Self, &'static str> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase());
        match ending.as_str() {
            "yaml" | "yml" => Ok(Self::Yaml),
            "json" => Ok(Self::Json),
            "toml" => Ok(Self::Toml),
            "csv" => Ok(Self::Csv),
            "jsonc" | "json5" => Err("save it as plain JSON, without comments and trailing commas, ending in .json"),
            "tsv" | "tab" | "xls" | "xlsx" | "ods" => Err("save it as CSV, divided by commas, ending in .csv"),
            _ => Err("a source ends in .yaml, .yml, .json, .toml or .csv"),
        }
    }
}

/// Parses a data file.
///
/// # Errors
/// YAML as [`yaml::parse`] says; MX109 for a syntax error of another format, MX104 for a repeated key or column, MX108
/// for a limit.
pub fn parse(format: Format, file: FileId, text: &str, limits: &Limits) -> Result<Tree, Diagnostics> {
    parse_counted(format, file, text, limits, &Tally::alone())
}

/// The same for one of several files that count together: what is read when they hold too much is no tree of the text.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_counted(
    format: Format,
    file: FileId,
    text: &str,
    limits: &Limits,
    tally: &Tally,
) -> Result<Tree, Diagnostics> {
    let mut builder = Builder::new(file, text, limits, tally.counter());
    let root = match format {
        Format::Yaml => return yaml::parse_counted(file, text, limits, tally),
        Format::Json => json::read(&mut builder),
        Format::Toml => toml::read(&mut builder),
        Format::Csv => csv::read(&mut builder),
    };
    match root {
        Ok(root) if builder.findings.is_empty() => Ok(Tree::new(file, builder.nodes, root)),
        Ok(_) => Err(builder.findings),
        Err(last) => {
            builder.findings.push(*last);
            Err(builder.findings)
        }
    }
}

/// A finding that ends the reading.
type Stop = Box<Diagnostic>;

/// A tree that grows, its children before their parents.
struct Builder<'t> {
    file: FileId,
    /// The text without its byte order mark.
    text: &'t str,
    /// The length of the mark.
    base: usize,
    limits: &'t Limits,
    counter: Counter<'t>,
    nodes: Vec<Node>,
    /// What is wrong, but does not end the reading.
    findings: Diagnostics,
}

impl<'t> Builder<'t> {
    fn new(file: FileId, text: &'t str, limits: &'t Limits, counter: Counter<'t>) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let base = text.len() - body.len();
        Self { file, text: body, base, limits, counter, nodes: Vec::new(), findings: Diagnostics::default() }
    }

    fn span(&self, range: &Range<usize>) -> Span {
        let end = self.text.len();
        Span::new(self.file, range.start.min(end) + self.base, range.end.min(end) + self.base)
    }

    /// The one character at an offset; a point at the end of a line.
    fn character(&self, offset: usize) -> Range<usize> {
        let mut start = offset.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let first = self.text[start..].chars().next().filter(|c| !matches!(c, '\n' | '\r'));
        start..start + first.map_or(0, char::len_utf8)
    }

    /// Adds a node.
    fn push(&mut self, range: &Range<usize>, kind: Kind) -> Result<NodeId, Stop> {
        if self.nodes.len() >= self.limits.size(Limit::YamlNodes) {
            let what = "the file holds too many values";
            return Err(self.limit(Limit::YamlNodes, what, range.start, "split it into several sources"));
        }
        if !self.counter.add() {
            return Err(self.limit(
                Limit::RunNodes,
                "the sources hold too many values together",
                range.start,
                "use fewer",
            ));
        }
        let span = self.span(range);
        self.nodes.push(Node { start: span.start, end: span.end, kind });
        Ok(NodeId(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)))
    }

    /// Checks that one more list or mapping may be opened inside `depth` others.
    fn deeper(&self, depth: usize, at: usize) -> Result<(), Stop> {
        if depth < self.limits.size(Limit::YamlDepth) {
            return Ok(());
        }
        let what = "lists and mappings are nested too deeply";
        Err(self.limit(Limit::YamlDepth, what, at, "make the structure flatter"))
    }

    fn limit(&self, limit: Limit, what: &str, at: usize, mend: &str) -> Stop {
        let span = self.span(&self.character(at));
        let message = format!("{what}: {}", self.limits.says(limit));
        Box::new(Diagnostic::new(Code::BadSource, message).at(span).help(limit.help(mend)))
    }

    /// A syntax error that ends the reading.
    fn wrong(&self, range: &Range<usize>, message: impl Into<String>) -> Stop {
        Box::new(Diagnostic::new(Code::SourceSyntax, message.into()).at(self.span(range)))
    }

    /// Reports every name that repeats an earlier one; `what` it is the name of.
    fn repeated(&mut self, what: &str, names: &[NodeId]) {
        let text = |id: NodeId| match self.nodes.get(id.0 as usize).map(|node| &node.kind) {
            Some(Kind::Text(text, _)) => &**text,
            _ => "",
        };
        let mut sorted: Vec<(&str, NodeId)> = names.iter().map(|&id| (text(id), id)).collect();
        // Ids ascend in the order of the text, so the first of equal names is the first in the file.
        sorted.sort_unstable();
        let mut found = Diagnostics::default();
        for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let [(name, first), (_, again)] = [pair[0], pair[1]];
            let finding = Diagnostic::new(Code::DuplicateKey, format!("the {what} `{name}` is here twice"))
                .at(self.span_of(again))
                .related(self.span_of(first), "first here")
                .help("remove one of the two, or give it another name");
            found.push(finding);
        }
        self.findings.extend(found);
    }

    fn span_of(&self, id: NodeId) -> Span {
        let node = self.nodes.get(id.0 as usize).map_or(0..0, |node| node.start as usize..node.end as usize);
        Span::new(self.file, node.start, node.end)
    }
}
