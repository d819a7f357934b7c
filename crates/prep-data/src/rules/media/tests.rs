//! Repairs of the rules of files, and which kinds of files there are.

use super::Media;
use crate::rules::tests::{repaired, twice};
use crate::rules::{Method, Safety};

#[test]
fn a_type_is_told_by_the_extension() {
    let line = |mime_type: &str| {
        format!(
            r#"{{"contents":[{{"role":"user","parts":[{{"fileData":{{"mimeType":"{mime_type}","fileUri":"https://example.org/a.JPG?x=a.png"}}}}]}},{{"role":"model","parts":[{{"text":"Yes."}}]}}]}}"#
        )
    };
    let (fixed, codes) = repaired(&line("image/png"), Method::Sft, Safety::Unsafe);
    assert_eq!(fixed, line("image/jpeg"));
    assert!(codes.is_empty(), "{codes:?}");
    twice(&fixed, Method::Sft, Safety::Unsafe);
}

#[test]
fn kinds_of_files_are_told_by_their_type() {
    let table = [
        ("image/png", Some(Media::Image)),
        ("IMAGE/PNG", Some(Media::Image)),
        ("application/pdf", Some(Media::Pdf)),
        ("audio/mpeg", Some(Media::Audio)),
        ("video/x-flv", Some(Media::Video)),
        ("text/plain", Some(Media::Text)),
        ("text/html", None),
        ("image/", None),
        ("png", None),
    ];
    for (mime_type, expected) in table {
        assert_eq!(Media::of(mime_type), expected, "{mime_type}");
    }
}
