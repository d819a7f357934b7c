//! The clock, as an argument: what waits and what the time is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A clock to wait by.
#[derive(Debug, Clone, Default)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    started: (Instant, SystemTime),
    slept: Mutex<Vec<Duration>>,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands still but for sleeping, which takes no time at all.
    /// A test that uses it need not wait, and can ask for [`Clock::slept`].
    pub fn manual(now: SystemTime) -> Self {
        Self(Kind::Manual(Arc::new(Manual {
            started: (Instant::now(), now),
            slept: Mutex::default(),
        })))
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Kind::System => tokio::time::sleep(duration).await,
            Kind::Manual(manual) => {
                manual.lock().push(duration);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Tells a time to measure durations by.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Kind::System => Instant::now(),
            Kind::Manual(manual) => manual.started.0 + manual.passed(),
        }
    }

    /// Tells the time of day.
    pub fn utc(&self) -> SystemTime {
        match &self.0 {
            Kind::System => SystemTime::now(),
            Kind::Manual(manual) => manual.started.1 + manual.passed(),
        }
    }

    /// Lists what has been slept on a manual clock, in order.
    pub fn slept(&self) -> Vec<Duration> {
        match &self.0 {
            Kind::System => Vec::new(),
            Kind::Manual(manual) => manual.lock().clone(),
        }
    }
}

impl Manual {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.slept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed(&self) -> Duration {
        self.lock().iter().sum()
    }
}
