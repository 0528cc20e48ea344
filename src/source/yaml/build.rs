//! The parser's events become a tree.
//!
//! Must never expand an alias: every frame carries what it would cost, with saturating sums, and the sums are checked.

use super::block::{Block, first_dash, without_added_newline};
use super::{Place, over_limit, resolve, slip};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::limit::{Limit, Limits};
use crate::source::tally::Counter;
use crate::source::tree::{Kind, Node, NodeId, Style, Tree};
use granit_parser::{Event, Parser, ScalarStyle, Span as Mark, StructureStyle};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

/// After so many findings a file is not read further: what follows them is mostly their echo.
const MAX_FINDINGS: usize = 100;

type Flow = ControlFlow<()>;

pub(super) fn build(place: Place<'_>, limits: &Limits, counter: Counter<'_>) -> Result<Tree, Diagnostics> {
    let parsed: Cow<'_, str> = match place.text {
        "" => Cow::Borrowed(""),
        text if text.ends_with('\n') => Cow::Borrowed(text),
        text => Cow::Owned(format!("{text}\n")),
    };
    let mut builder = Builder::new(place, &parsed, limits, counter);
    builder.directives();
    builder.read();
    builder.finish()
}

/// A node that is complete, and what it costs where aliases are expanded.
#[derive(Debug, Clone)]
struct Done {
    id: NodeId,
    /// Where it is written: for an alias the alias, not the anchor.
    range: Range<usize>,
    cost: Cost,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    nodes: u64,
    bytes: u64,
    depth: usize,
}

/// A collection that is not complete.
#[derive(Debug)]
struct Frame {
    mapping: bool,
    flow: bool,
    /// The items of a list; keys and values in turn of a mapping.
    children: Vec<NodeId>,
    range: Range<usize>,
    anchor: usize,
    cost: Cost,
}

struct Builder<'p> {
    place: Place<'p>,
    /// The text of `place` with a newline at its end.
    parsed: &'p str,
    limits: &'p Limits,
    counter: Counter<'p>,
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    /// By the parser's number; an anchor that is not complete is not in it.
    anchors: BTreeMap<usize, Done>,
    names: Vec<String>,
    findings: Diagnostics,
    root: Option<NodeId>,
    documents: usize,
    total: Cost,
    /// Where the last node ended.
    after: usize,
    last_block: Option<Range<usize>>,
    has_directives: bool,
}

impl<'p> Builder<'p> {
    fn new(place: Place<'p>, parsed: &'p str, limits: &'p Limits, counter: Counter<'p>) -> Self {
        Self {
            place,
            parsed,
            limits,
            counter,
            nodes: Vec::new(),
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            names: Vec::new(),
            findings: Diagnostics::default(),
            root: None,
            documents: 0,
            total: Cost::default(),
            after: 0,
            last_block: None,
            has_directives: false,
        }
    }

    /// The parser drops most directives without a word, so they are looked for here.
    fn directives(&mut self) {
        let mut at = 0;
        for line in self.parsed.split_inclusive('\n') {
            let text = line.trim_end();
            if text.starts_with('%') {
                self.has_directives = true;
                let finding = Diagnostic::new(Code::YamlFeature, "a directive is not used in mega-files")
                    .at(self.place.span(at, at + text.len()))
                    .help("remove the line; a text that begins with `%` needs quotes");
                let _ = self.report(finding);
            } else if !text.is_empty() && !text.starts_with('#') {
                break;
            }
            at += line.len();
        }
    }

    fn read(&mut self) {
        let options = granit_parser::options! {
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            flow_nesting_limit: self.limits.size(Limit::YamlDepth),
            block_nesting_limit: self.limits.size(Limit::YamlDepth),
        };
        for next in Parser::new_from_str_with_options(self.parsed, options) {
            let flow = match next {
                Ok((event, mark)) => self.event(event, &mark),
                Err(error) => self.failed(&error),
            };
            if flow.is_break() {
                return;
            }
        }
    }

    fn failed(&mut self, error: &granit_parser::ScanError) -> Flow {
        // A broken directive was reported as a directive already.
        if self.has_directives && self.documents == 0 {
            return Flow::Break(());
        }
        if slip::is_echo(error, self.place, &self.findings) {
            return Flow::Break(());
        }
        let context = self.context();
        let finding = match error.kind() {
            granit_parser::ErrorKind::RecursionLimitExceeded => {
                self.too_deep(error.marker().byte_offset().unwrap_or(self.after))
            }
            _ => slip::syntax(error, &context),
        };
        self.report(finding)?;
        Flow::Break(())
    }

    fn context(&self) -> slip::Context<'p> {
        let is_flow = |frame: &&Frame| frame.flow;
        let open = self.frames.last().filter(is_flow).map(|frame| frame.range.start);
        let after = self.frames.iter().find(is_flow).map_or(self.after, |frame| frame.range.start);
        slip::Context { place: self.place, open, after, last_block: self.last_block.clone() }
    }

    fn finish(mut self) -> Result<Tree, Diagnostics> {
        if !self.findings.is_empty() {
            self.findings.sort();
            return Err(self.findings);
        }
        let root = self.root.unwrap_or_else(|| {
            self.nodes.push(Node { start: offset(self.place.base), end: offset(self.place.base), kind: Kind::Null });
            id(self.nodes.len() - 1)
        });
        // The tree lives as long as the run.
        self.nodes.shrink_to_fit();
        Ok(Tree::new(self.place.file, self.nodes, root))
    }

    fn event(&mut self, event: Event<'_>, mark: &Mark) -> Flow {
        let range = mark.byte_range().unwrap_or(self.after..self.after);
        self.tag(&event, mark, &range)?;
        match event {
            Event::DocumentStart(..) => self.document(&range),
            Event::Scalar(value, style, anchor, _) => self.scalar(&value, style, anchor, range),
            Event::SequenceStart(style, anchor, _) => self.open(false, style, anchor, range),
            Event::MappingStart(style, anchor, _) => self.open(true, style, anchor, range),
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::Alias(anchor) => self.alias(anchor, range),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, range),
            Event::Anchor(_, name) => {
                self.names.push(name.into_owned());
                Flow::Continue(())
            }
            _ => Flow::Continue(()),
        }
    }

    fn document(&mut self, range: &Range<usize>) -> Flow {
        self.documents += 1;
        if self.documents < 2 {
            return Flow::Continue(());
        }
        let finding = Diagnostic::new(Code::YamlFeature, "a second document begins here")
            .at(self.place.span(range.start, range.end))
            .help("one file holds one document: remove the `---` line, or move what follows into a file of its own");
        self.report(finding)?;
        Flow::Break(())
    }

    fn tag(&mut self, event: &Event<'_>, mark: &Mark, node: &Range<usize>) -> Flow {
        let Some(tag) = event.tag() else { return Flow::Continue(()) };
        let at = mark.tag_span().and_then(|tag| tag.byte_range()).unwrap_or(node.clone());
        let written = self.parsed.get(at.clone()).unwrap_or("!").trim();
        let mut finding = Diagnostic::new(Code::YamlFeature, format!("the tag `{written}` is not used in mega-files"))
            .at(self.place.span(at.start, at.end));
        let word = self.parsed.get(node.clone()).unwrap_or("");
        finding = match event.scalar() {
            Some((_, ScalarStyle::Plain)) if tag.is_yaml_core_schema_tag("str") => {
                let help = "remove the tag and put the text in double quotes";
                match slip::quoted(word).filter(|_| !word.is_empty() && at.end <= node.start) {
                    Some(text) => finding.help(help).fix(self.place.span(at.start, node.end), text),
                    None => finding.help(help),
                }
            }
            Some(_) => finding.help("remove the tag: quotes make text, an unquoted number is a number"),
            None => finding.help("remove the tag: a mega-file is plain lists, mappings and scalars"),
        };
        self.report(finding)
    }

    fn is_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.mapping && frame.children.len() % 2 == 0)
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, anchor: usize, mut range: Range<usize>) -> Flow {
        let missing = style == ScalarStyle::Plain && range.is_empty();
        let mut value = if missing { "" } else { value };
        if let ScalarStyle::Literal | ScalarStyle::Folded = style {
            let indicator = if style == ScalarStyle::Literal { b'|' } else { b'>' };
            let block = Block { text: self.parsed, indicator, value, after: self.after, marked: range.clone() };
            range = block.range();
            if self.parsed.len() > self.place.text.len() && block.marked.end >= self.parsed.len() {
                value = without_added_newline(value, self.place.text);
            }
            self.last_block = Some(range.start..block.marked.end);
        }
        let is_key = self.is_key();
        if is_key {
            self.key(value, style, &range)?;
        }
        let kind = match style {
            ScalarStyle::Plain if !is_key || anchor != 0 => self.plain(value, &range)?,
            ScalarStyle::Plain => resolve::text(value),
            ScalarStyle::SingleQuoted => Kind::Text(value.into(), Style::Single),
            ScalarStyle::DoubleQuoted => Kind::Text(value.into(), Style::Double),
            ScalarStyle::Literal => Kind::Text(value.into(), Style::Literal),
            ScalarStyle::Folded => Kind::Text(value.into(), Style::Folded),
        };
        let is_text = matches!(kind, Kind::Text(..));
        let done = self.push(range.clone(), kind, value.len())?;
        if !is_key || is_text {
            return self.attach(done, anchor);
        }
        // As a key it is text; an alias of its anchor gets what it is as a value.
        self.anchors.insert(anchor, done);
        let done = self.push(range, resolve::text(value), value.len())?;
        self.attach(done, 0)
    }

    fn key(&mut self, value: &str, style: ScalarStyle, range: &Range<usize>) -> Flow {
        let (message, help) = match value {
            "" => ("a key is empty", "write a name before the colon"),
            "<<" if style == ScalarStyle::Plain => {
                ("the merge key `<<` is not used in mega-files", "write the keys of the other mapping out here")
            }
            _ => return Flow::Continue(()),
        };
        let end = if range.is_empty() { range.end + 1 } else { range.end };
        self.report(Diagnostic::new(Code::YamlFeature, message).at(self.place.span(range.start, end)).help(help))
    }

    fn plain(&mut self, value: &str, range: &Range<usize>) -> ControlFlow<(), Kind> {
        if let Some(kind) = resolve::plain(value) {
            return ControlFlow::Continue(kind);
        }
        let span = self.place.span(range.start, range.end);
        let finding = Diagnostic::new(Code::YamlFeature, format!("`{value}` is not a number that can be printed"))
            .at(span)
            .help(format!("write \"{value}\" for the text, or a finite number"))
            .fix(span, format!("\"{value}\""));
        self.report(finding)?;
        ControlFlow::Continue(Kind::Null)
    }

    fn open(&mut self, mapping: bool, style: StructureStyle, anchor: usize, range: Range<usize>) -> Flow {
        if self.frames.len() >= self.limits.size(Limit::YamlDepth) {
            let finding = self.too_deep(range.start);
            self.report(finding)?;
            return Flow::Break(());
        }
        let flow = style == StructureStyle::Flow;
        let start = if mapping || flow { range.start } else { first_dash(self.parsed, range.start, self.after) };
        if self.is_key() {
            let finding = slip::collection_as_key(&self.context(), start, mapping);
            self.report(finding)?;
        }
        let range = start..range.end.max(start);
        self.frames.push(Frame { mapping, flow, children: Vec::new(), range, anchor, cost: Cost::default() });
        Flow::Continue(())
    }

    fn close(&mut self, mark: &Range<usize>) -> Flow {
        let Some(frame) = self.frames.pop() else { return Flow::Continue(()) };
        let end = if frame.flow { mark.end.max(frame.range.end) } else { frame.range.end };
        let kind = if frame.mapping {
            let (pairs, _) = frame.children.as_chunks::<2>();
            let entries: Vec<_> = pairs.iter().map(|&[key, value]| (key, value)).collect();
            self.duplicates(&entries)?;
            Kind::Map(entries)
        } else {
            Kind::List(frame.children)
        };
        let mut done = self.push(frame.range.start..end, kind, 0)?;
        done.cost.nodes = done.cost.nodes.saturating_add(frame.cost.nodes);
        done.cost.bytes = frame.cost.bytes;
        done.cost.depth = frame.cost.depth + 1;
        self.attach(done, frame.anchor)
    }

    fn duplicates(&mut self, entries: &[(NodeId, NodeId)]) -> Flow {
        let text = |key: NodeId| text_of(&self.nodes, key);
        let mut keys: Vec<(&str, NodeId)> = entries.iter().map(|&(key, _)| (text(key), key)).collect();
        // Node ids ascend in document order, so the first of equal keys is the first in the text.
        keys.sort_unstable();
        let repeats: Vec<(NodeId, NodeId)> = keys
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| !group[0].0.is_empty())
            .flat_map(|group| group[1..].iter().map(|&(_, again)| (group[0].1, again)))
            .collect();
        for (first, again) in repeats {
            let message = format!("the key `{}` is in this mapping twice", text_of(&self.nodes, again));
            let finding = Diagnostic::new(Code::DuplicateKey, message)
                .at(self.span(again))
                .related(self.span(first), "first here");
            let value_of = |key| entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1);
            let values = value_of(first).zip(value_of(again));
            let same = values.and_then(|(first, again)| self.said_again(first, again));
            let line = same.and_then(|value| slip::whole_line(self.place, self.span(again), value));
            let finding = match line {
                Some(line) => finding.help("remove this line: it says the same again").fix(line, ""),
                None => finding.help("remove one of the two, or give it another name"),
            };
            self.report(finding)?;
        }
        Flow::Continue(())
    }

    /// Where `again` stands, if it is the same scalar as `first`.
    fn said_again(&self, first: NodeId, again: NodeId) -> Option<crate::span::Span> {
        let kind = |node: NodeId| self.nodes.get(node.0 as usize).map(|node| &node.kind);
        let same = match (kind(first)?, kind(again)?) {
            (Kind::Text(a, _), Kind::Text(b, _)) => a == b,
            (Kind::List(_) | Kind::Map(_), _) => false,
            (a, b) => a == b,
        };
        same.then(|| self.span(again))
    }

    fn span(&self, node: NodeId) -> crate::span::Span {
        let node = self.nodes.get(node.0 as usize).map_or(0..0, |node| node.start as usize..node.end as usize);
        crate::span::Span::new(self.place.file, node.start, node.end)
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Flow {
        let span = self.place.span(range.start, range.end);
        if self.is_key() {
            let finding = Diagnostic::new(Code::YamlFeature, "an alias cannot be a key").at(span);
            self.report(finding.help("write the key out"))?;
        }
        let Some(target) = self.anchors.get(&anchor).cloned() else {
            let finding = Diagnostic::new(Code::YamlFeature, "an alias stands inside the node that it names").at(span);
            self.report(finding.help("write the value out: a value cannot hold itself"))?;
            let done = self.push(range, Kind::Null, 0)?;
            return self.attach(done, 0);
        };
        if self.frames.len() + target.cost.depth > self.limits.size(Limit::YamlDepth) {
            let finding = self.too_deep(range.start);
            self.report(finding)?;
            return Flow::Break(());
        }
        self.spend(target.cost, &range)?;
        self.attach(Done { range, ..target }, 0)
    }

    fn unknown_alias(&mut self, name: &str, range: Range<usize>) -> Flow {
        let finding = Diagnostic::new(Code::YamlSyntax, format!("no anchor before this place is called `{name}`"))
            .at(self.place.span(range.start, range.end))
            .label("an unquoted text that begins with `*` is an alias");
        let finding = match nearest(name, self.names.iter().map(String::as_str)) {
            Some(known) => finding.help(format!("did you mean `*{known}`?")),
            None => slip::quote_value(finding, self.place, range.start, "if this is text, put it in double quotes"),
        };
        self.report(finding)?;
        let done = self.push(range, Kind::Null, 0)?;
        self.attach(done, 0)
    }

    /// Adds a node and counts it.
    fn push(&mut self, range: Range<usize>, kind: Kind, bytes: usize) -> ControlFlow<(), Done> {
        let cost = Cost { nodes: 1, bytes: bytes as u64, depth: 0 };
        self.spend(cost, &range)?;
        let span = self.place.span(range.start, range.end);
        if self.nodes.len() >= self.limits.size(Limit::YamlNodes) {
            let mend = "split the file, or move data into files of their own";
            let finding = over_limit(self.limits, Limit::YamlNodes, "the text holds too many nodes", mend);
            self.report(finding.at(span.head()))?;
            return ControlFlow::Break(());
        }
        if !self.counter.add() {
            return ControlFlow::Break(());
        }
        self.nodes.push(Node { start: span.start, end: span.end, kind });
        ControlFlow::Continue(Done { id: id(self.nodes.len() - 1), range, cost })
    }

    /// Counts what a node costs. Every written node and every alias passes here once, so `total` is what expansion
    /// of the whole document would cost.
    fn spend(&mut self, cost: Cost, range: &Range<usize>) -> Flow {
        self.total.nodes = self.total.nodes.saturating_add(cost.nodes);
        self.total.bytes = self.total.bytes.saturating_add(cost.bytes);
        let mend = "use fewer aliases, or aliases of smaller values";
        let finding = if self.total.nodes > self.limits.get(Limit::AliasNodes) {
            over_limit(self.limits, Limit::AliasNodes, "with its aliases the text stands for too many nodes", mend)
        } else if self.total.bytes > self.limits.get(Limit::AliasBytes) {
            over_limit(self.limits, Limit::AliasBytes, "with its aliases the text stands for too many bytes", mend)
        } else {
            return Flow::Continue(());
        };
        self.report(finding.at(self.place.span(range.start, range.end)))?;
        Flow::Break(())
    }

    /// Hands a complete node to its collection.
    fn attach(&mut self, done: Done, anchor: usize) -> Flow {
        self.after = self.after.max(done.range.end);
        match self.frames.last_mut() {
            None => self.root = Some(done.id),
            Some(frame) => {
                frame.children.push(done.id);
                frame.range.end = frame.range.end.max(done.range.end);
                frame.cost.nodes = frame.cost.nodes.saturating_add(done.cost.nodes);
                frame.cost.bytes = frame.cost.bytes.saturating_add(done.cost.bytes);
                frame.cost.depth = frame.cost.depth.max(done.cost.depth);
            }
        }
        if anchor != 0 {
            self.anchors.insert(anchor, done);
        }
        Flow::Continue(())
    }

    fn too_deep(&self, at: usize) -> Diagnostic {
        let what = "lists and mappings are nested too deeply";
        over_limit(self.limits, Limit::YamlDepth, what, "make the structure flatter")
            .at(self.place.character(at.min(self.place.text.len())))
    }

    fn report(&mut self, finding: Diagnostic) -> Flow {
        let span = finding.span;
        self.findings.push(finding);
        if self.findings.len() < MAX_FINDINGS {
            return Flow::Continue(());
        }
        let message = format!("the file has more than {MAX_FINDINGS} findings, and what follows is not read");
        let mut last = Diagnostic::new(Code::YamlLimit, message).help("mend these first");
        last.span = span;
        self.findings.push(last);
        Flow::Break(())
    }
}

fn text_of(nodes: &[Node], node: NodeId) -> &str {
    match nodes.get(node.0 as usize).map(|node| &node.kind) {
        Some(Kind::Text(text, _)) => text,
        _ => "",
    }
}

fn id(index: usize) -> NodeId {
    NodeId(offset(index))
}

fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
