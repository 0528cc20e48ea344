//! What a rule is once it is understood: what it loops over, the files of one round, the factory it calls; and what a
//! mega-file contributes to others. Plain data.

use std::collections::BTreeMap;

use minijinja::Value;

use super::UserSchema;
use crate::path::FileMode;
use crate::source::NodeId;
use crate::span::Span;

/// A rule: a loop (or none) and the files of one round.
#[derive(Debug)]
pub struct Rule {
    /// Its number in the mega-file, from 1.
    pub number: usize,
    /// Where it stands.
    pub span: Span,
    /// What it loops over.
    pub each: Loop,
    /// Rounds without this are skipped.
    pub when: Option<NodeId>,
    /// Values bound for all its files.
    pub with: Vec<(String, NodeId)>,
    /// Path patterns: name and text.
    pub patterns: Vec<(String, NodeId)>,
    /// The files.
    pub entries: Vec<Entry>,
    /// The factory that it calls, once per round; its arguments are `with`.
    pub call: Option<Call>,
    /// Whether it may yield nothing without a warning.
    pub allow_empty: bool,
    /// How its placeholders are made.
    pub words: WordStyle,
    /// Plurals where the English rules fail, by the singular.
    pub plurals: Plurals,
}

/// Plurals where the English rules fail, by the singular.
pub type Plurals = BTreeMap<String, String>;

/// A call of a factory.
#[derive(Debug, Clone)]
pub struct Call {
    /// The factory's name.
    pub factory: String,
    /// Where it is named.
    pub span: Span,
    /// The mapping of its arguments.
    pub with: Option<NodeId>,
    /// Where the arguments stand; the call itself if there are none.
    pub arguments: Span,
}

/// A named group of files with parameters.
#[derive(Debug)]
pub struct Factory {
    /// Its name.
    pub name: String,
    /// Where it is named.
    pub span: Span,
    /// The parameters in order.
    pub params: Vec<Param>,
    /// What the arguments must satisfy.
    pub schema: Option<UserSchema>,
    /// Its rules. They see the parameters and the mega-file's own names, not the caller's loop.
    pub rules: Vec<Rule>,
}

/// A parameter of a factory.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its value when the call gives none.
    pub default: Option<Value>,
    /// Whether the call must give it.
    pub required: bool,
    /// Whether it has forms (`{Name}`): it can be text, or a mapping with a `name`.
    pub has_forms: bool,
}

/// Values for the owner of a shared file.
#[derive(Debug)]
pub struct Contribution {
    /// The slot that they are given to.
    pub slot: String,
    /// Where the slot is named.
    pub slot_span: Span,
    /// Its loop and condition; it has no entries.
    pub rule: Rule,
    /// The value of one round.
    pub value: NodeId,
}

/// What a rule loops over.
#[derive(Debug)]
pub enum Loop {
    /// Nothing: one round.
    Once,
    /// Lists; several make a cross product, the last varying fastest.
    Over(Vec<LoopList>),
}

/// One loop variable and its values.
#[derive(Debug)]
pub struct LoopList {
    /// The loop variable.
    pub variable: String,
    /// Its values.
    pub items: LoopItems,
    /// Where the list stands.
    pub span: Span,
}

/// The values of a loop variable.
#[derive(Debug)]
pub enum LoopItems {
    /// As they stand.
    Values(Vec<Value>),
    /// The text of an expression over data that gives a list or a mapping.
    Expression(NodeId),
}

/// Which words a rule's placeholders may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordStyle {
    /// Loop variables and their forms, `with` keys; fields need a dotted path.
    Native,
    /// The keys of the items and their forms, and what the mega-file says of itself.
    Keys,
    /// [`Self::Keys`], and the four words for entities.
    Entities,
}

/// One file of a round.
#[derive(Debug)]
pub struct Entry {
    /// What stands in it.
    pub content: Content,
    /// The texts of its path.
    pub path: PathText,
    /// Left out without this.
    pub when: Option<NodeId>,
    /// Values bound for this file.
    pub with: Vec<(String, NodeId)>,
    /// Its mode.
    pub mode: FileMode,
    /// Written if absent, then the user's.
    pub once: bool,
    /// Where it is written.
    pub span: Span,
}

/// The path of an entry: texts that are joined with `/`. A scaffold has one per level.
#[derive(Debug, Clone)]
pub struct PathText {
    /// The text nodes.
    pub parts: Vec<NodeId>,
    /// An empty folder: the file is its `.gitkeep`.
    pub keep: bool,
}

/// What stands in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// A template of the mega-file, and where it is named.
    Template(String, Span),
    /// The text at this node.
    Inline(NodeId),
    /// A file of the project, copied as it is: the path as written and its place.
    Copy(String, Span),
    /// An empty file.
    Empty,
}
