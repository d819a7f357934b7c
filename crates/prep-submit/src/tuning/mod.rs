//! Tuning jobs: what is asked, launching it once, and following it.
//!
//! ```text
//! TuningRequest ─► run_id ─► launch ─► TuningJob ─► follow ─► Ending
//!                                         └─► metrics::read, DataStats, Dropped
//! ```

mod dropped;
mod fingerprint;
mod follow;
mod job;
mod launch;
pub mod metrics;
mod name;
mod service;
mod spec;
mod verdict;

pub use self::dropped::{Dropped, DroppedExample};
pub use self::fingerprint::{DatasetId, run_id};
pub use self::follow::{Event, FollowOptions, Followed, Tell, follow};
pub use self::job::{
    Checkpoint, DataStats, DetailState, Distribution, HyperParameters, JobError, JobState, NotAJob,
    TunedModel, TuningJob,
};
pub use self::launch::{Existing, Launch, LaunchError, LaunchOptions, launch};
pub use self::metrics::{Metrics, Point, Series};
pub use self::name::{NotAName, ResourceName};
pub use self::service::{cancel, get, jobs_url, list};
pub use self::spec::{
    AdapterSize, DATASET_LABEL, Field, Method, Problem, RUN_LABEL, Start, TuningRequest,
};
pub use self::verdict::{Ending, Warning, best_checkpoint, rising_loss, wedged};
