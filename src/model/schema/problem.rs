//! One finding per problem: what the validator says several times is said once.

use crate::diagnostic::Diagnostic;

/// What a problem is about, from the most to the least telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aspect {
    /// An unquoted placeholder: explains everything else at its place and below.
    Placeholder,
    /// The mapping has the wrong keys altogether: explains everything else at its place and below.
    Shape,
    /// The value's type.
    Type,
    /// The value.
    Value,
    /// A key that is unknown, and the known key that was meant.
    Key { unknown: String, meant: Option<String> },
    /// A key that is missing.
    Missing(String),
}

/// A finding and the place in the document that it speaks of.
#[derive(Debug)]
pub(super) struct Problem {
    /// A JSON pointer.
    pub path: String,
    pub aspect: Aspect,
    pub diagnostic: Diagnostic,
}

/// Drops what another problem explains.
pub(super) fn collapse(problems: Vec<Problem>) -> Vec<Diagnostic> {
    let keep: Vec<bool> = (0..problems.len()).map(|index| !is_explained(&problems, index)).collect();
    problems.into_iter().zip(keep).filter_map(|(problem, keep)| keep.then_some(problem.diagnostic)).collect()
}

fn is_explained(problems: &[Problem], index: usize) -> bool {
    let Some(problem) = problems.get(index) else {
        return false;
    };
    problems
        .iter()
        .enumerate()
        .any(|(other_index, other)| other_index != index && explains(other, problem, other_index < index))
}

/// Whether `other` says what `problem` says, and better; of two equal ones the earlier counts.
fn explains(other: &Problem, problem: &Problem, earlier: bool) -> bool {
    let same = other.path == problem.path;
    let below = problem.path.strip_prefix(&other.path).is_some_and(|rest| rest.starts_with('/'));
    match (&other.aspect, &problem.aspect) {
        (Aspect::Placeholder, Aspect::Placeholder) | (Aspect::Shape, Aspect::Shape) => below || (same && earlier),
        (Aspect::Shape, Aspect::Placeholder) => false,
        (Aspect::Placeholder | Aspect::Shape, _) => same || below,
        (Aspect::Type, Aspect::Type) | (Aspect::Value, Aspect::Value) => same && earlier,
        (Aspect::Type, Aspect::Value) => same,
        (Aspect::Key { meant: Some(meant), .. }, Aspect::Missing(missing)) => same && meant == missing,
        (Aspect::Key { unknown, .. }, Aspect::Key { unknown: twin, .. }) => same && earlier && unknown == twin,
        (Aspect::Missing(key), Aspect::Missing(twin)) => same && earlier && key == twin,
        _ => false,
    }
}
