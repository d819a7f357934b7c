//! Types that do not go with the extension of their file.

use crate::diag::{Code, Level, shown};
use crate::rules::example::member;
use crate::rules::{Check, Edit, Example, Report, Rule, Safety, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E054",
        name: "mime-type-mismatch",
        level: Level::Warn,
        hint: "write the type that the file has",
    },
    page: include_str!("mime_type_mismatch.md"),
    fix: Some(Safety::Unsafe),
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    for (_, data) in turns::data(example, "fileData") {
        let (Some(value), Some(uri)) = (
            member(data.value, "mimeType"),
            member(data.value, "fileUri"),
        ) else {
            continue;
        };
        let (Some(mime_type), Some(uri)) = (value.as_str(), uri.as_str()) else {
            continue;
        };
        let Some((extension, types)) = types_of(&uri) else {
            continue;
        };
        let is_one = types.iter().any(|one| one.eq_ignore_ascii_case(&mime_type));
        if is_one || super::Media::of(&mime_type).is_none() {
            continue;
        }
        let usual = types[0];
        let text = format!(
            "{} does not go with `.{extension}`, which is `{usual}`",
            shown(&mime_type)
        );
        report.value(value, text).repair(|| {
            vec![Edit::replace(
                value.offset()..value.end(),
                format!("\"{usual}\""),
            )]
        });
    }
}

/// Extensions and the types that their files have, the usual one first.
const TYPES: &[(&str, &[&str])] = &[
    ("png", &["image/png"]),
    ("jpg", &["image/jpeg", "image/jpg"]),
    ("jpeg", &["image/jpeg", "image/jpg"]),
    ("webp", &["image/webp"]),
    ("gif", &["image/gif"]),
    ("bmp", &["image/bmp", "image/x-ms-bmp"]),
    ("heic", &["image/heic", "image/heif"]),
    ("heif", &["image/heif", "image/heic"]),
    ("pdf", &["application/pdf"]),
    ("txt", &["text/plain"]),
    ("mp3", &["audio/mp3", "audio/mpeg"]),
    (
        "wav",
        &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
    ),
    ("flac", &["audio/flac", "audio/x-flac"]),
    ("aac", &["audio/aac", "audio/x-aac"]),
    ("m4a", &["audio/m4a", "audio/x-m4a", "audio/mp4"]),
    ("mp4", &["video/mp4", "audio/mp4"]),
    ("mov", &["video/quicktime", "video/mov"]),
    ("avi", &["video/avi", "video/x-msvideo", "video/msvideo"]),
    ("wmv", &["video/wmv", "video/x-ms-wmv"]),
    ("flv", &["video/x-flv", "video/flv"]),
];

fn types_of(uri: &str) -> Option<(&'static str, &'static [&'static str])> {
    let path = uri.split(['?', '#']).next()?;
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    let known = TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension));
    known.map(|(extension, types)| (*extension, *types))
}
