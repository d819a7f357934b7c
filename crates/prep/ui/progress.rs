//! The progress bar: bytes read, rate, time to go.

use std::io::IsTerminal;
use std::sync::Arc;
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

impl Bar {
    /// Draws a bar over the inputs, if a bar is to be drawn. `total` is their
    /// size in bytes, if it is known.
    pub(crate) fn over(inputs: Vec<Arc<Progress>>, total: Option<u64>, shared: &Shared) -> Self {
        let is_wanted = shared.progress == ProgressWhen::Auto
            && !shared.quiet
            && std::io::stderr().is_terminal();
        if !is_wanted {
            return Self { drawer: None };
        }
        let is_done = Arc::new(AtomicBool::new(false));
        let drawer = {
            let is_done = Arc::clone(&is_done);
            thread::spawn(move || draw(&inputs, total, &is_done))
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

fn draw(inputs: &[Arc<Progress>], total: Option<u64>, is_done: &AtomicBool) {
    // A run that is over sooner needs no bar.
    thread::park_timeout(Duration::from_millis(300));
    if is_done.load(Ordering::Relaxed) {
        return;
    }
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let template = match total {
        Some(_) => {
            "{wide_bar} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} to go"
        }
        None => "{spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed}",
    };
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    while !is_done.load(Ordering::Relaxed) {
        bar.set_position(inputs.iter().map(|input| input.bytes()).sum());
        thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
