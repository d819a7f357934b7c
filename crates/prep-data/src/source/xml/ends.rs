//! Finding where units end in a stream of XML.
//!
//! The scanner looks from `<` to `<` and keeps its state across chunks of any
//! size. It knows only what may hide a tag (comments, CDATA sections and
//! processing instructions) and end tags. A `<` cannot stand in an attribute
//! value, so attributes need no state. [`markup::Tags`](super::markup::Tags)
//! must see the same end tags; a test holds the two together.

use memchr::{memchr, memchr2};

use crate::source::blocks::{Cutter, Want};

/// Cuts after the end tags of some elements.
#[derive(Debug)]
pub(crate) struct Ends {
    /// Local names of the elements.
    names: &'static [&'static str],
    state: State,
    /// The local name of the end tag being read.
    name: Name,
    /// Which of `names` ended last.
    last: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between tags, or inside a start tag.
    Text,
    /// After `<`.
    Open,
    /// After `<!`.
    Bang,
    /// After `<!-`.
    Dash,
    /// After `<!` and that many bytes of `[CDATA[`.
    Bracket(usize),
    /// Inside something that ends with `count` times `byte` and `>`, after
    /// `run` of them.
    Hidden { byte: u8, count: u8, run: u8 },
    /// In the name of an end tag.
    Name,
    /// After the name of an end tag.
    AfterName,
}

impl Ends {
    /// A scanner for the end tags of elements with these local names.
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self {
            names,
            state: State::Text,
            name: Name::default(),
            last: None,
        }
    }

    /// The local name of the end tag found last, since this was last asked.
    pub(crate) fn take_last(&mut self) -> Option<&'static str> {
        self.last.take().map(|n| self.names[n])
    }

    /// The index of the wanted element whose end tag was read.
    fn wanted(&self) -> Option<usize> {
        self.names
            .iter()
            .position(|name| self.name.is(name.as_bytes()))
    }
}

impl Cutter for Ends {
    fn scan(&mut self, chunk: &[u8], want: Want) -> Option<usize> {
        let mut end = None;
        let mut at = 0;
        // A state that a byte does not fit into hands it on, unread, to the
        // next state; no state hands on twice.
        while at < chunk.len() {
            let byte = chunk[at];
            at += 1;
            self.state = match self.state {
                State::Text => {
                    let Some(open) = memchr(b'<', &chunk[at - 1..]) else {
                        break;
                    };
                    at += open;
                    State::Open
                }
                State::Open => match byte {
                    b'/' => {
                        self.name = Name::default();
                        State::Name
                    }
                    b'!' => State::Bang,
                    b'?' => hidden(b'?', 1),
                    b'<' => State::Open,
                    _ => State::Text,
                },
                State::Bang if byte == b'-' => State::Dash,
                State::Bang if byte == b'[' => State::Bracket(1),
                State::Dash if byte == b'-' => hidden(b'-', 2),
                State::Bracket(n) if byte == b"[CDATA["[n] => {
                    if n + 1 == b"[CDATA[".len() {
                        hidden(b']', 2)
                    } else {
                        State::Bracket(n + 1)
                    }
                }
                State::Bang | State::Dash | State::Bracket(_) => {
                    at -= 1;
                    State::Text
                }
                State::Hidden {
                    byte: sign,
                    count,
                    run: 0,
                } => {
                    let Some(next) = memchr(sign, &chunk[at - 1..]) else {
                        break;
                    };
                    at += next;
                    State::Hidden {
                        byte: sign,
                        count,
                        run: 1,
                    }
                }
                State::Hidden { count, run, .. } if byte == b'>' && run >= count => State::Text,
                State::Hidden {
                    byte: sign,
                    count,
                    run,
                } => State::Hidden {
                    byte: sign,
                    count,
                    run: if byte == sign {
                        (run + 1).min(count)
                    } else {
                        0
                    },
                },
                State::Name if is_name_end(byte) => {
                    at -= 1;
                    State::AfterName
                }
                State::Name => {
                    self.name.push(byte);
                    State::Name
                }
                State::AfterName => {
                    let Some(next) = memchr2(b'>', b'<', &chunk[at - 1..]) else {
                        break;
                    };
                    at += next;
                    if chunk[at - 1] == b'<' {
                        State::Open
                    } else {
                        if let Some(n) = self.wanted() {
                            self.last = Some(n);
                            end = Some(at);
                            if want == Want::First {
                                self.state = State::Text;
                                return end;
                            }
                        }
                        State::Text
                    }
                }
            };
        }
        end
    }
}

fn hidden(byte: u8, count: u8) -> State {
    State::Hidden {
        byte,
        count,
        run: 0,
    }
}

/// Whether a byte ends the name of a tag.
pub(crate) fn is_name_end(byte: u8) -> bool {
    matches!(byte, b'>' | b'<' | b'/' | b' ' | b'\t' | b'\r' | b'\n')
}

/// A local name, as far as one of those looked for may be long.
#[derive(Debug, Clone, Copy, Default)]
struct Name {
    bytes: [u8; 16],
    len: usize,
}

impl Name {
    fn push(&mut self, byte: u8) {
        if byte == b':' {
            self.len = 0;
            return;
        }
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
        }
        // One past the buffer means too long.
        self.len = (self.len + 1).min(self.bytes.len() + 1);
    }

    fn is(&self, name: &[u8]) -> bool {
        self.bytes.get(..self.len) == Some(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::xml::markup::{Kind, Tags};

    fn ends_by_chunks(text: &[u8], size: usize) -> Vec<usize> {
        let mut ends = Ends::new(&["tu", "trans-unit"]);
        let mut found = Vec::new();
        let mut base = 0;
        for chunk in text.chunks(size) {
            let mut at = 0;
            while let Some(end) = ends.scan(&chunk[at..], Want::First) {
                at += end;
                found.push(base + at);
            }
            base += chunk.len();
        }
        found
    }

    fn last_end(text: &[u8]) -> Option<usize> {
        Ends::new(&["tu", "trans-unit"]).scan(text, Want::Last)
    }

    fn ends_by_tags(text: &[u8]) -> Vec<usize> {
        Tags::new(text)
            .filter(|tag| {
                tag.kind == Kind::Close && (tag.name == b"tu" || tag.name == b"trans-unit")
            })
            .map(|tag| tag.end)
            .collect()
    }

    fn check(text: &str, expected: &[&str]) {
        let text = text.as_bytes();
        let mut at = 0;
        let found: Vec<_> = ends_by_chunks(text, 1)
            .into_iter()
            .map(|end| std::str::from_utf8(&text[std::mem::replace(&mut at, end)..end]).unwrap())
            .collect();
        assert_eq!(found, expected);
        assert_eq!(ends_by_tags(text).len(), expected.len());
        assert_eq!(last_end(text), ends_by_tags(text).last().copied());
    }

    #[test]
    fn only_end_tags_end() {
        check(
            "<tu>a</tu>b<tu/></tu \n>",
            &["<tu>a</tu>", "b<tu/></tu \n>"],
        );
        check("a</x:tu></tux></ tu></tu", &["a</x:tu>"]);
        check("<!-- </tu> --></tu>", &["<!-- </tu> --></tu>"]);
        check(
            "<![CDATA[</tu>]] ]]]></tu>",
            &["<![CDATA[</tu>]] ]]]></tu>"],
        );
        check("<?a </tu>??></tu>", &["<?a </tu>??></tu>"]);
        check("<!--></tu>--></tu>", &["<!--></tu>--></tu>"]);
        check(
            "<!-</tu><![CDAT[</tu><</tu>",
            &["<!-</tu>", "<![CDAT[</tu>", "<</tu>"],
        );
        check("</tu </tu>", &["</tu </tu>"]);
    }

    proptest! {
        #[test]
        fn chunks_and_tags_agree(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "<", ">", "</", "/>", "tu", "trans-unit", "</tu>", "<tu>", "<!--", "-->", "-", "<![CDATA[",
                    "]]>", "]", "<?", "?>", "?", "!", " ", "a", ":", "\"", "'", "=", "\n", "é",
                ]),
                0..40,
            ),
            size in 1_usize..9,
        ) {
            let text = parts.concat();
            let by_tags = ends_by_tags(text.as_bytes());
            prop_assert_eq!(&ends_by_chunks(text.as_bytes(), size), &by_tags);
            prop_assert_eq!(last_end(text.as_bytes()), by_tags.last().copied());
        }
    }
}
