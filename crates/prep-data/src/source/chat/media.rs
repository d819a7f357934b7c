//! Files that a turn points to.

use std::borrow::Cow;

use super::draft::Fault;
use super::shape::quoted;
use crate::diag::S030;
use crate::example::Part;

const MIME_TYPES: [(&str, &str); 30] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
    ("aac", "audio/aac"),
    ("m4a", "audio/m4a"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("aiff", "audio/aiff"),
    ("aif", "audio/aiff"),
    ("pcm", "audio/pcm"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("avi", "video/avi"),
    ("wmv", "video/wmv"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("3gp", "video/3gpp"),
    ("3gpp", "video/3gpp"),
];

/// The part for a file at an address, its type told by the extension.
pub(super) fn file(address: Cow<'_, str>, at: usize) -> Result<Part<'_>, Fault> {
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme.to_ascii_lowercase().as_str() {
        "gs" | "http" | "https" => {}
        "data" => {
            return Err(Fault::new(
                &S030,
                at,
                "the file stands inside the record, as a `data:` address",
            ));
        }
        _ => {
            let message = format!("{} is no `gs://` or `https://` address", quoted(&address));
            return Err(Fault::new(&S030, at, message));
        }
    }
    let Some(mime_type) = mime_type(&address) else {
        let message = format!(
            "the extension of {} tells no type that is known",
            quoted(&address)
        );
        return Err(Fault::new(&S030, at, message));
    };
    Ok(Part::FileData {
        mime_type: mime_type.into(),
        file_uri: address,
        extra: Vec::new(),
    })
}

fn mime_type(address: &str) -> Option<&'static str> {
    let path = address.split(['?', '#']).next()?;
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    let known = MIME_TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension));
    known.map(|(_, mime_type)| *mime_type)
}
