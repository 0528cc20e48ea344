//! The slots that are told from a text against those that it turns out to depend on.

use super::*;
use crate::limit::Limits;
use crate::plan::words;
use crate::template::{Scope, Source, Syntax, slots};

/// The slots of the tests.
const SLOTS: [&str; 4] = ["a", "b", "ab", "items"];

/// Ways to say "the slot SLOT" in an expression; BLANK is nothing or white space. Those without SLOT read some other one,
/// or all.
const READS: [&str; 24] = [
    "contributions.SLOT",
    "contributionsBLANK.BLANKSLOT",
    "contributions['SLOT']",
    "contributionsBLANK[BLANK\"SLOT\"BLANK]",
    "contributions[\"\\u0061\"]",
    "contributions['a' ~ 'b']",
    "contributions['SLOT'|lower]",
    "contributions['xa'[1:]]",
    "contributions['x' if false else 'SLOT']",
    "contributions['none'].x or contributions['SLOT']",
    "contributions[['SLOT', 'none'][0]]",
    "contributions[key]",
    "contributions.get('SLOT')",
    "contributions.items()",
    "contributions.keys()|list",
    "contributions.values()|list",
    "contributions|items",
    "contributions|attr('SLOT')",
    "(contributions).SLOT",
    "[contributions][0].SLOT",
    "dict(c=contributions).c.SLOT",
    "contributions",
    "data.contributions.SLOT",
    "'contributions.SLOT'",
];

/// Texts around READ, an expression, in every syntax.
const TEXTS: [&str; 16] = [
    "{{ READ|json }}",
    "{{-READ|length-}}\n",
    "{% for x in READ %}{{ x|json }}{% endfor %}",
    "{%- if READ -%}y{% else %}n{% endif %}",
    "{% set c = READ %}{{ c|json }}",
    "{% with c = READ %}{{ c|json }}{% endwith %}",
    "{% macro m(c) %}{{ c|json }}{% endmacro %}{{ m(READ) }}",
    "{% macro m(c) %}{{ c.a|json }}{% endmacro %}{{ m(contributions) }}",
    "{% set c = contributions %}{{ c.b|json }}",
    "{% filter upper %}{{ READ|json }}{% endfilter %}",
    "{% set c %}{{ READ|json }}{% endset %}{{ c }}",
    "{# READ #}{% raw %}{{ READ|json }}{% endraw %}",
    "a [[ READ|json ]] {READ|json}",
    "[% for x in READ %][[ x|json ]][% endfor %]",
    "{READ|json}",
    "{READ|length} {{ READ|json }}",
];

/// What texts see when just these slots are filled.
fn base(filled: &[&str]) -> Arc<Base> {
    let slots = filled.iter().map(|slot| ((*slot).to_owned(), vec![Value::from(format!("of {slot}"))]));
    let contributions = Contributions {
        slots: Arc::new(slots.map(|(slot, values): (String, Vec<Value>)| (slot, Value::from(values))).collect()),
        ..Contributions::default()
    };
    let own = Base::from([(Arc::from("key"), Value::from("b")), (Arc::from("data"), Value::from(()))]);
    contributions.base(&own, None)
}

/// The result without any slot and with each one; `None` for a text that cannot be used at all.
fn results(make: impl Fn(&Arc<Base>) -> Option<String>) -> Option<(String, Vec<String>)> {
    Some((make(&base(&[]))?, SLOTS.iter().map(|slot| make(&base(&[slot]))).collect::<Option<_>>()?))
}

/// Every slot that changes the result is among those that were told. How many did.
fn holds_for(text: &str, told: &Slots, results: Option<(String, Vec<String>)>) -> usize {
    let Some((without, with)) = results else { return 0 };
    let changing = SLOTS.into_iter().zip(with).filter(|(_, with)| *with != without);
    let check = |(slot, with): (&str, String)| {
        assert!(told.holds(slot), "{text:?} depends on `{slot}` ({without:?}, {with:?}), but {told:?} was told");
    };
    changing.map(check).count()
}

fn expressions() -> Vec<String> {
    let with_slot = |text: &str| SLOTS.map(|slot| text.replace("SLOT", slot));
    let with_blank = |text: String| ["", " ", "\n"].map(|blank| text.replace("BLANK", blank));
    let mut all: Vec<String> = READS.iter().flat_map(|text| with_slot(text)).flat_map(with_blank).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn a_template_that_depends_on_a_slot_reads_it() {
    let none = BTreeSet::new();
    let words = Arc::new(words::of_data(&base(&[]), &[]));
    let mut depending = 0;
    for read in expressions() {
        for text in TEXTS.map(|text| text.replace("READ", &read)) {
            for syntax in [Syntax::Auto, Syntax::Both, Syntax::Jinja, Syntax::Placeholder, Syntax::Brackets] {
                let source = Source {
                    name: "t",
                    text: &text,
                    syntax,
                    literal: &[],
                    placeholders: &[],
                    is_path: false,
                    also_bound: &none,
                    shared: false,
                    traced: None,
                };
                let mut unit = Unit::new(Arc::clone(&words), &Limits::default());
                let (_, issues) = unit.add(&source);
                if issues.iter().any(crate::template::Issue::is_error) {
                    continue;
                }
                let told = slots::of_template(&source, unit.words());
                let render = |base: &Arc<Base>| {
                    let scope = Arc::new(Scope::bare(Arc::clone(&words), Arc::clone(base)));
                    Some(unit.render_text("t", &scope).unwrap_or_else(|failure| failure.issue.message))
                };
                depending += holds_for(&text, &told, results(render));
            }
        }
    }
    assert!(depending > 2000, "{depending}");
}

#[test]
fn an_expression_that_depends_on_a_slot_reads_it() {
    let unit = Unit::new(Arc::new(words::of_data(&base(&[]), &[])), &Limits::default());
    let mut depending = 0;
    for read in expressions() {
        for text in [read.clone(), format!("{{{{ {read} }}}}"), format!("not {read}"), format!("({read})|length > 0")] {
            if !unit.check_expression(&text).is_empty() {
                continue;
            }
            let evaluate = |base: &Arc<Base>| {
                let scope = Arc::new(Scope::bare(Arc::clone(unit.words()), Arc::clone(base)));
                Some(
                    unit.evaluate(&text, &scope)
                        .map_or_else(|issue| issue.message, |value| to_json(&value).to_string()),
                )
            };
            depending += holds_for(&text, &slots::of_expression(&text), results(evaluate));
        }
    }
    assert!(depending > 100, "{depending}");
}

#[test]
fn a_slot_is_one_list_however_often_it_is_asked_for() {
    let routes = Value::from(vec![Value::from(1), Value::from(2)]);
    let slots = Arc::new(SlotValues(Arc::new([("routes".to_owned(), routes)].into())));
    let ask = || slots.get_value_by_str("routes").unwrap().downcast_object::<Vec<Value>>().unwrap();
    assert!(Arc::ptr_eq(&ask(), &ask()));
    assert_eq!(slots.get_value_by_str("nobody").unwrap().len(), Some(0));
}
