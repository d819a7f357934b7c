//! Rules about functions: what declares them, calls them and answers them.

pub(super) mod function_call_shape;
pub(super) mod function_parts_unsupported;
pub(super) mod function_response_count;
pub(super) mod function_response_name;
pub(super) mod function_response_order;
pub(super) mod function_response_shape;
pub(super) mod function_undeclared;
pub(super) mod tools_shape;

#[cfg(test)]
mod tests;
