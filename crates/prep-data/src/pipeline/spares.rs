//! What batches left behind, for the next ones.

use std::sync::Mutex;

/// Buffers that wait to be used again: a new one for each batch would cost the
/// kernel a page fault for every page.
#[derive(Debug)]
pub(super) struct Spares<T>(Mutex<Vec<T>>);

impl<T> Default for Spares<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Spares<T> {
    /// Takes one, if there is one.
    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().expect("no holder of the spares panics").pop()
    }

    /// Gives one back, emptied.
    pub(super) fn give(&self, spare: T) {
        let mut spares = self.0.lock().expect("no holder of the spares panics");
        spares.push(spare);
    }
}
