//! Rows that need no second look.
//!
//! Most rows have no quote and nothing that JSON escapes. One pass over such a
//! row finds its cells and tells that they can be copied into JSON as they
//! are; looking for the one and then for the other takes twice as long.
//! Whatever else a row is, it is left to the [`Reader`](super::decode::Reader),
//! to which a property test holds this.

use super::Layout;
use crate::source::PlainRow;
use crate::source::marks::Marks;

/// Finds the plain rows of a block.
#[derive(Debug)]
pub(super) struct PlainRows<'a> {
    bytes: &'a [u8],
    layout: Layout,
    marks: Marks<'a>,
    ends: Vec<usize>,
}

impl<'a> PlainRows<'a> {
    /// Begins a block, or does not if none of its rows can be plain.
    pub(super) fn new(text: &'a str, layout: Layout) -> Option<Self> {
        (layout.dialect.terminator == b'\n' && layout.n_columns > 1).then(|| Self {
            bytes: text.as_bytes(),
            layout,
            marks: Marks::new(text.as_bytes(), layout.dialect.delimiter),
            ends: Vec::new(),
        })
    }

    /// The row that begins at `start` and where the next one does; `None` if
    /// it is not plain, or nothing ends it. `start` must grow from call to
    /// call.
    pub(super) fn row(&mut self, start: usize, line: u64) -> Option<(PlainRow<'_>, usize)> {
        let delimiter = self.layout.dialect.delimiter;
        self.marks.skip_to(start);
        self.ends.clear();
        for _ in 1..self.layout.n_columns {
            let end = self.marks.next()?;
            if self.bytes[end] != delimiter {
                return None;
            }
            self.ends.push(end - start);
        }
        let end = self.marks.next()?;
        let next = match self.bytes[end..] {
            [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            _ => return None,
        };
        self.ends.push(end - start);
        Some((
            PlainRow::new(line, &self.bytes[start..end], &self.ends),
            next,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::*;

    #[test]
    fn rows_without_quotes_and_escapes_are_plain() {
        let dialect = Dialect {
            delimiter: b',',
            quoting: true,
            terminator: b'\n',
        };
        let layout = Layout {
            dialect,
            n_columns: 2,
            record_limit: 100,
        };
        let is_plain = |text: &str| {
            let mut rows = PlainRows::new(text, layout).unwrap();
            let row = rows.row(0, 0);
            row.is_some_and(|(row, next)| next == text.len() && row.cell(1) == "é'".as_bytes())
        };
        assert!(is_plain("a,é'\n"));
        assert!(is_plain(",é'\r\n"));
        for odd in [
            "a,é'",
            "a,é'\r",
            "a,é',\n",
            "é'\n",
            "\"a\",é'\n",
            "a\\,é'\n",
            "a\t,é'\n",
        ] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }
}
