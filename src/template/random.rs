//! Deterministic randomness: `random_id()`, `random_int(a, b)` and `uuid()`.
//!
//! Every value is a pure function of the file's key (the manifest's seed, the mega-file's id and the file's path) and of
//! its number among the calls of that file: BLAKE3 of both, under a context string of its own. No clock and no machine
//! takes part, and adding a call changes only what comes after it in the same file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::scope::Scope;

/// The functions.
pub const RANDOM_FUNCTIONS: [&str; 3] = ["random_id", "random_int", "uuid"];

/// The name under which the functions find the stream of the file that is rendered.
const STREAM: &str = "__megax_random";

/// What a file's random values depend on.
#[must_use]
pub fn key(seed: &str, mega_file: &str, path: &str) -> Arc<str> {
    Arc::from(format!("{seed}\0{mega_file}\0{path}"))
}

/// The context of one render: the scope, and a stream that begins anew.
#[derive(Debug)]
pub struct Rendering {
    scope: Arc<Scope>,
    stream: Value,
}

impl Rendering {
    /// A render of the file with this key.
    #[must_use]
    pub fn new(scope: Arc<Scope>, key: Arc<str>) -> Self {
        Self { scope, stream: Value::from_object(Stream { key, calls: AtomicU64::new(0) }) }
    }
}

impl Object for Rendering {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == STREAM { Some(self.stream.clone()) } else { self.scope.get_value_by_str(key) }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }
}

/// The random values of one render of one file.
#[derive(Debug)]
struct Stream {
    key: Arc<str>,
    calls: AtomicU64,
}

impl Object for Stream {
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

impl Stream {
    fn next(&self) -> [u8; 32] {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new_derive_key("megax 1 random values of a file");
        hasher.update(self.key.as_bytes()).update(&[0]).update(&call.to_le_bytes());
        *hasher.finalize().as_bytes()
    }

    /// A number of `0..=span`, each equally likely as far as 128 random bits go.
    fn below(&self, span: u64) -> u64 {
        let bytes = self.next();
        let (mut high, mut low) = ([0; 8], [0; 8]);
        high.copy_from_slice(&bytes[..8]);
        low.copy_from_slice(&bytes[8..16]);
        let (high, low) = (u64::from_le_bytes(high), u64::from_le_bytes(low));
        let size = u128::from(span) + 1;
        // The upper 64 bits of (high:low) * size, which is below size.
        let carry = (u128::from(low) * size) >> 64;
        u64::try_from((u128::from(high) * size + carry) >> 64).unwrap_or(span)
    }
}

/// Adds the functions to `env`.
pub fn register(env: &mut Environment<'_>) {
    env.add_function("random_id", |state: &State<'_, '_>| {
        with_stream(state, "random_id", |stream| format!("id_{}", 10_000 + stream.below(89_999)))
    });
    env.add_function("random_int", |state: &State<'_, '_>, least: i64, most: i64| {
        if most < least {
            let message = format!("random_int({least}, {most}): the first number is the least, the second the most");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        let span = most.abs_diff(least);
        with_stream(state, "random_int", |stream| least.saturating_add_unsigned(stream.below(span)))
    });
    env.add_function("uuid", |state: &State<'_, '_>| with_stream(state, "uuid", |stream| uuid(stream.next())));
}

fn with_stream<T>(state: &State<'_, '_>, name: &str, make: impl Fn(&Stream) -> T) -> Result<T, Error> {
    let stream = state.lookup(STREAM).and_then(|value| value.downcast_object::<Stream>());
    if let Some(stream) = stream {
        return Ok(make(&stream));
    }
    let message = format!(
        "`{name}()` has no place here: it depends on the path of the file, so it stands in the file's template only, not \
         in a path, a condition, a loop or `with`"
    );
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// The form of a random UUID (version 4, variant 1).
fn uuid(bytes: [u8; 32]) -> String {
    let mut bytes = bytes;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::collection::vec;
    use proptest::prelude::*;

    /// What a template prints that makes these calls, one after another.
    fn drawn(key: &str, calls: &[String]) -> Vec<String> {
        let mut env = Environment::new();
        register(&mut env);
        let scope = Scope::bare(Arc::default(), Arc::default());
        let context = Value::from_object(Rendering::new(Arc::new(scope), Arc::from(key)));
        let text = env.render_str(&calls.join("\n"), context).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn stream(key: &str) -> Stream {
        Stream { key: Arc::from(key), calls: AtomicU64::new(0) }
    }

    #[test]
    fn values_depend_on_the_key_and_the_call_and_on_nothing_else() {
        let (one, again, other) = (stream("a"), stream("a"), stream("b"));
        let draw = |stream: &Stream| (0..100).map(|_| stream.below(u64::MAX)).collect::<Vec<_>>();
        let values = draw(&one);
        assert_eq!(values, draw(&again));
        assert_ne!(values, draw(&other));
        let different: std::collections::BTreeSet<_> = values.iter().collect();
        assert_eq!(different.len(), 100);
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_both_ends() {
        let stream = stream("x");
        let seen: std::collections::BTreeSet<u64> = (0..400).map(|_| stream.below(5)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(stream.below(0), 0);
    }

    proptest! {
        #[test]
        fn a_value_depends_on_its_key_and_its_number_alone(
            (key, other) in ("\\PC{0,12}", "\\PC{0,12}"),
            calls in vec((0_usize..3, any::<i64>(), any::<i64>()), 1..12),
            changed in any::<prop::sample::Index>(),
        ) {
            // Any other kind of call before it takes exactly one number, too.
            let call = |kind: usize, a: i64, b: i64| match kind {
                0 => "{{ random_id() }}".to_owned(),
                // The least number of all cannot be written in a template.
                1 => format!("{{{{ random_int({}, {}) }}}}", a.min(b).max(-i64::MAX), a.max(b).max(-i64::MAX)),
                _ => "{{ uuid() }}".to_owned(),
            };
            let texts: Vec<String> = calls.iter().map(|&(kind, a, b)| call(kind, a, b)).collect();
            let all = drawn(&key, &texts);
            prop_assert_eq!(&drawn(&key, &texts), &all);
            let at = changed.index(texts.len());
            let mut others = texts.clone();
            others[at] = call((calls[at].0 + 1) % 3, 0, 1 << 40);
            let again = drawn(&key, &others);
            let but = |values: &[String]| [&values[..at], &values[at + 1..]].concat();
            prop_assert_eq!(but(&again), but(&all));
            others.truncate(at + 1);
            prop_assert_eq!(&drawn(&key, &others)[..], &again[..=at]);
            if key != other {
                let uuids = vec!["{{ uuid() }}".to_owned(); texts.len()];
                let (one, two) = (drawn(&key, &uuids), drawn(&other, &uuids));
                prop_assert!(one.iter().all(|value| !two.contains(value)));
            }
        }

        #[test]
        fn a_number_stays_in_its_range(key in "[a-z]{0,4}", least in -i64::MAX.., span in any::<u64>()) {
            let most = least.saturating_add_unsigned(span);
            let value: i64 = drawn(&key, &[format!("{{{{ random_int({least}, {most}) }}}}")])[0].parse().unwrap();
            prop_assert!(least <= value && value <= most);
        }
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let text = uuid([0xff; 32]);
        assert_eq!(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
