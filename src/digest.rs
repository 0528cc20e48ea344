//! BLAKE3 digests of bytes, and the one digest of a whole tree.

use std::fmt;

use crate::path::{FileMode, OutputPath};

/// BLAKE3 of some bytes (32 bytes, printed as 64 lower-case hexadecimal digits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 {
            return None;
        }
        let mut out = [0; 32];
        for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            *slot = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Some(Self(out))
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Folds several labelled byte strings into one digest; lengths are framed, so that no two lists of parts collide.
#[derive(Debug, Default)]
pub struct DigestBuilder(blake3::Hasher);

impl DigestBuilder {
    /// Adds one part.
    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// The digest of all parts so far.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

/// The digest of a tree: BLAKE3 over (path, mode, digest) of every file. The entries must come sorted by path; the
/// same files give the same digest on every machine.
#[must_use]
pub fn tree_digest<'a>(files: impl IntoIterator<Item = (&'a OutputPath, FileMode, Digest)>) -> Digest {
    let mut builder = DigestBuilder::default();
    builder.part(b"megax tree 1");
    for (path, mode, digest) in files {
        builder.part(path.as_str().as_bytes()).part(mode.as_str().as_bytes()).part(digest.as_bytes());
    }
    builder.finish()
}

/// The digest of a text after every CRLF became LF; `None` when it holds no CRLF, or a NUL: then it is no text, and its
/// bytes mean what they are. Two bodies with equal digests after that differ in line endings only ([`same_text`]).
#[must_use]
pub fn lf_digest(body: &[u8]) -> Option<Digest> {
    memchr::memmem::find(body, b"\r\n")?;
    if memchr::memchr(0, body).is_some() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        hasher.update(&rest[..at]);
        rest = &rest[at + 1..];
    }
    hasher.update(rest);
    Some(hasher.finalize().into())
}

/// Whether two bodies are equal, line endings aside. Each is given by its digest and its [`lf_digest`].
#[must_use]
pub fn same_text(one: (Digest, Option<Digest>), other: (Digest, Option<Digest>)) -> bool {
    one.0 == other.0 || one.1.unwrap_or(one.0) == other.1.unwrap_or(other.0)
}

/// A text with every CRLF as LF. What is read is digested so, since version control may turn line endings.
#[must_use]
pub fn with_lf(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_digests_read_back() {
        let digest = Digest::of(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("zz"), None);
        assert_eq!(Digest::parse(&digest.to_string().to_uppercase()), None, "one spelling only");
    }

    #[test]
    fn only_the_line_endings_of_texts_are_set_aside() {
        let body = |bytes: &[u8]| (Digest::of(bytes), lf_digest(bytes));
        assert!(same_text(body(b"a\r\nb\n"), body(b"a\nb\r\n")));
        assert!(same_text(body(b"a\nb\n"), body(b"a\r\nb\r\n")));
        assert!(!same_text(body(b"a\r\nb"), body(b"a\rb")), "a lone CR is no line ending");
        let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        assert!(same_text(body(image), body(image)));
        assert!(!same_text(body(image), body(b"\x89PNG\n\x1a\n\0\0\0\rIHDR")), "bytes are no text");
        assert_eq!(with_lf("a\r\nb\rc\n"), "a\nb\rc\n");
    }

    #[test]
    fn parts_are_framed() {
        let one = DigestBuilder::default().part(b"ab").part(b"c").finish();
        let two = DigestBuilder::default().part(b"a").part(b"bc").finish();
        assert_ne!(one, two);
    }
}
