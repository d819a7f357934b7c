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
    Hurried {
        since: Instant,
        times: u32,
    },
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

    /// A clock on which time, but not the time of day, passes so many times
    /// faster: whoever waits by it waits a fraction as long. A stand-in for a
    /// service needs no more patience than that.
    pub fn hurried(times: std::num::NonZeroU32) -> Self {
        Self(Kind::Hurried {
            since: Instant::now(),
            times: times.get(),
        })
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
            Kind::Hurried { times, .. } => tokio::time::sleep(duration / *times).await,
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
            Kind::Hurried { since, times } => *since + since.elapsed() * *times,
            Kind::Manual(manual) => manual.started.0 + manual.passed(),
        }
    }

    /// Tells the time of day.
    pub fn utc(&self) -> SystemTime {
        match &self.0 {
            Kind::System | Kind::Hurried { .. } => SystemTime::now(),
            Kind::Manual(manual) => manual.started.1 + manual.passed(),
        }
    }

    /// Lists what has been slept on a manual clock, in order.
    pub fn slept(&self) -> Vec<Duration> {
        match &self.0 {
            Kind::System | Kind::Hurried { .. } => Vec::new(),
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[tokio::test]
    async fn a_hurried_clock_agrees_with_itself() {
        let times = NonZeroU32::new(1000).expect("it is not zero");
        let (clock, real) = (Clock::hurried(times), Instant::now());
        let before = clock.now();
        clock.sleep(Duration::from_secs(60)).await;
        assert!(clock.now() - before >= Duration::from_secs(60));
        assert!(real.elapsed() < Duration::from_secs(30));
    }
}
