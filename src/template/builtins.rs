//! The engine's own filters, tests, functions and methods within a budget: looked at before they run, and what they
//! make taken into the books.

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters as engine, functions, tests};
use std::sync::Arc;

use super::budget::Budget;
use super::operators::{add, keep, values};

/// Looks at the arguments of a call before it is made.
type Check = Option<fn(&Budget, &[Value]) -> Result<(), Error>>;

/// What a call costs for each byte and item that it looks at.
const ONCE: u64 = 1;
/// The same for calls that sort or compare.
const SORT: u64 = 8;
/// The same for calls that search a text.
const SEARCH: u64 = 16;

/// Puts the wrapped ones in the place of the engine's.
pub(super) fn register(env: &mut Environment<'_>, budget: &Budget) {
    filters(env, budget);
    for (names, test) in [
        (&["eq", "equalto", "=="][..], Value::from_function(tests::is_eq)),
        (&["ne", "!="], Value::from_function(tests::is_ne)),
        (&["lt", "lessthan", "<"], Value::from_function(tests::is_lt)),
        (&["le", "<="], Value::from_function(tests::is_le)),
        (&["gt", "greaterthan", ">"], Value::from_function(tests::is_gt)),
        (&["ge", ">="], Value::from_function(tests::is_ge)),
        (&["in"], Value::from_function(tests::is_in)),
        (&["startingwith"], Value::from_function(tests::is_startingwith)),
        (&["endingwith"], Value::from_function(tests::is_endingwith)),
        (&["lower"], Value::from_function(tests::is_lower)),
        (&["upper"], Value::from_function(tests::is_upper)),
    ] {
        for name in names {
            let (own, test) = (budget.clone(), test.clone());
            env.add_test(*name, move |state: &mut State<'_, '_>, args: Rest<Value>| {
                for value in args.iter() {
                    own.read(state, value, ONCE)?;
                }
                test.call(state, &args).map(|answer| answer.is_true())
            });
        }
    }
    let own = budget.clone();
    env.add_function("range", move |from: i64, to: Option<i64>, step: Option<i64>| range(&own, from, to, step));
    for (name, function) in
        [("dict", Value::from_function(functions::dict)), ("namespace", Value::from_function(functions::namespace))]
    {
        let own = budget.clone();
        env.add_function(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = values(args);
            for value in &args {
                // What is refused in a list is refused here; the arguments themselves are passed on as they are.
                keep(&own, state, value.clone())?;
            }
            let made = function.call(state, &args)?;
            if name == "dict" { keep(&own, state, made) } else { Ok(made) }
        });
    }
    let own = budget.clone();
    env.set_unknown_method_callback(move |state, value, method, args| call_method(&own, state, value, method, args));
}

fn filters(env: &mut Environment<'_>, budget: &Budget) {
    let all: [(&str, Value, u64, Check); 29] = [
        ("int", Value::from_function(engine::int), ONCE, None),
        ("float", Value::from_function(engine::float), ONCE, None),
        ("upper", Value::from_function(engine::upper), ONCE, None),
        ("lower", Value::from_function(engine::lower), ONCE, None),
        ("capitalize", Value::from_function(engine::capitalize), ONCE, None),
        ("trim", Value::from_function(engine::trim), ONCE, None),
        ("string", Value::from_function(engine::string), SORT, None),
        ("length", Value::from_function(engine::length), ONCE, None),
        ("count", Value::from_function(engine::length), ONCE, None),
        ("last", Value::from_function(engine::last), ONCE, None),
        ("min", Value::from_function(engine::min), SORT, Some(of_items)),
        ("max", Value::from_function(engine::max), SORT, Some(of_items)),
        ("items", Value::from_function(engine::items), ONCE, Some(of_items)),
        ("dictsort", Value::from_function(engine::dictsort), SORT, Some(of_items)),
        ("reverse", Value::from_function(engine::reverse), ONCE, None),
        ("join", Value::from_function(engine::join), ONCE, Some(joined)),
        ("split", Value::from_function(engine::split), SEARCH, Some(pieces)),
        ("lines", Value::from_function(engine::lines), ONCE, Some(lines)),
        ("sort", Value::from_function(engine::sort), SORT, Some(of_items)),
        ("list", Value::from_function(engine::list), ONCE, Some(of_items)),
        ("batch", Value::from_function(engine::batch), ONCE, Some(counted)),
        ("slice", Value::from_function(engine::slice), ONCE, Some(counted)),
        ("select", Value::from_function(engine::select), ONCE, Some(of_items)),
        ("reject", Value::from_function(engine::reject), ONCE, Some(of_items)),
        ("selectattr", Value::from_function(engine::selectattr), ONCE, Some(of_items)),
        ("rejectattr", Value::from_function(engine::rejectattr), ONCE, Some(of_items)),
        ("map", Value::from_function(engine::map), ONCE, Some(of_items)),
        ("unique", Value::from_function(engine::unique), 3 * SORT, Some(of_items)),
        ("groupby", Value::from_function(engine::groupby), SORT, Some(of_items)),
    ];
    for (name, filter, price, check) in all {
        add_filter(env, budget, name, filter, price, check);
    }
    for (name, filter) in [("zip", Value::from_function(engine::zip)), ("chain", Value::from_function(engine::chain))] {
        add_filter(env, budget, name, filter, ONCE, Some(all_items));
    }
    let own = budget.clone();
    let sum_of_numbers = Value::from_function(engine::sum);
    env.add_filter("sum", move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        sum(&own, state, &sum_of_numbers, &values(args))
    });
}

/// Adds a filter that pays for what it looks at and what it makes.
pub(super) fn add_filter(
    env: &mut Environment<'_>,
    budget: &Budget,
    name: &'static str,
    filter: Value,
    price: u64,
    check: Check,
) {
    let own = budget.clone();
    let one_mapping = Value::from_function(functions::dict);
    env.add_filter(name, move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = values(args);
        // What is compared by an attribute is not looked into.
        let is_deep = price == SORT && !has_attribute(&args, 1);
        for value in &args {
            if is_deep { own.read(state, value, price)? } else { own.scan(state, value, price)? }
        }
        check.map_or(Ok(()), |check| check(&own, &args))?;
        let made = filter.call(state, &args)?;
        // A chain of mappings looks into one after another; what is kept is one mapping.
        let is_chain = name == "chain" && made.kind() == ValueKind::Map;
        let made = if is_chain { one_mapping.call(state, &[made])? } else { made };
        keep(&own, state, made)
    });
}

/// How many items a list, or characters a text has.
fn items_of(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.len().unwrap_or(0), |text| text.chars().count())
}

fn of_items(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    args.first().map_or(Ok(()), |value| budget.items(items_of(value)))
}

fn all_items(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    budget.items(args.iter().map(items_of).fold(0, usize::saturating_add))
}

/// The count of `batch` and `slice` comes from the text.
fn counted(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    of_items(budget, args)?;
    budget.items(args.get(1).and_then(Value::as_usize).unwrap_or(0))
}

fn pieces(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    let Some(text) = args.first().and_then(Value::as_str) else { return Ok(()) };
    let most = args.get(2).and_then(Value::as_usize).unwrap_or(usize::MAX);
    let count = match args.get(1).and_then(Value::as_str) {
        Some(separator) => text.matches(separator).count() + 1,
        None => text.split_whitespace().count(),
    };
    budget.items(count.min(most))
}

fn lines(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    args.first().and_then(Value::as_str).map_or(Ok(()), |text| budget.items(text.lines().count()))
}

fn joined(budget: &Budget, args: &[Value]) -> Result<(), Error> {
    let Some(value) = args.first() else { return Ok(()) };
    let named = args.last().and_then(|value| Kwargs::try_from(value.clone()).ok());
    let joiner = match args.get(1).and_then(Value::as_str) {
        Some(joiner) => joiner.len(),
        None => named.as_ref().and_then(|named| named.get::<&str>("d").ok()).map_or(0, str::len),
    };
    let between = joiner.saturating_mul(items_of(value));
    let texts = if has_attribute(args, 2) {
        0
    } else {
        usize::try_from(super::weight::Weight::of(value).bytes).unwrap_or(usize::MAX)
    };
    budget.bytes(between.saturating_add(texts))
}

/// Whether a call looks at an attribute of the items: by name, or by the argument at `index`.
fn has_attribute(args: &[Value], index: usize) -> bool {
    let named = args.last().and_then(|value| Kwargs::try_from(value.clone()).ok());
    args.get(index).is_some_and(|value| value.as_str().is_some()) || named.is_some_and(|named| named.has("attribute"))
}

/// The sum of numbers by the engine; of anything else step by step, since texts and lists grow.
fn sum(budget: &Budget, state: &mut State<'_, '_>, numbers: &Value, args: &[Value]) -> Result<Value, Error> {
    let Some(value) = args.first() else { return numbers.call(state, args) };
    budget.scan(state, value, ONCE)?;
    of_items(budget, args)?;
    let named = args.last().and_then(|value| Kwargs::try_from(value.clone()).ok());
    let start = match args.get(2).filter(|value| !value.is_kwargs()) {
        Some(start) => Some(start.clone()),
        None => named.as_ref().and_then(|named| named.get::<Option<Value>>("start").ok().flatten()),
    };
    let Some(mut sum) = start.filter(|start| start.kind() != ValueKind::Number) else {
        return numbers.call(state, args);
    };
    if has_attribute(args, 1) {
        let message = "sum with an attribute adds numbers only; take the values with `map(attribute='...')` first";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    for item in value.try_iter()? {
        if !item.is_undefined() {
            sum = add(budget, state, &sum, &item)?;
        }
    }
    Ok(sum)
}

/// `range(...)`: its numbers are made when they are asked for.
#[derive(Debug)]
struct Numbers {
    from: i64,
    step: i64,
    len: usize,
}

impl Numbers {
    fn at(&self, index: usize) -> Option<Value> {
        let offset = i64::try_from(index).ok().filter(|_| index < self.len)?.checked_mul(self.step)?;
        self.from.checked_add(offset).map(Value::from)
    }
}

impl Object for Numbers {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_i64()?;
        let from_end = || i64::try_from(self.len).ok()?.checked_add(index);
        let index = if index < 0 { from_end()? } else { index };
        self.at(usize::try_from(index).ok()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let numbers = Arc::clone(self);
        Enumerator::Iter(Box::new((0..self.len).map(move |index| numbers.at(index).unwrap_or_default())))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len)
    }
}

fn range(budget: &Budget, from: i64, to: Option<i64>, step: Option<i64>) -> Result<Value, Error> {
    let (from, to) = to.map_or((0, from), |to| (from, to));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "cannot create range with step of 0"));
    }
    let runs = if step > 0 { from < to } else { from > to };
    let len = if runs { from.abs_diff(to).div_ceil(step.unsigned_abs()) } else { 0 };
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    budget.items(len)?;
    Ok(Value::from_object(Numbers { from, step, len }))
}

/// The methods of texts, lists and mappings as Python has them.
fn call_method(
    budget: &Budget,
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    // Reading one entry of a mapping looks at nothing else.
    if method == "get" && value.kind() == ValueKind::Map {
        if let Some(key) = args.first() {
            budget.read(state, key, ONCE)?;
        }
        return minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args);
    }
    for value in std::iter::once(value).chain(args) {
        if method == "count" { budget.read(state, value, SEARCH)? } else { budget.scan(state, value, SEARCH)? }
    }
    if let Some(text) = value.as_str() {
        let own = |args: &[Value]| std::iter::once(value.clone()).chain(args.iter().cloned()).collect::<Vec<_>>();
        match (method, args) {
            ("replace", [from, to, ..]) => {
                let (from, to) = (from.as_str().unwrap_or_default(), to.as_str().unwrap_or_default());
                budget.bytes(text.matches(from).count().saturating_mul(to.len()).saturating_add(text.len()))?;
            }
            ("join", [list]) => joined(budget, &[list.clone(), value.clone()])?,
            ("split", _) => pieces(budget, &own(args))?,
            ("splitlines", _) => lines(budget, &own(&[]))?,
            ("format", _) => formatted(budget, text, args)?,
            _ => {}
        }
    }
    let made = minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)?;
    keep(budget, state, made)
}

/// The widths of `'{:>20}'.format(x)` stand in the text, those of `'{:>{}}'.format(x, 20)` in the arguments.
fn formatted(budget: &Budget, text: &str, args: &[Value]) -> Result<(), Error> {
    let named = args.last().and_then(|value| Kwargs::try_from(value.clone()).ok());
    let of_names = named.iter().flat_map(|named| named.args().filter_map(|name| named.peek::<Value>(name).ok()));
    let given: Vec<Value> = args.iter().filter(|value| !value.is_kwargs()).cloned().chain(of_names).collect();
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let written = numbers.map(|digits| digits.parse().unwrap_or(usize::MAX)).max().unwrap_or(0);
    // A field within the braces of another one is its width.
    let is_nested = text.split('{').skip(1).any(|part| !part.contains('}'));
    let width = given.iter().filter_map(Value::as_usize).filter(|_| is_nested).fold(written, usize::max);
    let weights = given.iter().map(super::weight::Weight::of).map(|weight| weight.bytes.saturating_add(weight.nodes));
    let shown = usize::try_from(weights.fold(0, u64::saturating_add)).unwrap_or(usize::MAX);
    let fields = text.matches('{').count();
    budget.bytes(fields.saturating_mul(width.saturating_add(shown)).saturating_add(text.len()))
}
