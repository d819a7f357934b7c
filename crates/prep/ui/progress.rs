//! The progress bar: bytes read, rate, time to go.

use std::io::IsTerminal;
use std::sync::Arc;
#[cfg(feature = "cloud")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prep_data::io::Progress;

use crate::args::{ProgressWhen, Shared};

/// A bar that follows inputs while they are read. It goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    drawer: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

/// What a bar follows.
enum Counter {
    Input(Arc<Progress>),
    #[cfg(feature = "cloud")]
    Bytes(Arc<AtomicU64>),
    #[cfg(feature = "cloud")]
    Things(Arc<AtomicU64>),
}

impl Counter {
    fn at(&self) -> u64 {
        match self {
            Self::Input(input) => input.bytes(),
            #[cfg(feature = "cloud")]
            Self::Bytes(n) | Self::Things(n) => n.load(Ordering::Relaxed),
        }
    }
}

impl Bar {
    /// Draws a bar over the inputs, if a bar is to be drawn. `total` is their
    /// size in bytes, if it is known.
    pub(crate) fn over(inputs: Vec<Arc<Progress>>, total: Option<u64>, shared: &Shared) -> Self {
        Self::following(
            inputs.into_iter().map(Counter::Input).collect(),
            total,
            shared,
        )
    }

    /// Draws a bar over bytes that somebody else counts.
    #[cfg(feature = "cloud")]
    pub(crate) fn counting(counter: Arc<AtomicU64>, total: u64, shared: &Shared) -> Self {
        Self::following(vec![Counter::Bytes(counter)], Some(total), shared)
    }

    /// Draws a bar over things that somebody else counts.
    #[cfg(feature = "cloud")]
    pub(crate) fn things(counter: Arc<AtomicU64>, total: u64, shared: &Shared) -> Self {
        Self::following(vec![Counter::Things(counter)], Some(total), shared)
    }

    fn following(counters: Vec<Counter>, total: Option<u64>, shared: &Shared) -> Self {
        let is_wanted = shared.progress == ProgressWhen::Auto
            && !shared.quiet
            && std::io::stderr().is_terminal();
        if !is_wanted {
            return Self { drawer: None };
        }
        let is_done = Arc::new(AtomicBool::new(false));
        let drawer = {
            let is_done = Arc::clone(&is_done);
            thread::spawn(move || draw(&counters, total, &is_done))
        };
        Self {
            drawer: Some((is_done, drawer)),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((is_done, drawer)) = self.drawer.take() {
            is_done.store(true, Ordering::Relaxed);
            drawer.thread().unpark();
            // A bar that failed has nothing to say about the run.
            drop(drawer.join());
        }
    }
}

fn draw(counters: &[Counter], total: Option<u64>, is_done: &AtomicBool) {
    // A run that is over sooner needs no bar.
    thread::park_timeout(Duration::from_millis(300));
    if is_done.load(Ordering::Relaxed) {
        return;
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    #[cfg(feature = "cloud")]
    let counts_things = matches!(counters, [Counter::Things(_)]);
    #[cfg(not(feature = "cloud"))]
    let counts_things = false;
    let template = match total {
        Some(_) if counts_things => {
            "{wide_bar} {percent:>3} %  {human_pos} of {human_len}  {per_sec}  {eta} to go"
        }
        Some(_) => {
            "{wide_bar} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} to go"
        }
        None => "{spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed}",
    };
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    while !is_done.load(Ordering::Relaxed) {
        bar.set_position(counters.iter().map(Counter::at).sum());
        thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
