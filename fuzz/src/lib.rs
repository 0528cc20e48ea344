//! What the fuzz targets share. What must hold for a text is written once, beside the tests that try it without a fuzzer.

#[path = "../../tests/it/invariants.rs"]
pub mod invariants;

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Stack of the thread that works: what a render thread of the product has.
const STACK_BYTES: usize = 32 << 20;

/// Runs a check of a text; what is no UTF-8 is read as the product reads it, with U+FFFD in its place.
pub fn text(bytes: &[u8], check: impl FnOnce(&str) + Send) {
    on_one_thread(|| check(&String::from_utf8_lossy(bytes)));
}

/// Runs a check on the one thread with a large stack, so that every run takes the same way.
pub fn on_one_thread(check: impl FnOnce() + Send) {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| ThreadPoolBuilder::new().num_threads(1).stack_size(STACK_BYTES).build().ok());
    match pool {
        Some(pool) => pool.install(check),
        None => check(),
    }
}
