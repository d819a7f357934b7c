//! Columns that line up.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::visible;

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// At the left: words.
    Left,
    /// At the right: numbers.
    Right,
}

/// Rows of cells under a head.
#[derive(Debug)]
pub(crate) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes one with a head.
    pub(crate) fn new<'a>(head: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let (names, aligns) = head
            .into_iter()
            .map(|(name, align)| (name.to_owned(), align))
            .unzip();
        Self {
            aligns,
            rows: vec![names],
        }
    }

    /// Adds a row, of as many cells as the head has.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Writes it, two spaces between columns and none at the end of a line.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let shown = |row: &Vec<String>| -> Vec<String> {
            row.iter().map(|cell| visible(cell).into_owned()).collect()
        };
        let rows: Vec<_> = self.rows.iter().map(shown).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].width()).max();
        let widths: Vec<_> = (0..self.aligns.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).zip(&self.aligns);
            let cells: Vec<_> = cells
                .map(|((cell, width), align)| {
                    let padding = " ".repeat(width - cell.width());
                    match align {
                        Align::Left => format!("{cell}{padding}"),
                        Align::Right => format!("{padding}{cell}"),
                    }
                })
                .collect();
            writeln!(out, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new([
            ("FILE", Align::Left),
            ("N", Align::Right),
            ("", Align::Left),
        ]);
        table.row(["你好", "1,000", "x"].map(str::to_owned).into());
        table.row(["a\u{1b}", "7", ""].map(str::to_owned).into());
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        let expected = "\
FILE         N
你好     1,000  x
a\\u{1b}      7
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
