//! Ctrl-C: the run stops at the next batch, its partial files go, and the
//! process then ends as the signal would have ended it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use prep_data::io::abandon_partials;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::failure::Failure;

static STOP: AtomicBool = AtomicBool::new(false);
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static WATCH: OnceLock<()> = OnceLock::new();

/// How long a run has to stop by itself. One that waits for input cannot.
const PATIENCE: Duration = Duration::from_millis(700);

/// Begins to listen for SIGINT and SIGTERM.
pub(crate) fn watch() -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    WATCH.get_or_init(|| {
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                SIGNAL.store(signal, Ordering::Relaxed);
                STOP.store(true, Ordering::Relaxed);
                thread::sleep(PATIENCE);
                abandon_partials();
                pass_on();
            }
        });
    });
    Ok(())
}

/// The flag that is set once a signal came.
pub(crate) fn stop() -> &'static AtomicBool {
    &STOP
}

/// Ends the process by the signal that came, if one came.
pub(crate) fn pass_on() {
    let signal = SIGNAL.load(Ordering::Relaxed);
    if signal != 0 {
        drop(emulate_default_handler(signal));
    }
}
