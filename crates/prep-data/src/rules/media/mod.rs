//! Rules about files: where they are, what they are, and how many.

pub(super) mod file_uri;
pub(super) mod inline_data;
pub(super) mod media_count;
pub(super) mod mime_type;
pub(super) mod mime_type_mismatch;

/// What a file is to the limits of tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Image,
    Pdf,
    Audio,
    Video,
    /// Plain text, which no limit is known for.
    Text,
}

impl Media {
    /// The kind of a MIME type, if it is one that tuning reads.
    fn of(mime_type: &str) -> Option<Self> {
        let mime_type = mime_type.to_ascii_lowercase();
        let (family, kind) = mime_type.split_once('/')?;
        match (family, kind) {
            (_, "") => None,
            ("image", _) => Some(Self::Image),
            ("audio", _) => Some(Self::Audio),
            ("video", _) => Some(Self::Video),
            ("application", "pdf") => Some(Self::Pdf),
            ("text", "plain") => Some(Self::Text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
