//! Server-sent events, as far as the service uses them.

/// Cuts a stream of bytes into the data of its events.
///
/// Lines end in `\n`, `\r\n` or `\r`; an event ends at an empty line; its
/// `data:` lines are joined by `\n`. An event that the stream ends in the
/// middle of is none.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    was_return: bool,
}

impl Events {
    /// Takes the next bytes and gives the data of each event that they end.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) {
        for &byte in bytes {
            let is_second = std::mem::replace(&mut self.was_return, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if is_second => {}
                b'\n' | b'\r' => self.end_line(each),
                byte => self.line.push(byte),
            }
        }
    }

    fn end_line(&mut self, each: &mut dyn FnMut(&[u8])) {
        if self.line.is_empty() {
            if let Some(data) = self.data.take() {
                each(&data);
            }
            return;
        }
        if let Some(rest) = self.line.strip_prefix(b"data:") {
            let rest = rest.strip_prefix(b" ").unwrap_or(rest);
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(rest);
                }
                None => self.data = Some(rest.to_vec()),
            }
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for chunk in chunks {
            events.push(chunk, &mut |data| {
                found.push(String::from_utf8(data.into()).unwrap());
            });
        }
        found
    }

    #[test]
    fn events_end_at_empty_lines() {
        assert_eq!(events(&[b"data: a\n\ndata:b\n\n"]), ["a", "b"]);
        assert_eq!(
            events(&[b": hello\nevent: x\ndata: a\ndata: b\n\n\n"]),
            ["a\nb"]
        );
        assert_eq!(events(&[b"data: a\r\n\r\ndata: b\r\r"]), ["a", "b"]);
        assert_eq!(events(&[b"data: a\n\ndata: cut off\n"]), ["a"]);
        assert_eq!(events(&[b"\n\n"]), [""; 0]);
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_arrive() {
        let whole = "data: é1\r\n\r\ndata: x\r\ndata: y\r\n\r\n".as_bytes();
        let expected = events(&[whole]);
        assert_eq!(expected, ["é1", "x\ny"]);
        for cut in 0..=whole.len() {
            for second in cut..=whole.len() {
                let chunks = [&whole[..cut], &whole[cut..second], &whole[second..]];
                assert_eq!(events(&chunks), expected, "{cut} {second}");
            }
        }
    }
}
