//! Rules about what an example is made of: keys, turns, parts, roles.

pub(super) mod adjacent_roles;
pub(super) mod both_spellings;
pub(super) mod contents_missing;
pub(super) mod empty_model_turn;
pub(super) mod empty_text;
pub(super) mod first_turn_not_user;
pub(super) mod foreign_format;
pub(super) mod ignored_config;
pub(super) mod last_turn_not_model;
pub(super) mod null_member;
pub(super) mod other_method_key;
pub(super) mod part_with_several;
pub(super) mod part_without_data;
pub(super) mod parts_missing;
pub(super) mod role_missing;
pub(super) mod snake_case_key;
pub(super) mod system_has_role;
pub(super) mod system_in_contents;
pub(super) mod system_not_text;
pub(super) mod thought_part;
pub(super) mod unknown_key;
pub(super) mod unknown_role;
pub(super) mod unknown_value;
pub(super) mod wrong_type;

#[cfg(test)]
mod tests;
