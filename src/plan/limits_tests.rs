use std::sync::Arc;

use super::*;
use crate::template::value::Mapping;

#[test]
fn only_names_and_dots_are_shared_values() {
    for (text, shared) in [
        ("{{ data.entities }}", true),
        ("{{entity}}", true),
        ("{{ data.a ~ 'x' }}", false),
        ("{{ a|upper }}", false),
        ("{{ [a] }}", false),
        ("{{ f(a) }}", false),
    ] {
        assert_eq!(is_path(text), shared, "{text}");
    }
}

#[test]
fn a_long_item_is_cut_and_a_large_one_is_only_named() {
    let named = |value: Value| item_name(Some("outer"), &[(Arc::from("entity"), value)]).unwrap();
    assert_eq!(named(Value::from("a")), "outer × a");
    assert_eq!(named(Value::from(7)), "outer × 7");
    assert_eq!(named(Value::from("ä".repeat(1_000))).chars().count(), LONGEST_NAME + 3);
    assert_eq!(named(Value::from(vec!["x"; 1_000])), "outer × (a list)");
    let mapping = |text: &str| Mapping::new(vec![(Arc::from("name"), Value::from(text))]);
    assert_eq!(named(Value::from_object(mapping("its name"))), "outer × its name");
    assert_eq!(item_name(None, &[]), None);
}

#[test]
fn a_value_weighs_what_it_holds_and_counting_stops_where_there_is_no_room() {
    let text = |length: usize| Value::from("x".repeat(length));
    assert_eq!(weight(&text(100), 1_000), 100 + VALUE_BYTES);
    let list = Value::from(vec![text(100), text(100)]);
    assert_eq!(weight(&list, 1_000), 200 + 3 * VALUE_BYTES);
    let nested = Value::from(vec![Value::from(vec![text(100)])]);
    assert_eq!(weight(&nested, 1_000), 100 + 3 * VALUE_BYTES);
    let mapping = Value::from_object(Mapping::new(vec![(Arc::from("key"), text(100))]));
    assert_eq!(weight(&mapping, 1_000), 100 + 2 * VALUE_BYTES);
    let many = Value::from((0..1_000).map(|_| text(100)).collect::<Vec<_>>());
    assert!((1_001..2_000).contains(&weight(&many, 1_000)), "it is over, and more is not looked at");
}
