//! The flag that ends all waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long it may take until a raised flag is seen.
const GLANCE: Duration = Duration::from_millis(50);

/// A flag that asks for an end: by Ctrl-C, say. What waits looks at it some
/// twenty times a second.
#[derive(Debug, Clone, Default)]
pub struct Stop(Flag);

#[derive(Debug, Clone, Default)]
enum Flag {
    #[default]
    Never,
    Static(&'static AtomicBool),
    Shared(Arc<AtomicBool>),
}

impl Stop {
    /// One that is never raised.
    pub fn never() -> Self {
        Self(Flag::Never)
    }

    /// Whether it is raised.
    pub fn is_raised(&self) -> bool {
        match &self.0 {
            Flag::Never => false,
            Flag::Static(flag) => flag.load(Ordering::Relaxed),
            Flag::Shared(flag) => flag.load(Ordering::Relaxed),
        }
    }

    /// Waits until it is raised.
    pub async fn raised(&self) {
        if matches!(self.0, Flag::Never) {
            std::future::pending::<()>().await;
        }
        while !self.is_raised() {
            tokio::time::sleep(GLANCE).await;
        }
    }
}

impl From<&'static AtomicBool> for Stop {
    fn from(flag: &'static AtomicBool) -> Self {
        Self(Flag::Static(flag))
    }
}

impl From<Arc<AtomicBool>> for Stop {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(Flag::Shared(flag))
    }
}
