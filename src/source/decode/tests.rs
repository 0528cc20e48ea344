use serde::Deserialize;

use super::{OrderedMap, Raw, Spanned, decode};
use crate::limit::Limits;
use crate::source::tree::Tree;
use crate::source::yaml;
use crate::span::FileId;

fn written<'t>(text: &'t str, tree: &Tree, node: crate::source::NodeId) -> &'t str {
    let span = tree.span(node);
    &text[span.start as usize..span.end as usize]
}

#[derive(Debug, Deserialize, PartialEq)]
struct Open {
    name: Spanned<String>,
    free: Raw,
    missing: Option<Spanned<bool>>,
    #[serde(rename = "$megax::rest")]
    rest: OrderedMap<Raw>,
}

fn parse(text: &str) -> Tree {
    yaml::parse(FileId(0), text, &Limits::default()).unwrap()
}

#[test]
fn values_keep_their_nodes_and_unnamed_keys_go_to_the_rest_in_order() {
    let text = "zeta: 1\nname: \"å\"\nfree: [a, {b: 2}]\nalpha: {c: 3}\n";
    let tree = parse(text);
    let open: Open = decode(&tree).unwrap();
    assert_eq!(written(text, &tree, open.name.node), "\"å\"");
    assert_eq!(open.name.value, "å");
    assert_eq!(open.missing, None);
    assert_eq!(tree.list(open.free.0).map(<[_]>::len), Some(2));
    let rest: Vec<_> = open.rest.iter().map(|(key, _)| key.value.as_str()).collect();
    assert_eq!(rest, ["zeta", "alpha"]);
    assert_eq!(written(text, &tree, open.rest.0[1].0.node), "alpha");
    assert_eq!(tree.get(open.rest.get("alpha").unwrap().0, "c").map(|node| written(text, &tree, node)), Some("3"));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[expect(dead_code, reason = "only its type is tested")]
    count: Spanned<u64>,
}

#[test]
fn errors_name_the_innermost_node() {
    for (text, at, part) in [
        ("list:\n  - {count: 1}\n  - {count: -2}\n", "-2", "invalid value"),
        ("list:\n  - {count: 1}\n  - {cuont: 2}\n", "cuont", "unknown field"),
        ("list: 5\n", "5", "expected a sequence"),
    ] {
        let tree = parse(text);
        let error = decode::<OrderedMap<Vec<Spanned<Strict>>>>(&tree).unwrap_err();
        assert_eq!(written(text, &tree, error.node.unwrap()), at);
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename = "$megax::shape")]
enum Union {
    #[serde(rename = "text")]
    Text(String),
    #[serde(rename = "integer")]
    Count(Spanned<u64>),
    #[serde(rename = "map.path")]
    Path(OrderedMap<String>),
    #[serde(rename = "map")]
    Other(OrderedMap<Raw>),
}

#[test]
fn shapes_choose_the_variant_in_the_order_of_the_variants() {
    let tree = parse("[a, 7, {x: b, path: c}, {x: [1]}]");
    let all: Vec<Union> = decode(&tree).unwrap();
    assert!(matches!(
        all.as_slice(),
        [Union::Text(_), Union::Count(Spanned { value: 7, .. }), Union::Path(_), Union::Other(_)]
    ));
    let error = decode::<Union>(&parse("[1]")).unwrap_err();
    assert_eq!(error.message, "expected text or integer or map.path or map, found a list");
}
