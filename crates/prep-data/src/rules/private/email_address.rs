//! E-mail addresses.

use std::ops::Range;

use super::{Secret, is_word, tell};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E074",
        name: "email-address",
        level: Level::Warn,
        hint: "replace it by one at `example.com`, or by a placeholder",
    },
    page: include_str!("email_address.md"),
    fix: None,
    when: Signs::AT,
    check: Check::Text(check),
};

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    tell(find(&text.text), text, report);
}

pub(super) fn find(text: &str) -> Vec<Secret> {
    let mut secrets = Vec::new();
    let mut end = 0;
    for at in memchr::memchr_iter(b'@', text.as_bytes()) {
        if let Some(range) = address(text, at)
            && range.start >= end
        {
            end = range.end;
            secrets.push(Secret {
                mask: mask(&text[range.clone()]),
                what: "an e-mail address",
                range,
            });
        }
    }
    secrets
}

/// `j…@e…`
fn mask(address: &str) -> String {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}…@{}…", first(local), first(domain))
}

/// The address around an `@`, if it is one that may be someone's.
fn address(text: &str, at: usize) -> Option<Range<usize>> {
    let is_of_local =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte) || *byte >= 0x80;
    let local = text[..at].bytes().rev().take_while(is_of_local).count();
    // Ideographs and quotation marks stand beside an address without a space.
    let local = &text[at - local..at];
    let start = local
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() && u32::from(*c) < 0x250 || "._%+-".contains(*c));
    let start = start.last().map(|(n, _)| at - local.len() + n)?;
    let local = text[start..at].trim_start_matches(['.', '-', '+', '%', '_']);
    let start = at - local.len();
    let is_of_domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let domain = text[at + 1..].bytes().take_while(is_of_domain).count();
    let domain = text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']);
    let (_, top) = domain.rsplit_once('.')?;
    let is_domain = top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !domain.starts_with(['.', '-'])
        && !domain.contains("..");
    let end = at + 1 + domain.len();
    let is_alone = !is_word(text[end..].bytes().next()) && !text[end..].starts_with('@');
    let is_ours = !local.is_empty()
        && is_domain
        && is_alone
        && !is_reserved(domain)
        && !is_nobody(local, domain, top);
    is_ours.then_some(start..end)
}

/// The domains that RFC 2606 and RFC 6761 set aside for documentation.
fn is_reserved(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let top = domain.rsplit('.').next().unwrap_or_default();
    let is_example = |name: &str| {
        domain == name
            || domain
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    matches!(top, "example" | "test" | "invalid" | "localhost" | "local")
        || ["example.com", "example.org", "example.net"]
            .iter()
            .any(|name| is_example(name))
}

/// Addresses behind which nobody is, placeholders (`you@yourdomain.com`), and
/// file names that look like addresses.
fn is_nobody(local: &str, domain: &str, top: &str) -> bool {
    let local = local.to_ascii_lowercase();
    let is_file = matches!(top, "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp");
    let is_placeholder =
        local.starts_with("your") || domain.to_ascii_lowercase().starts_with("your");
    is_file
        || is_placeholder
        || matches!(
            &*local,
            "git" | "noreply" | "no-reply" | "donotreply" | "do-not-reply"
        )
}
