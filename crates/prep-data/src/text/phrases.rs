//! Fragments that secrets and boilerplate have, and a search for them all.
//!
//! A rule that looks for a phrase needs a fragment of it here. Each is rare in
//! prose and in chats, since a hit costs a parse of the line. It is found by three
//! bytes of it that are rare in texts: ` AI` of `an AI`, and not `an `.

use std::sync::LazyLock;

/// Fragments in ASCII.
pub const PHRASES: &[&str] = &[
    // Boilerplate, without first letters that may be capitals.
    "an AI",
    "an artificial intelligence, I",
    "anguage model",
    "nowledge cutoff",
    "nowledge update",
    "enguaje",
    "gencia artificial,",
    "a IA,",
    "omo IA,",
    // What is left of templates.
    "INST]",
    // Secrets.
    "-----BEGIN",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "GOCSPX-",
    "eyJhb",
    "eyJ0e",
    "eyJra",
    "T3BlbkFJ",
    "sk-ant-",
    "sk-or-v1-",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "xapp-",
    "hooks.slack.com/serv",
    "pypi-AgE",
    "AccountKey=",
    "_x00",
    "sk_live_",
    "rk_live_",
    "whsec_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "hf_",
    "npm_",
    "dckr_pat_",
    "shpat_",
];

/// Fragments beyond ASCII: Chinese boilerplate, and what lost characters are
/// in GBK.
pub const BEYOND_ASCII: &[&str] = &[
    "语言模型",
    "語言模型",
    "作为AI",
    "作为一个AI",
    "作为一名AI",
    "作为人工智能",
    "作为一个人工智能",
    "作為AI",
    "作為一個AI",
    "作為人工智",
    "锟斤拷",
];

/// Three bytes of every fragment, in eight groups.
///
/// The bytes of a group are looked for together, first, second and third each
/// with its own: so what is rare in one of the three places, a capital or an
/// underscore, makes the whole group rare. In stories and chats of English,
/// Spanish and Chinese one place in 350 to 2000 is looked at in vain.
pub(super) const WINDOWS: [&[&[u8; 3]]; 8] = [
    &[
        b"at_", b"ub_", b"ec_", b"hf_", b"ho_", b"hp_", b"hr_", b"hs_", b"hu_", b"pm_", b"sk_",
        b"rk_",
    ],
    &[
        b"PX-", b"pp-", b"nt-", b"v1-", b"at-", b"xa-", b"xb-", b"xp-", b"xs-", b"pi-", b"ST]",
    ],
    // Behind ideographs, of which this is the last byte.
    &[b" AI", b"\xaaAI", b"\x8dAI", b"\xbaAI", b"\x8bAI", b"k.c"],
    &[b" IA", b"KIA", b"SIA", b"AIz"],
    &[b"eyJ", b"T3B", b"ntK", b"BEG"],
    &[
        b"x00",
        b"a29",
        b"\xa1\xe5\x9e",
        b"\xa5\xe6\x99",
        b"\xa4\xe6\x8b",
    ],
    &[b"uag", b"uaj", b"wle"],
    &[b"tif"],
];

/// Whether a fragment is there whose three bytes stand at a place.
pub(super) fn is_at(text: &[u8], at: usize) -> bool {
    let Some(window) = text.get(at..at + 3) else {
        return false;
    };
    let known = by_first_byte()[usize::from(window[0])].iter();
    known.filter(|known| known.window == window).any(|known| {
        let start = (at + 3).checked_sub(known.end);
        start.is_some_and(|start| text[start..].starts_with(known.phrase))
    })
}

/// A fragment, and the first three bytes of it that are among [`WINDOWS`].
#[derive(Debug, Clone, Copy)]
struct Known {
    phrase: &'static [u8],
    window: &'static [u8],
    /// Where in the fragment these three end.
    end: usize,
}

impl Known {
    fn new(phrase: &'static [u8]) -> Self {
        let mut windows = (3..).zip(phrase.windows(3));
        let is_known = |window: &[u8]| {
            let mut known = WINDOWS.iter().copied().flatten();
            known.any(|known| *known == window)
        };
        let (end, window) = windows
            .find(|(_, window)| is_known(window))
            .expect("every fragment has three bytes of the table");
        Self {
            phrase,
            window,
            end,
        }
    }
}

fn by_first_byte() -> &'static [Vec<Known>] {
    static BY_FIRST_BYTE: LazyLock<Vec<Vec<Known>>> = LazyLock::new(|| {
        let mut by_first_byte = vec![Vec::new(); 256];
        for phrase in PHRASES.iter().chain(BEYOND_ASCII) {
            let known = Known::new(phrase.as_bytes());
            by_first_byte[usize::from(known.window[0])].push(known);
        }
        by_first_byte
    });
    &BY_FIRST_BYTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fragment_is_known_by_three_bytes_and_all_of_them_are_needed() {
        let by_first_byte = by_first_byte();
        for window in WINDOWS.iter().copied().flatten() {
            let mut known = by_first_byte[usize::from(window[0])].iter();
            assert!(known.any(|known| known.window == *window), "{window:?}");
        }
        for phrase in PHRASES.iter().chain(BEYOND_ASCII) {
            let bytes = phrase.as_bytes();
            assert!((0..bytes.len()).any(|at| is_at(bytes, at)), "{phrase}");
        }
    }
}
