//! Within the limits, a guarded template prints what the engine alone prints.

use minijinja::{Environment, UndefinedBehavior, Value};
use proptest::prelude::*;

use super::compile::guarded_expression;
use super::unit::environment;
use crate::limit::{Limit, Limits};

/// What an expression gives, and the kind of its error.
fn evaluated(env: &Environment<'_>, text: &str) -> Result<String, String> {
    let names = [
        ("a", Value::from(3)),
        ("b", Value::from(2.5)),
        ("s", Value::from("text")),
        ("t", Value::from("x y z")),
        ("l", Value::from(vec![1, 2, 3])),
        ("m", Value::from(std::collections::BTreeMap::from([("k", Value::from(1)), ("s", Value::from("v"))]))),
        ("e", Value::from("")),
        ("yes", Value::from(true)),
    ];
    let names = Value::from(std::collections::BTreeMap::from(names));
    let value = env.compile_expression(text).and_then(|compiled| compiled.eval(names));
    let shown = |value: Value| if value.is_undefined() { "undefined".to_owned() } else { format!("{value:?}") };
    value.map(shown).map_err(|error| format!("{:?}", error.kind()))
}

fn plain() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    env
}

type Outcome = Result<String, String>;

fn both(text: &str) -> Result<(Outcome, Outcome), TestCaseError> {
    let alone = evaluated(&plain(), text);
    let Some((guarded, _)) = guarded_expression(text, 0..text.len()) else {
        prop_assert!(alone.is_err(), "not read: {}", text);
        return Ok((alone.clone(), alone));
    };
    let within = evaluated(&environment(&Limits::default()), &guarded);
    Ok((within, alone))
}

/// The engine's slices, sums and repeats of lists are iterators, which it orders after mappings; megax makes lists.
fn orders_iterators(text: &str) -> bool {
    let orders = ["<", "|sort", "|min", "|max", "|dictsort", "|groupby", "|unique"];
    orders.iter().any(|order| text.contains(order)) && ["+", "*", ":"].iter().any(|made| text.contains(made))
}

/// An expression with two faults may fail at either, and iterators lack methods that lists have.
fn agree(text: &str) -> Result<(), TestCaseError> {
    if orders_iterators(text) {
        return Ok(());
    }
    let (within, alone) = both(text)?;
    if within.is_err() && alone.is_err() || alone.as_ref().is_err_and(|kind| kind == "UnknownMethod") {
        return Ok(());
    }
    prop_assert_eq!(within, alone, "{}", text);
    Ok(())
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["a", "b", "s", "t", "l", "m", "e", "yes", "none", "true", "missing"])
            .prop_map(str::to_owned),
        prop::sample::select(vec![
            "1", "0", "7", "2.5", "'q'", "\"r s\"", "'u' 'v'", "[1, 2]", "(1, 'a')", "{'z': 1}", "range(4)"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operators = vec!["~", "+", "-", "*", "/", "//", "%", "**", "==", "!=", "in", "not in", "and", "or"];
        let filters = vec![
            "upper", "length", "list", "join(', ')", "join", "reverse", "first", "last", "sort", "unique|list", "string",
            "map('string')|list", "sum", "batch(2)|list", "slice(2)|list", "items|list", "split", "trim",
            "select|list", "min", "max", "lines", "dictsort", "zip([1, 2])|list", "chain([1])|list", "abs", "int",
            "select('==', 1)|list", "groupby(0)|length",
        ];
        let tails = vec![
            ".k", "[0]", "[1:]", "[:2]", "[1:3]", "[-2:]", "[::2]", "[-1]", "[a]", "['k']", ".upper()", ".items()|list", ".get('k')", ".split()",
            ".replace('t', 'TT')", ".keys()|list", ".count('t')", ".join(['a', 'b'])",
        ];
        let tests = vec!["defined", "string", "number", "in [1, 2]", "eq 3", "mapping", "none", "not odd"];
        prop_oneof![
            4 => (inner.clone(), prop::sample::select(operators), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => (inner.clone(), prop::sample::select(vec!["~", "+", "*"]), inner.clone()).prop_map(|(a, op, b)| format!("{a}{op}{b}")),
            2 => inner.clone().prop_map(|a| format!("({a})")),
            2 => (inner.clone(), prop::sample::select(filters)).prop_map(|(a, filter)| format!("({a})|{filter}")),
            2 => (inner.clone(), prop::sample::select(tails)).prop_map(|(a, tail)| format!("({a}){tail}")),
            1 => (inner.clone(), prop::sample::select(tests)).prop_map(|(a, test)| {
                // What follows a test without an argument is its argument to the engine, even a keyword.
                if test.contains([' ', '[']) && test != "not odd" { format!("{a} is {test}") } else { format!("({a} is {test})") }
            }),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} if {b} else {c}")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            1 => inner.clone().prop_map(|a| format!("(not {a})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}, {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'k': {a}, 's': {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("dict(k={a}, *[], x={b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
    #[test]
    fn a_guarded_expression_gives_what_the_engine_gives(text in expressions()) {
        agree(&text)?;
    }
}

#[test]
fn the_guard_reads_what_the_engine_reads() {
    for text in [
        "a ~ b ~ s",
        "a + 1 - a * 2 // 3",
        "s * 3",
        "3 * s",
        "l * 2",
        "l + l",
        "t[1:][0:2:1]",
        "[a, [s, l]]",
        "x is defined",
        "s is in [s, t]",
        "dict(k=a)['k']",
        "-a ** 2",
        "not a in l",
        "a not in l",
        "a < 3 <= 4",
        "'%s' ~ (a,)",
        "(a, b)",
        "s|replace('t', s ~ s)|upper ~ '!'",
        "m.k + m['k']",
        "a if s == t",
        "l[0] * l[-1]",
        "a*b+a*b",
        "s~s~s",
        "()",
        "missing ~ a",
        "a + missing",
        "s - 1",
        "a // 0",
        "l * -1",
        "s.nothing()",
        "m[1:]",
        "a ~ missing.k",
    ] {
        let (within, alone) = both(text).unwrap();
        assert_eq!(within, alone, "{text}");
        assert!(guarded_expression(text, 0..text.len()).is_some(), "{text}");
    }
}

#[test]
fn a_tag_without_such_operators_stays_as_it_is() {
    for text in [
        "a",
        "m.k|upper",
        "a == 3",
        "s == 'x' and not yes",
        "loop.index + 1",
        "l|join(', ')",
        "s in ['a', 'b']",
        "a - b",
    ] {
        assert_eq!(guarded_expression(text, 0..text.len()).unwrap().0, text);
    }
}

#[test]
fn a_limit_can_be_lowered() {
    let mut limits = Limits::default();
    limits.set(Limit::CallBytes, 10).unwrap();
    let env = environment(&limits);
    let long = guarded_expression("s ~ s ~ s", 0..9).unwrap().0;
    assert_eq!(evaluated(&env, &long), Err("OutOfFuel".to_owned()), "the text is free as long as it is short");
}

#[test]
fn slices_are_those_of_python() {
    let env = environment(&Limits::default());
    for (text, expected) in [
        ("'abcdef'[::-1]", "'fedcba'"),
        ("'abcdef'[4:1:-2]", "'ec'"),
        ("'abcdef'[4:0:-2]", "'ec'"),
        ("'abcdef'[-2:]", "'ef'"),
        ("'abcdef'[:-2]", "'abcd'"),
        ("'abcdef'[1:-1:3]", "'be'"),
        ("'abc'[-9:9]", "'abc'"),
        ("l[::-1]", "[3, 2, 1]"),
        // The engine's own slice panics here.
        ("[][::-1]", "[]"),
        ("e[::-1]", "''"),
        ("(1, 2, 3)[1:]", "(2, 3)"),
        ("l[5:1:-9223372036854775807]", "[3]"),
        ("none[1:]", "[]"),
    ] {
        let guarded = guarded_expression(text, 0..text.len()).unwrap().0;
        assert_eq!(evaluated(&env, &guarded).as_deref(), Ok(expected), "{text} as {guarded}");
    }
}
