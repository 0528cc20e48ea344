//! Renders planned files. Each body is handed to the sink once and then dropped: bodies are never all in memory.
//!
//! The same bytes for any number of threads and any order of inputs; this stage touches nothing but threads.

use rayon::prelude::*;

use crate::digest::{Digest, lf_digest};
use crate::event::{Event, Watcher};
use crate::plan::{PlannedBody, PlannedFile};
use crate::template::{Failure, marks, steps};

/// What is known of a rendered body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// BLAKE3 of the bytes.
    pub digest: Digest,
    /// The digest after CRLF became LF, only for a text that holds CRLF.
    pub lf_digest: Option<Digest>,
    /// Lines; a last line without a newline counts.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Facts {
    /// The facts of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let newlines = memchr::memchr_iter(b'\n', body).count() as u64;
        let open = u64::from(body.last().is_some_and(|&last| last != b'\n'));
        Self { digest: Digest::of(body), lf_digest: lf_digest(body), lines: newlines + open, bytes: body.len() as u64 }
    }
}

/// What became of a planned file.
#[derive(Debug)]
pub enum Rendered {
    /// It was rendered and the sink took it.
    Done(Facts),
    /// Its template failed.
    Failed(Failure),
    /// It was not asked for.
    Skipped,
}

/// Takes each body once, from many threads. A sink keeps its own errors.
pub trait Sink: Sync {
    /// Whether the file is to be rendered at all.
    fn wants(&self, file: &PlannedFile) -> bool;
    /// Takes the body of the file.
    fn take(&self, file: &PlannedFile, facts: &Facts, body: &[u8]);
    /// Is told how many steps of the engine a render took, also where it failed.
    fn paid(&self, _steps: u64) {}
}

/// Renders `files` in parallel on the current thread pool; the answers come in the order of the files.
#[must_use]
pub fn render(files: &[PlannedFile], sink: &dyn Sink, watcher: &dyn Watcher) -> Vec<Rendered> {
    files
        .par_iter()
        .with_min_len(16)
        .map_init(Vec::new, |buffer, file| {
            if !sink.wants(file) {
                return Rendered::Skipped;
            }
            let before = steps::taken();
            let body = body(file, buffer);
            sink.paid(steps::taken().saturating_sub(before));
            let outcome = match body {
                Ok(body) => {
                    let facts = Facts::of(body);
                    sink.take(file, &facts, body);
                    Rendered::Done(facts)
                }
                Err(failure) => Rendered::Failed(failure),
            };
            watcher.on_event(Event::Rendered);
            outcome
        })
        .collect()
}

/// The body of one file, in `buffer` if it is rendered.
///
/// # Errors
/// Where and why its template failed.
pub fn body<'b>(file: &'b PlannedFile, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Failure> {
    match &file.body {
        PlannedBody::Render(unit, name, scope) => {
            let what = format_args!("`{}`, from the template `{}`", file.path, file.template);
            let _mark = marks::begin(unit.limits(), &what);
            unit.render(name, scope, buffer)?;
            Ok(buffer)
        }
        PlannedBody::Copy(bytes) => Ok(bytes),
        PlannedBody::Empty => Ok(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_as_people_count_them() {
        for (body, lines) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2)] {
            assert_eq!(Facts::of(body.as_bytes()).lines, lines, "{body:?}");
        }
        assert!(Facts::of(b"a\r\n").lf_digest.is_some_and(|digest| digest == Facts::of(b"a\n").digest));
    }
}
