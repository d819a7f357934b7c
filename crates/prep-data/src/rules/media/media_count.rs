//! Examples with more files than the service takes.

use crate::diag::{Code, Level};
use crate::rules::example::member;
use crate::rules::{Check, Example, Report, Rule, Signs, turns};

pub(in crate::rules) static RULE: Rule = Rule {
    code: &Code {
        code: "E041",
        name: "media-count",
        level: Level::Error,
        hint: "leave some out, or make several examples",
    },
    page: include_str!("media_count.md"),
    fix: None,
    when: Signs::STRUCTURE,
    check: Check::Example(check),
};

fn check(example: &Example<'_, '_>, report: &mut Report<'_>) {
    /// How many files of a kind an example may have.
    const LIMITS: &[(super::Media, usize, &str)] = &[
        (super::Media::Image, 30, "images"),
        (super::Media::Pdf, 4, "PDF files"),
        (super::Media::Audio, 1, "audio files"),
        (super::Media::Video, 1, "videos"),
    ];
    let files: Vec<_> = turns::data(example, "fileData")
        .filter_map(|(_, data)| {
            let mime_type = member(data.value, "mimeType")?.as_str()?;
            Some((super::Media::of(&mime_type)?, data))
        })
        .collect();
    for (media, most, name) in LIMITS {
        let mut of_kind = files.iter().filter(|(kind, _)| kind == media);
        let n_files = of_kind.clone().count();
        if let Some((_, first_beyond)) = of_kind.nth(*most) {
            let text = format!("the example has {n_files} {name}, the limit is {most}");
            report.at(first_beyond.key.offset, text);
        }
    }
}
