//! The budget of one render: what its filters, operators and calls make is added up, and refused where a limit is met.
//!
//! The sum lies with the engine's state of the render, so that macros, included templates and blocks share it. It knows
//! no clock: the same template meets the same limit everywhere.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::Object;
use minijinja::{Error, ErrorKind, State, Value};

use super::value::Weight;
use crate::limit::{Limit, Limits};

/// The name under which a render keeps its sum.
const SPENT: &str = "__megax_spent";
/// Texts up to this length are free: the steps of the engine bound them.
const FREE: usize = 64;
/// Printed ones up to this length.
const FREE_PRINT: usize = 16;
/// What an item of a list counts, in bytes.
const ITEM: u64 = 32;
/// So many bytes that are made take about as long as a step of the engine.
const STEP: u64 = 4;
/// What is only read costs so many times less than what is made.
const READ: u64 = 8;

/// A limit that was met, as the source of an engine's error.
#[derive(Debug, Clone)]
pub(super) struct Met {
    /// Which one.
    pub limit: Limit,
    /// What is over it.
    pub what: String,
    /// What to do about it.
    pub mend: &'static str,
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Met {}

impl From<Met> for Error {
    fn from(met: Met) -> Self {
        Self::new(ErrorKind::OutOfFuel, met.what.clone()).with_source(met)
    }
}

/// What the filters and operators of a unit may make.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Limits>);

/// The bytes that a render has made.
#[derive(Debug, Default)]
struct Spent(AtomicU64);

impl Object for Spent {}

impl Budget {
    pub fn new(limits: &Limits) -> Self {
        Self(Arc::new(*limits))
    }

    pub fn limits(&self) -> &Limits {
        &self.0
    }

    /// Adds bytes to what the render has made.
    pub fn spend(&self, state: &mut State<'_, '_>, bytes: u64) -> Result<(), Error> {
        // What goes on in a call takes time as well: a run counts it beside the steps, whatever comes of the render.
        super::steps::add(bytes / STEP);
        let known = state.get_temp(SPENT).and_then(|value| value.downcast_object::<Spent>());
        let spent = known.unwrap_or_else(|| {
            let spent = Arc::new(Spent::default());
            state.set_temp(SPENT, Value::from_dyn_object(Arc::clone(&spent)));
            spent
        });
        let before = spent.0.fetch_add(bytes.min(u64::MAX / 4), Ordering::Relaxed);
        if before.saturating_add(bytes) > self.0.get(Limit::RenderBytes) {
            let what = "the filters and operators of this render make too much".to_owned();
            return Err(Met { limit: Limit::RenderBytes, what, mend: "make less in one file" }.into());
        }
        Ok(())
    }

    /// Refuses a text that one call would make.
    pub fn bytes(&self, bytes: usize) -> Result<(), Error> {
        if bytes as u64 > self.0.get(Limit::CallBytes) {
            let what = format!("one filter, operator or call would make {bytes} bytes");
            return Err(Met { limit: Limit::CallBytes, what, mend: "make less at once" }.into());
        }
        Ok(())
    }

    /// Refuses a list that one call would make.
    pub fn items(&self, items: usize) -> Result<(), Error> {
        if items as u64 > self.0.get(Limit::CallItems) {
            let what = format!("one filter, operator or call would make a list of {items} items");
            return Err(Met { limit: Limit::CallItems, what, mend: "make less at once" }.into());
        }
        Ok(())
    }

    /// Refuses a value that is nested too deep or stands for too much.
    pub fn weight(&self, weight: Weight) -> Result<(), Error> {
        let over = |limit, what: &str| Err(Met { limit, what: what.to_owned(), mend: "build a smaller value" }.into());
        if u64::from(weight.depth) > self.0.get(Limit::YamlDepth) {
            return over(Limit::YamlDepth, "the value has too many lists and mappings inside one another");
        }
        if weight.nodes > self.0.get(Limit::AliasNodes) {
            return over(Limit::AliasNodes, "the value stands for too many items");
        }
        if weight.bytes > self.0.get(Limit::AliasBytes) {
            return over(Limit::AliasBytes, "the value stands for too many bytes");
        }
        Ok(())
    }

    /// Pays for looking at the whole of a value, `price` times over.
    pub fn read(&self, state: &mut State<'_, '_>, value: &Value, price: u64) -> Result<(), Error> {
        if is_small(value) {
            return Ok(());
        }
        let weight = Weight::of(value);
        let cost = (weight.bytes / READ).saturating_add(weight.nodes.saturating_mul(ITEM / READ));
        self.spend(state, cost.saturating_mul(price))
    }

    /// Pays for looking at a text, or at the items of a list but not into them, `price` times over.
    pub fn scan(&self, state: &mut State<'_, '_>, value: &Value, price: u64) -> Result<(), Error> {
        if is_small(value) {
            return Ok(());
        }
        let cost = match value.as_str() {
            Some(text) => text.len() as u64 / READ,
            None => (ITEM / 2).saturating_mul(value.len().unwrap_or(0) as u64),
        };
        self.spend(state, cost.saturating_mul(price))
    }

    /// Pays for a text that is printed: the block around it may hold it in memory.
    pub fn printed(&self, state: &mut State<'_, '_>, text: &str) -> Result<(), Error> {
        if text.len() < FREE_PRINT { Ok(()) } else { self.spend(state, text.len() as u64) }
    }

    /// Pays for a text that was made.
    pub fn made(&self, state: &mut State<'_, '_>, text: &str) -> Result<(), Error> {
        if text.len() < FREE {
            return Ok(());
        }
        self.bytes(text.len())?;
        self.spend(state, text.len() as u64)
    }

    /// Pays for a list that was made.
    pub fn listed(&self, state: &mut State<'_, '_>, items: usize) -> Result<(), Error> {
        self.items(items)?;
        self.spend(state, ITEM.saturating_mul(items as u64 + 2))
    }
}

/// Whether looking at a value costs next to nothing.
fn is_small(value: &Value) -> bool {
    match value.as_str() {
        Some(text) => text.len() < FREE,
        None => value.as_object().is_none(),
    }
}
