//! Keys and other credentials of known shapes.

use std::ops::Range;

use super::{Secret, is_word, tell};
use crate::diag::{Code, Level};
use crate::rules::{Check, Report, Rule, Signs, Text};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E073",
        name: "api-key",
        level: Level::Warn,
        hint: "revoke the key, and remove it from the data",
    },
    page: include_str!("api_key.md"),
    fix: None,
    when: Signs::PHRASE,
    check: Check::Text(check),
};

/// A shape of keys: how they begin, how many characters follow at least, and
/// which.
struct Shape {
    prefix: &'static str,
    what: &'static str,
    shortest: usize,
    is_of_key: fn(u8) -> bool,
}

const fn shape(
    prefix: &'static str,
    what: &'static str,
    shortest: usize,
    is_of_key: fn(u8) -> bool,
) -> Shape {
    Shape {
        prefix,
        what,
        shortest,
        is_of_key,
    }
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_of_token(byte: u8) -> bool {
    is_url_safe(byte) || byte == b'.'
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'/'
}

/// Each prefix, or a part of it, is one of [`crate::text::phrases::PHRASES`].
const SHAPES: &[Shape] = &[
    shape("AKIA", "an AWS access key", 16, is_upper),
    shape("ASIA", "an AWS access key", 16, is_upper),
    shape("AIza", "a Google API key", 35, is_url_safe),
    shape("ya29.", "a Google access token", 20, is_of_token),
    shape("GOCSPX-", "a Google client secret", 24, is_url_safe),
    shape("sk-ant-", "an Anthropic API key", 24, is_url_safe),
    shape("sk-or-v1-", "an OpenRouter API key", 32, is_alphanumeric),
    shape("sk_live_", "a Stripe key", 16, is_alphanumeric),
    shape("rk_live_", "a Stripe key", 16, is_alphanumeric),
    shape("whsec_", "a Stripe webhook secret", 24, is_base64),
    shape("ghp_", "a GitHub token", 36, is_alphanumeric),
    shape("gho_", "a GitHub token", 36, is_alphanumeric),
    shape("ghs_", "a GitHub token", 36, is_alphanumeric),
    shape("ghu_", "a GitHub token", 36, is_alphanumeric),
    shape("ghr_", "a GitHub token", 36, is_alphanumeric),
    shape("github_pat_", "a GitHub token", 40, is_url_safe),
    shape("glpat-", "a GitLab token", 20, is_url_safe),
    shape("xoxb-", "a Slack token", 20, is_url_safe),
    shape("xoxp-", "a Slack token", 20, is_url_safe),
    shape("xoxa-", "a Slack token", 20, is_url_safe),
    shape("xoxs-", "a Slack token", 20, is_url_safe),
    shape("xapp-", "a Slack token", 20, is_url_safe),
    shape(
        "hooks.slack.com/services/",
        "a Slack webhook",
        30,
        is_of_path,
    ),
    shape("hf_", "a Hugging Face token", 34, is_alphanumeric),
    shape("npm_", "an npm token", 36, is_alphanumeric),
    shape("pypi-AgE", "a PyPI token", 50, is_url_safe),
    shape("dckr_pat_", "a Docker token", 20, is_url_safe),
    shape("AccountKey=", "an Azure storage key", 80, is_base64),
    shape("shpat_", "a Shopify token", 32, is_alphanumeric),
];

/// What every key of OpenAI has in its middle.
const OPENAI: &str = "T3BlbkFJ";

const PRIVATE_KEY: &str = "PRIVATE KEY-----";

fn check(text: &Text<'_, '_>, report: &mut Report<'_>) {
    tell(find(&text.text), text, report);
}

pub(super) fn find(text: &str) -> Vec<Secret> {
    let mut found = keys(text);
    found.sort_by_key(|(range, _)| range.start);
    let mut end = 0;
    found.retain(|(range, _)| {
        let is_new = range.start >= end;
        end = if is_new { range.end } else { end };
        is_new
    });
    let secrets = found.into_iter().map(|(range, what)| Secret {
        mask: mask(&text[range.clone()]),
        range,
        what,
    });
    secrets.collect()
}

/// Shows the shape of a key and nothing else of it.
fn mask(key: &str) -> String {
    let shapes = SHAPES.iter().map(|shape| shape.prefix);
    let prefix = shapes
        .chain(["sk-", "eyJ", "-----BEGIN"])
        .find(|prefix| key.starts_with(prefix));
    format!("{}…", prefix.unwrap_or_default())
}

fn keys(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    for shape in SHAPES {
        for at in memchr::memmem::find_iter(text.as_bytes(), shape.prefix) {
            let body = stretch(text, at + shape.prefix.len(), shape.is_of_key);
            let is_new =
                !is_word(text[..at].bytes().next_back()) || shape.prefix.starts_with("hooks");
            if is_new && body.len() >= shape.shortest && is_random(&text[body.clone()]) {
                found.push((at..body.end, shape.what));
            }
        }
    }
    for at in memchr::memmem::find_iter(text.as_bytes(), OPENAI) {
        let before = text[..at]
            .bytes()
            .rev()
            .take_while(|byte| is_url_safe(*byte));
        let start = at - before.count();
        let range = start..stretch(text, at, is_url_safe).end;
        if text[range.clone()].starts_with("sk-") && range.len() >= 40 {
            found.push((range, "an OpenAI API key"));
        }
    }
    for at in memchr::memmem::find_iter(text.as_bytes(), "eyJ") {
        let token = stretch(text, at, is_of_token);
        let parts: Vec<&str> = text[token.clone()].split('.').collect();
        // The header has its algorithm, type or key first: other words that
        // begin so are no tokens.
        let is_header = ["eyJhb", "eyJ0e", "eyJra"]
            .iter()
            .any(|header| text[at..].starts_with(header));
        let is_token = is_header
            && matches!(*parts, [head, claims, signature, ..]
            if head.len() >= 12 && claims.starts_with("eyJ") && claims.len() >= 12 && signature.len() >= 16);
        if is_token && !is_word(text[..at].bytes().next_back()) {
            found.push((token, "a JSON web token"));
        }
    }
    found.extend(private_keys(text));
    found
}

/// Private keys in PEM, from their first line to their last, or to the end of
/// the text.
fn private_keys(text: &str) -> Vec<(Range<usize>, &'static str)> {
    const FEWEST: usize = 16;
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), "-----BEGIN ") {
        let line = super::head(&text[at..], 80);
        let Some(label) = line.find(PRIVATE_KEY) else {
            continue;
        };
        let body = at + label + PRIVATE_KEY.len();
        let end = text[body..]
            .find("-----END ")
            .map_or(text.len(), |end| body + end);
        let is_key = text[body..end].split(|c: char| c.is_whitespace() || c == '\\');
        let n = is_key.filter(|line| line.bytes().all(is_base64) || line.starts_with('n'));
        if n.map(str::len).sum::<usize>() >= FEWEST {
            let after = text[end..]
                .find(PRIVATE_KEY)
                .map_or(end, |n| end + n + PRIVATE_KEY.len());
            found.push((at..after, "a private key"));
        }
    }
    found
}

/// The bytes from a place on that a key may have.
fn stretch(text: &str, from: usize, is_of_key: fn(u8) -> bool) -> Range<usize> {
    let n = text[from..]
        .bytes()
        .take_while(|byte| is_of_key(*byte))
        .count();
    from..from + n
}

/// Whether a stretch looks like a key and not like its placeholder: digits and
/// letters, and enough different ones.
fn is_random(body: &str) -> bool {
    const BITS: f64 = 3.0;
    let has_digit = body.bytes().any(|byte| byte.is_ascii_digit());
    let has_letter = body.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_example = body.to_ascii_uppercase().contains("EXAMPLE");
    has_digit && has_letter && !is_example && entropy(body.as_bytes()) >= BITS
}

/// The entropy of the bytes, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let n: f64 = counts.iter().copied().map(f64::from).sum();
    let shares = counts.iter().filter(|count| **count > 0);
    shares
        .map(|count| f64::from(*count) / n)
        .map(|share| -share * share.log2())
        .sum()
}
