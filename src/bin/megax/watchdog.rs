//! Gives a run up when one render takes longer than `render_seconds`: the last resort, for what no budget of the template
//! engine counts.
//!
//! A thread cannot be stopped from outside, so the run has a thread of its own, which is left behind; the process ends
//! soon after. A run that began to publish is never given up, and one that was given up never publishes.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use megax::template::marks::{Stuck, Watch};

use crate::progress::Progress;

/// How often it looks.
const PER_SECOND: u32 = 10;

/// The stack of a run's thread, as much as the first thread of a process has.
const STACK_BYTES: usize = 8 << 20;

/// Does the work of a run.
///
/// # Errors
/// The render that takes too long.
pub fn watched<T: Send + 'static>(
    progress: &Arc<Progress>,
    work: impl FnOnce(&Progress) -> T + Send + 'static,
) -> Result<T, Stuck> {
    let (done, end) = mpsc::channel();
    let work = Arc::new(Mutex::new(Some(work)));
    let (own, taken) = (Arc::clone(progress), Arc::clone(&work));
    let run = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let work = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody waits for a run that was given up.
        work.map(|work| done.send(work(&own)))
    });
    let Ok(run) = run else {
        // The machine is short of memory: the work is done here, and nobody watches it.
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        return work.map(|work| work(progress)).ok_or_else(never);
    };
    let mut watch = Watch::new(u64::from(PER_SECOND));
    loop {
        match end.recv_timeout(Duration::from_secs(1) / PER_SECOND) {
            Ok(done) => return Ok(done),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(stuck) = watch.look()
                    && progress.give_up()
                {
                    return Err(stuck);
                }
            }
            // The run panicked; so does its caller.
            Err(RecvTimeoutError::Disconnected) => match run.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(_) => return Err(never()),
            },
        }
    }
}

/// For what cannot be: the work was taken by nobody, or ended without an answer.
fn never() -> Stuck {
    Stuck { what: "the run".to_owned(), seconds: 0 }
}
