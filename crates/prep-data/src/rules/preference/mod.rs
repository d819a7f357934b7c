//! Rules about preference tuning: a prompt and two answers to it.

pub(super) mod completion_scores;
pub(super) mod completion_shape;
pub(super) mod completions_count;
pub(super) mod last_turn_not_user;
pub(super) mod preference_text_only;
