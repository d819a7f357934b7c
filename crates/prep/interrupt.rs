//! Ctrl-C: the run stops at the next batch, its partial files go, and the
//! process then ends as the signal would have ended it.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::Failure;

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static SIGNAL: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Begins to listen for SIGINT and SIGTERM. A second one ends the process on
/// the spot.
pub(crate) fn watch() -> Result<(), Failure> {
    let stop = STOP.get_or_init(Arc::default);
    let signal = SIGNAL.get_or_init(Arc::default);
    for number in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset.
        signal_hook::flag::register_conditional_default(number, Arc::clone(stop))?;
        signal_hook::flag::register_usize(number, Arc::clone(signal), number as usize)?;
        signal_hook::flag::register(number, Arc::clone(stop))?;
    }
    Ok(())
}

/// The flag that is set once a signal came.
pub(crate) fn stop() -> &'static AtomicBool {
    STOP.get_or_init(Arc::default)
}

/// Ends the process by the signal that came, if one came.
pub(crate) fn pass_on() {
    let signal = SIGNAL
        .get()
        .map_or(0, |signal| signal.load(Ordering::Relaxed));
    if signal != 0 {
        drop(signal_hook::low_level::emulate_default_handler(
            signal as i32,
        ));
    }
}
