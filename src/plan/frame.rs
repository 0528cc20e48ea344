//! For whom rules are run: once for the mega-file itself, or for all calls of a factory together.
//!
//! The calls of a factory are run as one batch, so that its templates are compiled once however often it is called.

use std::sync::Arc;

use minijinja::Value;

use crate::template::Slots;

/// A parameter as the vocabulary needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameParam {
    /// Its name.
    pub name: String,
    /// Whether it has forms (`{Name}`).
    pub has_forms: bool,
    /// Whether some call gives a mapping.
    pub is_mapping: bool,
}

/// One call: the values of the parameters, in their order.
#[derive(Debug, Clone)]
pub struct FrameCall {
    /// The values.
    pub values: Vec<(Arc<str>, Value)>,
    /// The number of the mega-file's rule from which the calls come.
    pub rule: usize,
    /// The item of the caller's loop.
    pub item: Option<String>,
}

/// For whom rules are run.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The factories that called one another, outermost first (`crud > field`); `None` for the mega-file's own rules. In
    /// a factory an empty list is as good as any.
    pub factory: Option<Arc<str>>,
    /// How many factories these are.
    pub depth: u64,
    /// The parameters.
    pub params: Vec<FrameParam>,
    /// The calls.
    pub calls: Vec<FrameCall>,
    /// The slots that the arguments are made from.
    pub reads: Slots,
}

impl Frame {
    /// The mega-file's own rule of this number: one call without parameters.
    #[must_use]
    pub fn of_rule(rule: usize) -> Self {
        let call = FrameCall { values: Vec::new(), rule, item: None };
        Self { factory: None, depth: 0, params: Vec::new(), calls: vec![call], reads: Slots::default() }
    }
}

/// One round: of which call, and the loop variables with their values.
#[derive(Debug, Clone)]
pub struct Round {
    /// The index of the call in its frame.
    pub call: usize,
    /// Loop variables, outermost first.
    pub loops: Vec<(Arc<str>, Value)>,
}
