//! A stand-in for `source::yaml` in tests: no limits, no aliases, no duplicate keys. Replace it by
//! `source::yaml::parse` and `source::yaml::to_json`.

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;

use crate::source::tree::{Kind, Node, NodeId, Style, Tree};
use crate::span::FileId;

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    open: Vec<(usize, bool, Vec<NodeId>)>,
    root: Option<NodeId>,
}

pub(crate) fn parse(text: &str) -> Tree {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.expect("test YAML is well-formed");
        let range = span.byte_range().expect("a str has byte offsets");
        match event {
            Event::Scalar(value, style, ..) => builder.put(range.start, range.end, scalar(&value, style)),
            Event::SequenceStart(..) => builder.open.push((range.start, false, Vec::new())),
            Event::MappingStart(..) => builder.open.push((range.start, true, Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => builder.close(range.end),
            _ => {}
        }
    }
    Tree::new(FileId(0), builder.nodes, builder.root.expect("test YAML is not empty"))
}

impl Builder {
    fn close(&mut self, end: usize) {
        let (start, is_map, children) = self.open.pop().expect("balanced");
        let kind = if is_map {
            Kind::Map(children.chunks(2).map(|pair| (pair[0], pair[1])).collect())
        } else {
            Kind::List(children)
        };
        self.put(start, end, kind);
    }

    fn put(&mut self, start: usize, end: usize, kind: Kind) {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap());
        self.nodes.push(Node { start: u32::try_from(start).unwrap(), end: u32::try_from(end).unwrap(), kind });
        match self.open.last_mut() {
            Some((_, _, children)) => children.push(id),
            None => self.root = Some(id),
        }
    }
}

fn scalar(value: &str, style: ScalarStyle) -> Kind {
    let style = match style {
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
        ScalarStyle::Plain => Style::Plain,
    };
    match value {
        _ if style != Style::Plain => Kind::Text(value.into(), style),
        "" | "~" | "null" => Kind::Null,
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        _ => match (value.parse::<i64>(), value.parse::<f64>()) {
            (Ok(number), _) => Kind::Int(number),
            (_, Ok(number)) => Kind::Float(number),
            _ => Kind::Text(value.into(), style),
        },
    }
}

pub(crate) fn to_json(tree: &Tree, node: NodeId) -> Value {
    match tree.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Int(value) => (*value).into(),
        Kind::Float(value) => (*value).into(),
        Kind::Text(text, _) => text.as_ref().into(),
        Kind::List(items) => items.iter().map(|&item| to_json(tree, item)).collect(),
        Kind::Map(entries) => {
            let entries =
                entries.iter().map(|&(key, value)| (tree.text(key).unwrap().to_owned(), to_json(tree, value)));
            Value::Object(entries.collect())
        }
    }
}
