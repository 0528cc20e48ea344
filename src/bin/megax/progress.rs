//! A progress bar on long runs, on a terminal only.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use megax::event::{Event, Watcher};

use crate::terminal;

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Nothing is published yet.
const RENDERING: u8 = 0;
/// Files are published, or were.
const PUBLISHING: u8 = 1;
/// Nothing will be published.
const GIVEN_UP: u8 = 2;

/// Shows rendered and published files.
pub struct Progress {
    started: Instant,
    watched: bool,
    shown: AtomicBool,
    bar: ProgressBar,
    phase: Mutex<&'static str>,
    /// Who was first: the run that publishes, or the watchdog that gives it up.
    fate: AtomicU8,
}

impl Progress {
    /// A bar that appears once a run takes longer than half a second; never where nobody watches.
    pub fn new(watched: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}") {
            bar.set_style(style);
        }
        Self {
            started: Instant::now(),
            watched,
            shown: AtomicBool::new(false),
            bar,
            phase: Mutex::new(""),
            fate: AtomicU8::new(RENDERING),
        }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Gives the run up, unless it publishes; whether it is given up.
    pub fn give_up(&self) -> bool {
        self.choose(GIVEN_UP)
    }

    fn choose(&self, fate: u8) -> bool {
        match self.fate.compare_exchange(RENDERING, fate, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(chosen) => chosen == fate,
        }
    }

    fn begin(&self, phase: &'static str, files: usize) {
        if let Ok(mut held) = self.phase.lock() {
            *held = phase;
        }
        self.bar.set_length(files as u64);
        self.bar.set_position(0);
    }

    /// Counts one file, and brings the bar up once the run is long.
    fn count(&self) {
        self.bar.inc(1);
        let long = self.watched && self.started.elapsed() > PATIENCE;
        if long && !self.shown.swap(true, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if long && let Ok(phase) = self.phase.try_lock() {
            self.bar.set_message(*phase);
        }
    }
}

impl Watcher for Progress {
    fn on_event(&self, event: Event) {
        match event {
            Event::Loaded { .. } => {}
            Event::Waiting { team, holder } => {
                terminal::say(&format!("waiting for team {team}, held by {holder}\n"));
            }
            Event::Planned { files } => self.begin("rendering", files),
            Event::Writing { files } => self.begin("writing", files),
            Event::Rendered | Event::Published => self.count(),
        }
    }

    fn may_publish(&self) -> bool {
        self.choose(PUBLISHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_publishes_or_is_given_up_and_never_both() {
        let run = Progress::new(false);
        assert!(run.may_publish() && run.may_publish(), "each team asks");
        assert!(!run.give_up());
        let run = Progress::new(false);
        assert!(run.give_up());
        assert!(!run.may_publish());
    }
}
