//! What can be wrong with a tuning dataset: one value, one page and one
//! function a rule.
//!
//! A [`Rule`] is a row of [`RULES`]. Its page is its specification:
//! `prep explain` prints it, and a test checks every example on it. A rule
//! looks at one kind of thing ([`Check`]) and tells what it finds to a
//! [`Report`], by byte offset in the line; lines, columns and JSON pointers
//! are worked out there, once, and only for findings.
//!
//! A [`Checker`] takes a line through all rules. Most lines of most datasets
//! have the one common shape and nothing in their texts that any rule could
//! mind; those are told by [`plain`] and [`Signs`] in one pass each, and no
//! rule is asked. What the engine knows of a dataset as a whole is in
//! [`dataset`].
//!
//! To add a rule: write `group/its_name.md` and `group/its_name.rs` beside the
//! others, and add its line to the table below.

pub mod checker;
pub mod context;
pub mod count;
pub mod dataset;
mod edit;
pub mod example;
pub mod fixer;
pub mod glance;
mod json;
pub mod levels;
mod limits;
mod media;
mod page;
pub mod pairs;
mod place;
mod plain;
mod preference;
mod private;
mod published;
mod repair;
pub mod report;
mod shape;
#[cfg(test)]
pub(crate) mod tests;
mod text;
pub mod tokens;
mod tools;
mod turns;
pub mod whole;

use std::fmt;

pub use checker::{Checker, LineOutcome, RawLine};
pub use context::{Context, Method, Overlap, OverlapKind, Side, Validation};
pub use count::{Counts, Heard, LineCounter, Measure, NotExample};
pub use dataset::{Dataset, Digest, Tally};
pub use edit::{Edit, apply};
pub use example::{Example, Part, PartData, Speaker, Text, Turn};
pub use fixer::{Fixed, Fixer, levels_for_repair};
pub use glance::{Glance, Seen};
pub use levels::{Levels, SelectError};
pub use page::{Block, BlockKind, Page};
pub use pairs::{Glossary, GlossaryError, Learnt, Pair, PairContext, Preset, Survey, Wanted};
pub use place::Window;
pub use report::{Added, Findings, Found, Report, masked};
pub use tokens::TokenCount;
pub use whole::WholeChecker;

use crate::diag::Code;
use crate::json as reader;
pub use crate::text::signs::Signs;

/// One thing that can be wrong, and how it is found.
pub struct Rule {
    /// Its identity, default level and hint.
    pub code: &'static Code,
    /// Its page, in Markdown: what, why, what to do, and examples.
    pub page: &'static str,
    /// Whether `prep fix` can repair it.
    pub fix: Option<Safety>,
    /// The rule can find something only in a line that shows one of these.
    pub when: Signs,
    /// What it looks at, and the function that looks.
    pub check: Check,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.code.code)
    }
}

/// Whether a repair can change what an example means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// It cannot.
    Safe,
    /// It can: a person should look.
    Unsafe,
}

impl Safety {
    /// Names it as findings do.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Check {
    /// The bytes of a line, whether they are JSON or not.
    Line(fn(&RawLine<'_>, &mut Report<'_>)),
    /// Why a line is not JSON.
    Fault(fn(&reader::Error, &mut Report<'_>)),
    /// A line that is a JSON value, as an example.
    Example(fn(&Example<'_, '_>, &mut Report<'_>)),
    /// One text of an example.
    Text(fn(&Text<'_, '_>, &mut Report<'_>)),
    /// What the user says last and what the model answers, if a preset is on.
    Pair(pairs::PairCheck),
    /// The examples that share a prompt (at least one), in the order of their
    /// lines.
    Prompt(fn(&Dataset, &[Digest], &mut Report<'_>)),
    /// The dataset as a whole.
    Dataset(fn(&Dataset, &mut Report<'_>)),
}

/// Every rule, in the order in which their findings are told.
pub static RULES: &[&Rule] = &[
    &json::json_syntax::RULE,
    &json::not_an_object::RULE,
    &json::duplicate_key::RULE,
    &json::json_number::RULE,
    &json::lone_surrogate::RULE,
    &json::not_utf_8::RULE,
    &json::byte_order_mark::RULE,
    &json::blank_line::RULE,
    &json::truncated_line::RULE,
    &json::line_too_long::RULE,
    &json::json_too_deep::RULE,
    &shape::empty_model_turn::RULE,
    &shape::unknown_key::RULE,
    &shape::snake_case_key::RULE,
    &shape::both_spellings::RULE,
    &shape::contents_missing::RULE,
    &shape::unknown_role::RULE,
    &shape::role_missing::RULE,
    &shape::first_turn_not_user::RULE,
    &shape::last_turn_not_model::RULE,
    &preference::last_turn_not_user::RULE,
    &shape::adjacent_roles::RULE,
    &shape::parts_missing::RULE,
    &shape::part_without_data::RULE,
    &shape::part_with_several::RULE,
    &shape::empty_text::RULE,
    &shape::system_in_contents::RULE,
    &shape::system_not_text::RULE,
    &shape::system_has_role::RULE,
    &tools::function_call_shape::RULE,
    &tools::function_response_shape::RULE,
    &tools::function_response_order::RULE,
    &tools::function_response_count::RULE,
    &tools::function_undeclared::RULE,
    &tools::function_parts_unsupported::RULE,
    &tools::tools_shape::RULE,
    &media::inline_data::RULE,
    &shape::thought_part::RULE,
    &media::file_uri::RULE,
    &media::mime_type::RULE,
    &media::media_count::RULE,
    &shape::other_method_key::RULE,
    &shape::ignored_config::RULE,
    &preference::completions_count::RULE,
    &preference::completion_scores::RULE,
    &preference::completion_shape::RULE,
    &shape::wrong_type::RULE,
    &shape::foreign_format::RULE,
    &limits::too_many_tokens::RULE,
    &limits::near_token_limit::RULE,
    &preference::preference_text_only::RULE,
    &shape::null_member::RULE,
    &tools::function_response_name::RULE,
    &media::mime_type_mismatch::RULE,
    &shape::unknown_value::RULE,
    &text::control_character::RULE,
    &text::nul_character::RULE,
    &text::replacement_character::RULE,
    &text::mojibake::RULE,
    &text::invisible_character::RULE,
    &text::bidi_control::RULE,
    &text::not_nfc::RULE,
    &text::html_entity::RULE,
    &text::markup_left::RULE,
    &text::model_boilerplate::RULE,
    &text::refusal::RULE,
    &text::echoed_prompt::RULE,
    &text::cut_answer::RULE,
    &private::api_key::RULE,
    &private::email_address::RULE,
    &private::phone_number::RULE,
    &private::payment_card::RULE,
    &private::iban::RULE,
    &pairs::empty_side::RULE,
    &pairs::untranslated::RULE,
    &pairs::length_ratio::RULE,
    &pairs::numbers_differ::RULE,
    &pairs::placeholders_differ::RULE,
    &pairs::addresses_differ::RULE,
    &pairs::terminal_punctuation::RULE,
    &pairs::unpaired_punctuation::RULE,
    &pairs::wrong_language::RULE,
    &pairs::wrong_script::RULE,
    &pairs::repeated_text::RULE,
    &pairs::regional_spanish::RULE,
    &pairs::mixed_address::RULE,
    &pairs::glossary_term::RULE,
    &dataset::exact_duplicate::RULE,
    &dataset::validation_leakage::RULE,
    &dataset::conflicting_answers::RULE,
    &dataset::few_examples::RULE,
    &dataset::very_few_examples::RULE,
    &dataset::no_examples::RULE,
    &dataset::same_prompts::RULE,
    &dataset::same_answers::RULE,
    &dataset::common_prefix::RULE,
    &dataset::common_suffix::RULE,
    &dataset::several_system_instructions::RULE,
    &dataset::some_without_system::RULE,
    &dataset::frequent_answer::RULE,
    &dataset::length_outlier::RULE,
    &dataset::length_pile_up::RULE,
    &limits::too_many_examples::RULE,
    &limits::file_too_large::RULE,
    &limits::validation_size::RULE,
    &limits::dropped_share_high::RULE,
    &limits::dropped_share::RULE,
    &limits::model_retired::RULE,
    &limits::model_combination::RULE,
    &limits::model_unknown::RULE,
];

/// Finds a rule by its code or name, whatever the case.
#[must_use]
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    let is_it = |rule: &&&Rule| {
        rule.code.code.eq_ignore_ascii_case(code_or_name)
            || rule.code.name.eq_ignore_ascii_case(code_or_name)
    };
    RULES.iter().find(is_it).copied()
}
