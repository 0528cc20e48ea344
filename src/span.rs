//! Places in source text: which file, which bytes, and the line and column that a person reads.
//!
//! A [`Span`] is twelve bytes and means nothing without the [`SourceMap`] it was made for. This module does no I/O; the
//! texts are handed to it by `source`.

use std::sync::Arc;

/// A file of a [`SourceMap`]. Ids ascend in the order of the files' names, so that sorting by id sorts by name: first the
/// manifest and the mega-files, then the data files, then the shared templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte; equal to `start` for a point.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`; an `end` before `start` gives the point `start`.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let start = clamp_u32(start);
        Self { file, start, end: clamp_u32(end).max(start) }
    }

    /// The point at which the span starts.
    #[must_use]
    pub fn head(self) -> Self {
        Self { end: self.start, ..self }
    }
}

fn clamp_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A line and a column, both from 1; the column counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One text that was read, with its line starts.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// Wraps `text` under the display name `name` (relative to the project root, `/` between parts).
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| clamp_u32(at + 1)));
        Self { name: name.into(), text, line_starts }
    }

    /// The display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset; an offset past the end or inside a character is moved back to the nearest
    /// boundary.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let offset = self.floor_boundary(offset);
        let line = self.line_starts.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start as usize..offset as usize).unwrap_or("");
        Position { line: clamp_u32(line + 1), column: clamp_u32(before.chars().count() + 1) }
    }

    /// The byte offset of the first byte of `line` (from 1); the end of the text if there is no such line.
    #[must_use]
    pub fn line_start(&self, line: u32) -> u32 {
        let index = (line as usize).saturating_sub(1);
        self.line_starts.get(index).copied().unwrap_or(clamp_u32(self.text.len()))
    }

    /// How many lines the text has; a final newline does not begin another.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        clamp_u32(self.text.lines().count())
    }

    fn floor_boundary(&self, offset: u32) -> u32 {
        let mut at = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        clamp_u32(at)
    }
}

/// All texts of a run. Built once by `source`, shared by every later stage.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and returns its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(clamp_u32(self.files.len() - 1))
    }

    /// The file of an id. `None` only for an id of another map.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The display name of the file, or `?` for an id of another map.
    #[must_use]
    pub fn name(&self, id: FileId) -> &str {
        self.get(id).map_or("?", SourceFile::name)
    }

    /// Start and end of a span as lines and columns.
    #[must_use]
    pub fn positions(&self, span: Span) -> Option<(Position, Position)> {
        let file = self.get(span.file)?;
        Some((file.position(span.start), file.position(span.end)))
    }

    /// All files with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(clamp_u32(index)), file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_survive_odd_offsets() {
        let file = SourceFile::new("a.yaml", "å: 1\nb: 2\n");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position(1), Position { line: 1, column: 1 }, "inside å");
        assert_eq!(file.position(2), Position { line: 1, column: 2 });
        assert_eq!(file.position(6), Position { line: 2, column: 1 });
        assert_eq!(file.position(999).line, 3, "past the end: after the last newline");
        assert_eq!(file.line_start(2), 6);
        assert_eq!(file.line_count(), 2);
    }
}
