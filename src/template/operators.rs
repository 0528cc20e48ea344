//! The operators that can make much from little (`~`, `+`, `*`, slices, lists and mappings), as filters with a budget.
//!
//! [`super::guard`] writes these filters into templates in the place of the operators. They give what the engine's own
//! operators give, but refuse what would be over a limit before it is made.

use std::fmt::{self, Write as _};

use minijinja::value::{Rest, Tuple, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::budget::Budget;
use super::weight::{Weight, is_weighed, list, weighed};

/// `(a)|CAT(b, c)` is `a ~ b ~ c`.
pub(super) const CAT: &str = "__megax_cat";
/// `(a)|ADD(b)` is `a + b`.
pub(super) const ADD: &str = "__megax_add";
/// `(a)|SUB(b)` is `a - b`.
pub(super) const SUB: &str = "__megax_sub";
/// `(a)|MUL(b)` is `a * b`.
pub(super) const MUL: &str = "__megax_mul";
/// `(a)|DIV(b)` is `a / b`.
pub(super) const DIV: &str = "__megax_div";
/// `(a)|INT_DIV(b)` is `a // b`.
pub(super) const INT_DIV: &str = "__megax_int_div";
/// `(a)|REM(b)` is `a % b`.
pub(super) const REM: &str = "__megax_rem";
/// Takes a value that the engine made into the books.
pub(super) const KEEP: &str = "__megax_keep";
/// Pays for a value whose whole is looked at next.
pub(super) const LOOK: &str = "__megax_look";
/// Pays for the names that an `include` tries one after another.
pub(super) const CHOSEN: &str = "__megax_chosen";
/// Pays for what an index is looked up in.
pub(super) const INDEXED: &str = "__megax_indexed";
/// Pays for the beginning of a loop.
pub(super) const LOOPED: &str = "__megax_looped";
/// `(a)|SLICE(b, c, d)` is `a[b:c:d]`.
pub(super) const SLICE: &str = "__megax_slice";
/// Pays for so many bytes of the template's own text.
pub(super) const TEXT: &str = "__megax_text";

/// A loop over a text is hardly ever meant, and what it makes looks like nothing that anybody wrote.
const LETTERS: &str = "this is a text and no list, so the loop would go through its letters; write a list (`[email, city]`), \
                       cut the text (`|split(', ')`), or say that letters are meant (`|list`)";

/// Adds them to `env`.
pub(super) fn register(env: &mut Environment<'_>, budget: &Budget) {
    let own = budget.clone();
    env.add_filter(CAT, move |state: &mut State<'_, '_>, first: Value, rest: Rest<Value>| {
        concat(&own, state, &first, &rest).map(Value::from)
    });
    let own = budget.clone();
    env.add_filter(ADD, move |state: &mut State<'_, '_>, a: Value, b: Value| add(&own, state, &a, &b));
    let own = budget.clone();
    env.add_filter(MUL, move |state: &mut State<'_, '_>, a: Value, b: Value| multiply(&own, state, &a, &b));
    for (name, expression) in [(SUB, "a - b"), (DIV, "a / b"), (INT_DIV, "a // b"), (REM, "a % b")] {
        env.add_filter(name, move |state: &mut State<'_, '_>, a: Value, b: Value| by_engine(state, expression, a, b));
    }
    let own = budget.clone();
    env.add_filter(KEEP, move |state: &mut State<'_, '_>, value: Value| keep(&own, state, value));
    let own = budget.clone();
    env.add_filter(LOOK, move |state: &mut State<'_, '_>, value: Value| {
        own.read(state, &value, 1)?;
        Ok::<_, Error>(value)
    });
    let own = budget.clone();
    env.add_filter(CHOSEN, move |state: &mut State<'_, '_>, value: Value| {
        own.read(state, &value, 64)?;
        Ok::<_, Error>(value)
    });
    let own = budget.clone();
    env.add_filter(INDEXED, move |state: &mut State<'_, '_>, value: Value| {
        // Characters are counted; lists and mappings know where their items are.
        if value.as_str().is_some() {
            own.read(state, &value, 8)?;
        }
        Ok::<_, Error>(value)
    });
    let own = budget.clone();
    env.add_filter(LOOPED, move |state: &mut State<'_, '_>, value: Value| {
        if value.as_str().is_some_and(|text| !text.is_empty()) {
            return Err(Error::new(ErrorKind::InvalidOperation, LETTERS));
        }
        // The keys of a mapping are listed before the first round.
        if value.kind() == ValueKind::Map {
            own.spend(state, 4 * value.len().unwrap_or(0) as u64)?;
        }
        Ok::<_, Error>(value)
    });
    let own = budget.clone();
    env.add_filter(SLICE, move |state: &mut State<'_, '_>, value: Value, from: Value, to: Value, step: Value| {
        own.read(state, &value, 1)?;
        let made = slice(&value, &from, &to, &step)?;
        keep(&own, state, made)
    });
    let own = budget.clone();
    env.add_filter(TEXT, move |state: &mut State<'_, '_>, bytes: u64| {
        own.spend(state, bytes)?;
        Ok::<_, Error>("")
    });
}

/// What the engine itself makes of two operands that cannot grow: numbers, and whatever is an error.
fn by_engine(state: &State<'_, '_>, expression: &'static str, a: Value, b: Value) -> Result<Value, Error> {
    let operands = minijinja::context! { a, b };
    let made = state.env().compile_expression(expression).and_then(|compiled| compiled.eval(operands));
    // Where it went wrong is in the template, not in this expression.
    made.map_err(|error| Error::new(error.kind(), error.detail().unwrap_or_default().to_owned()))
}

/// A text that stops growing at a limit.
struct Bounded {
    text: String,
    most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.text.len() + more.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}

fn concat(budget: &Budget, state: &mut State<'_, '_>, first: &Value, rest: &[Value]) -> Result<String, Error> {
    let mut out = Bounded { text: String::new(), most: budget.limits().size(crate::limit::Limit::CallBytes) };
    for value in std::iter::once(first).chain(rest) {
        if value.is_undefined() {
            value.get_attr("")?;
        }
        let written = match value.as_str() {
            Some(text) => out.write_str(text),
            None => write!(out, "{value}"),
        };
        if written.is_err() {
            let weight = usize::try_from(Weight::of(value).bytes).unwrap_or(usize::MAX);
            budget.bytes(out.text.len().saturating_add(weight).max(out.most.saturating_add(1)))?;
        }
    }
    budget.made(state, &out.text)?;
    Ok(out.text)
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
        && value.as_object().is_some_and(|object| !object.is::<Tuple>())
}

/// `a + b`.
pub(super) fn add(budget: &Budget, state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (a.as_str(), b.as_str()) {
        budget.bytes(left.len().saturating_add(right.len()))?;
        let text = [left, right].concat();
        budget.made(state, &text)?;
        return Ok(Value::from(text));
    }
    if is_list(a) && is_list(b) {
        let both = [a, b];
        let items = both.iter().map(|value| value.len().unwrap_or(0)).fold(0_usize, usize::saturating_add);
        budget.listed(state, items)?;
        let items = both.into_iter().filter_map(|value| value.try_iter().ok()).flatten().collect();
        return checked(budget, list(items));
    }
    if let (Some(left), Some(right)) = (small_int(a), small_int(b)) {
        return Ok(Value::from(left + right));
    }
    let made = by_engine(state, "a + b", a.clone(), b.clone())?;
    keep(budget, state, made)
}

/// A whole number so small that sums and products of two of them are 64 bits.
fn small_int(value: &Value) -> Option<i64> {
    let whole = value.kind() == ValueKind::Number && value.is_integer();
    value.as_i64().filter(|number| whole && number.unsigned_abs() < 1 << 31)
}

/// `a * b`.
fn multiply(budget: &Budget, state: &mut State<'_, '_>, a: &Value, b: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (small_int(a), small_int(b)) {
        return Ok(Value::from(left * right));
    }
    let repeated = [(a, b), (b, a)].into_iter().find(|(what, _)| what.as_str().is_some() || what.as_object().is_some());
    if let Some((what, times)) = repeated {
        let times = times.as_usize().unwrap_or(0);
        match what.as_str() {
            Some(text) => budget.bytes(text.len().saturating_mul(times))?,
            None => budget.listed(state, what.len().unwrap_or(0).saturating_mul(times))?,
        }
    }
    let made = by_engine(state, "a * b", a.clone(), b.clone())?;
    keep(budget, state, made)
}

/// A value that the engine made: paid for, with its weight, and refused if it is too heavy.
pub(super) fn keep(budget: &Budget, state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        budget.made(state, text)?;
        return Ok(value);
    }
    if is_weighed(&value) {
        return Ok(value);
    }
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
        budget.listed(state, value.len().unwrap_or(0))?;
    }
    checked(budget, weighed(value))
}

fn checked(budget: &Budget, value: Value) -> Result<Value, Error> {
    let weight = Weight::of(&value);
    budget.weight(weight)?;
    if weight.changes {
        let message = "a namespace cannot be put into a list, a mapping or another namespace";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(value)
}

/// `value[from:to:step]`, as Python has it.
fn slice(value: &Value, from: &Value, to: &Value, step: &Value) -> Result<Value, Error> {
    let number = |value: &Value| if value.is_none() { Ok(None) } else { i64::try_from(value.clone()).map(Some) };
    let (from, to, step) = (number(from)?, number(to)?, number(step)?.unwrap_or(1));
    if step == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "cannot slice by step size of 0"));
    }
    if value.is_undefined() || value.is_none() {
        return Ok(list(Vec::new()));
    }
    if let Some(text) = value.as_str() {
        let characters: Vec<char> = text.chars().collect();
        return Ok(Value::from(sliced(&characters, from, to, step).into_iter().collect::<String>()));
    }
    let Some(object) = value.as_object().filter(|_| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable))
    else {
        let message = format!("value of type {} cannot be sliced", value.kind());
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    };
    let items: Vec<Value> = value.try_iter()?.collect();
    let items = sliced(&items, from, to, step);
    Ok(if object.is::<Tuple>() { Value::from(Tuple::from(items)) } else { list(items) })
}

fn sliced<T: Clone>(items: &[T], from: Option<i64>, to: Option<i64>, step: i64) -> Vec<T> {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (least, most) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |bound: i64| if bound < 0 { bound.saturating_add(len).max(least) } else { bound.min(most) };
    let (first, last) = if step > 0 { (0, len) } else { (len - 1, -1) };
    let (mut at, end) = (from.map_or(first, place), to.map_or(last, place));
    let mut out = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        out.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    out
}

/// The values of a call without its named arguments.
pub(super) fn values(args: Rest<ValueOrKwargs>) -> Vec<Value> {
    args.into_values()
}
