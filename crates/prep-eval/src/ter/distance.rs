//! The edit distance of two lists of words, near the diagonal.
//!
//! sacreBLEU fills only a band of the matrix around the diagonal, which is
//! slanted when the lists differ in length. [`Distance::align`] does the same,
//! to know the edits. Hundreds of shifted hypotheses then want to know only
//! how many edits there would be. [`Distance::after`] answers with Myers' bit
//! vectors, 64 cells of the *whole* matrix at a time, from the first word that
//! moved on. That is the same number when the band covers the whole matrix,
//! or when the distance is too small for a cheapest path to leave it; the few
//! others go through the band again.

use crate::grams::number;

/// How far the band reaches to either side of the diagonal.
const BEAM: usize = 25;

const FAR: u32 = u32::MAX / 2;

/// A step from the hypothesis to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    /// The word is the same.
    Keep,
    /// The word is another.
    Replace,
    /// The hypothesis lacks a word.
    Insert,
    /// The hypothesis has a word too many.
    Delete,
}

/// Distances to one reference.
#[derive(Debug, Default)]
pub(super) struct Distance {
    reference: Vec<u32>,
    band: Band,
    matrix: Matrix,
    bits: Bits,
    edits: Vec<Edit>,
}

impl Distance {
    /// Begins with a reference, which is not empty. All hypotheses to come
    /// are made of the words of this one, in another order.
    pub(super) fn set_reference(&mut self, reference: &[u32], hypothesis: &[u32]) {
        self.reference.clear();
        self.reference.extend_from_slice(reference);
        self.band = Band::new(hypothesis.len(), reference.len());
        self.bits.set_reference(reference, hypothesis);
    }

    /// Computes the distance, and the [`edits`](Self::edits).
    pub(super) fn align(&mut self, words: &[u32]) -> u32 {
        self.matrix.fill(&self.band, words, &self.reference);
        self.matrix.trace(words, &self.reference, &mut self.edits);
        self.bits.fill(words);
        self.matrix.distance()
    }

    /// Gives the edits of the last alignment, in order.
    pub(super) fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Computes the distance of other words than those aligned last: the same
    /// at the beginning, and the same from `end` on.
    pub(super) fn after(&mut self, words: &[u32], shifted: &[u32], end: usize) -> u32 {
        let n_same = words
            .iter()
            .zip(shifted)
            .take_while(|(a, b)| a == b)
            .count();
        let distance = self.bits.after(shifted, n_same, end);
        if self.band.is_enough_for(distance) {
            return distance;
        }
        self.matrix
            .after(&self.band, shifted, &self.reference, n_same, end)
    }
}

/// Which cells of the matrix are looked at.
#[derive(Debug, Default)]
struct Band {
    n_rows: usize,
    n_columns: usize,
    /// Columns for each row.
    slope: f64,
    width: usize,
    is_everything: bool,
}

impl Band {
    fn new(n_hypothesis: usize, n_reference: usize) -> Self {
        let slope = if n_hypothesis == 0 {
            1.0
        } else {
            n_reference as f64 / n_hypothesis as f64
        };
        let beam = BEAM as f64;
        let width = if beam < slope / 2.0 {
            (slope / 2.0 + beam).ceil() as usize
        } else {
            BEAM
        };
        let mut band = Band {
            n_rows: n_hypothesis,
            n_columns: n_reference,
            slope,
            width,
            is_everything: false,
        };
        let whole = (0, n_reference + 1);
        band.is_everything = (1..=n_hypothesis).all(|row| band.columns(row) == whole);
        band
    }

    /// Gives the first column of a row and the one after its last.
    fn columns(&self, row: usize) -> (usize, usize) {
        if row == 0 {
            return (0, self.n_columns + 1);
        }
        let diagonal = (row as f64 * self.slope).floor() as usize;
        let last = if row == self.n_rows {
            usize::MAX
        } else {
            diagonal + self.width
        };
        (
            diagonal.saturating_sub(self.width),
            last.min(self.n_columns + 1),
        )
    }

    /// Tells whether a distance in the whole matrix is the one in the band.
    ///
    /// A path of `distance` steps off the diagonal that has to move `off`
    /// columns in all strays from it by at most half of the others, and the
    /// slanted diagonal is at most `off` away from the straight one.
    fn is_enough_for(&self, distance: u32) -> bool {
        let off = self.n_columns.abs_diff(self.n_rows);
        self.is_everything || off + (distance as usize).saturating_sub(off) / 2 + 1 < BEAM
    }
}

/// The part of the matrix that is in the band.
#[derive(Debug, Default)]
struct Matrix {
    /// For each row, its first column and where its cells begin.
    rows: Vec<(usize, usize)>,
    cells: Vec<u32>,
    /// Two rows of a shifted hypothesis.
    above: Vec<u32>,
    row: Vec<u32>,
}

impl Matrix {
    fn fill(&mut self, band: &Band, words: &[u32], reference: &[u32]) {
        self.rows.clear();
        self.cells.clear();
        self.rows.push((0, 0));
        self.cells.extend(0..=number(reference.len()));
        for (n, &word) in words.iter().enumerate() {
            let (first_above, begin) = self.rows[n];
            let end = self.cells.len();
            let (first, last) = band.columns(n + 1);
            self.rows.push((first, end));
            self.cells.resize(end + last - first, 0);
            let (above, row) = self.cells.split_at_mut(end);
            fill_row(
                word,
                reference,
                (first_above, &above[begin..]),
                (first, row),
            );
        }
    }

    fn distance(&self) -> u32 {
        *self.cells.last().expect("the first row has cells")
    }

    fn cell(&self, row: usize, column: usize) -> u32 {
        let (first, begin) = self.rows[row];
        let end = self
            .rows
            .get(row + 1)
            .map_or(self.cells.len(), |&(_, begin)| begin);
        match column.checked_sub(first) {
            Some(n) if begin + n < end => self.cells[begin + n],
            _ => FAR,
        }
    }

    /// Goes back from the end, by the first of replacing, deleting and
    /// inserting that leads to a cell.
    fn trace(&self, words: &[u32], reference: &[u32], edits: &mut Vec<Edit>) {
        edits.clear();
        let (mut row, mut column) = (words.len(), reference.len());
        while row > 0 || column > 0 {
            let cost = self.cell(row, column);
            if row > 0 && column > 0 {
                let is_same = words[row - 1] == reference[column - 1];
                if self.cell(row - 1, column - 1) + u32::from(!is_same) == cost {
                    edits.push(if is_same { Edit::Keep } else { Edit::Replace });
                    row -= 1;
                    column -= 1;
                    continue;
                }
            }
            if row > 0 && self.cell(row - 1, column) + 1 == cost {
                edits.push(Edit::Delete);
                row -= 1;
            } else {
                edits.push(Edit::Insert);
                column -= 1;
            }
        }
        edits.reverse();
    }

    fn after(
        &mut self,
        band: &Band,
        words: &[u32],
        reference: &[u32],
        n_same: usize,
        end: usize,
    ) -> u32 {
        let bounds = |rows: &[(usize, usize)], cells: &[u32], row: usize| {
            let (first, begin) = rows[row];
            (
                first,
                begin..rows.get(row + 1).map_or(cells.len(), |&(_, begin)| begin),
            )
        };
        let (mut first_above, range) = bounds(&self.rows, &self.cells, n_same);
        self.above.clear();
        self.above.extend_from_slice(&self.cells[range]);
        for (n, &word) in words.iter().enumerate().skip(n_same) {
            let (first, last) = band.columns(n + 1);
            self.row.clear();
            self.row.resize(last - first, 0);
            fill_row(
                word,
                reference,
                (first_above, &self.above),
                (first, &mut self.row),
            );
            std::mem::swap(&mut self.above, &mut self.row);
            first_above = first;
            // From here on the words are the same, and so are the differences
            // from row to row if they are the same in this one.
            if n + 1 >= end {
                let (_, range) = bounds(&self.rows, &self.cells, n + 1);
                let before = &self.cells[range];
                let offset = self.above[0].wrapping_sub(before[0]);
                if self
                    .above
                    .iter()
                    .zip(before)
                    .all(|(a, b)| a.wrapping_sub(*b) == offset)
                {
                    return self.distance().wrapping_add(offset);
                }
            }
        }
        *self.above.last().expect("a row has cells")
    }
}

/// Fills a row from the one above; each comes with its first column.
fn fill_row(word: u32, reference: &[u32], above: (usize, &[u32]), row: (usize, &mut [u32])) {
    let (first_above, above) = above;
    let (first, row) = row;
    let at = |column: usize| match column.checked_sub(first_above) {
        Some(n) => above.get(n).copied().unwrap_or(FAR),
        None => FAR,
    };
    let mut left = FAR;
    let mut diagonal = if first == 0 { FAR } else { at(first - 1) };
    for (n, cell) in row.iter_mut().enumerate() {
        let column = first + n;
        let up = at(column);
        let is_same = column > 0 && reference[column - 1] == word;
        let cost = (diagonal + u32::from(!is_same)).min(up + 1).min(left + 1);
        *cell = cost;
        left = cost;
        diagonal = up;
    }
}

/// The whole matrix as differences between neighbouring columns, a bit each
/// (Myers, 1999; Hyyrö, 2003).
#[derive(Debug, Default)]
struct Bits {
    n_blocks: usize,
    /// The bit of the last word of the reference in the last block.
    last: u64,
    /// For each word, where the reference has it.
    equal: Vec<u64>,
    /// For each row, its blocks.
    blocks: Vec<Block>,
    /// For each row, the value in its last column.
    distances: Vec<u32>,
    row: Vec<Block>,
}

/// Where 64 cells are one more, and where one less, than their left neighbour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Block {
    more: u64,
    less: u64,
}

impl Bits {
    fn set_reference(&mut self, reference: &[u32], hypothesis: &[u32]) {
        self.n_blocks = reference.len().div_ceil(64);
        self.last = 1 << ((reference.len() - 1) % 64);
        let n_words = reference
            .iter()
            .chain(hypothesis)
            .max()
            .map_or(0, |&word| word as usize + 1);
        self.equal.clear();
        self.equal.resize(n_words * self.n_blocks, 0);
        for (n, &word) in reference.iter().enumerate() {
            self.equal[word as usize * self.n_blocks + n / 64] |= 1 << (n % 64);
        }
        self.blocks.clear();
        self.blocks
            .resize(self.n_blocks, Block { more: !0, less: 0 });
        self.distances.clear();
        self.distances.push(number(reference.len()));
    }

    /// Computes all rows of a hypothesis.
    fn fill(&mut self, words: &[u32]) {
        self.blocks.truncate(self.n_blocks);
        self.distances.truncate(1);
        self.row.clear();
        self.row.extend_from_slice(&self.blocks);
        let mut distance = self.distances[0];
        for &word in words {
            self.step(word, &mut distance);
            self.blocks.extend_from_slice(&self.row);
            self.distances.push(distance);
        }
    }

    /// Computes the distance of a hypothesis that begins with `n_same` words
    /// of the one before and is as that one from `end` on.
    fn after(&mut self, words: &[u32], n_same: usize, end: usize) -> u32 {
        let n_blocks = self.n_blocks;
        self.row.clear();
        self.row
            .extend_from_slice(&self.blocks[n_same * n_blocks..][..n_blocks]);
        let mut distance = self.distances[n_same];
        for (n, &word) in words.iter().enumerate().skip(n_same) {
            self.step(word, &mut distance);
            if n + 1 >= end && self.row == self.blocks[(n + 1) * n_blocks..][..n_blocks] {
                let total = self.distances[words.len()];
                return total + distance - self.distances[n + 1];
            }
        }
        distance
    }

    /// Goes from `row` to the next.
    fn step(&mut self, word: u32, distance: &mut u32) {
        let equal = &self.equal[word as usize * self.n_blocks..][..self.n_blocks];
        // The first column grows by one from row to row.
        let (mut more_in, mut less_in) = (1, 0);
        for (n, (block, &equal)) in self.row.iter_mut().zip(equal).enumerate() {
            let Block { more, less } = *block;
            let down = equal | less;
            let equal = equal | less_in;
            let across = ((equal & more).wrapping_add(more) ^ more) | equal;
            let more_down = less | !(across | more);
            let less_down = more & across;
            if n + 1 == self.n_blocks {
                *distance += u32::from(more_down & self.last != 0);
                *distance -= u32::from(less_down & self.last != 0);
            }
            let shifted_more = more_down << 1 | more_in;
            let shifted_less = less_down << 1 | less_in;
            more_in = more_down >> 63;
            less_in = less_down >> 63;
            *block = Block {
                more: shifted_less | !(down | shifted_more),
                less: shifted_more & down,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious version: sacreBLEU's matrix with everything outside the
    /// band infinitely far.
    fn obvious(words: &[u32], reference: &[u32]) -> u32 {
        let ratio = if words.is_empty() {
            1.0
        } else {
            reference.len() as f64 / words.len() as f64
        };
        let beam = if 25.0 < ratio / 2.0 {
            (ratio / 2.0 + 25.0).ceil()
        } else {
            25.0
        };
        let mut matrix = vec![vec![FAR; reference.len() + 1]; words.len() + 1];
        matrix[0] = (0..=number(reference.len())).collect();
        for i in 1..=words.len() {
            let diagonal = (i as f64 * ratio).floor();
            let first = (diagonal - beam).max(0.0) as usize;
            let last = ((diagonal + beam) as usize).min(reference.len() + 1);
            let last = if i == words.len() {
                reference.len() + 1
            } else {
                last
            };
            for j in first..last {
                matrix[i][j] = matrix[i - 1][j] + 1;
                if j > 0 {
                    let replaced =
                        matrix[i - 1][j - 1] + u32::from(words[i - 1] != reference[j - 1]);
                    matrix[i][j] = replaced.min(matrix[i][j]).min(matrix[i][j - 1] + 1);
                }
            }
        }
        matrix[words.len()][reference.len()]
    }

    fn lists() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
        let list = |longest| prop::collection::vec(0_u32..12, 0..longest);
        let pair = |a, b| (list(a), list(b));
        prop_oneof![
            pair(20, 20),
            pair(90, 90),
            pair(200, 200),
            pair(4, 300),
            pair(300, 4)
        ]
        .prop_map(|(words, mut reference)| {
            reference.push(0);
            (words, reference)
        })
    }

    /// A list, and a stretch of it that is moved.
    fn moved() -> impl Strategy<Value = (Vec<u32>, Vec<u32>, [prop::sample::Index; 3], usize)> {
        (lists(), any::<[prop::sample::Index; 3]>(), 0..5_usize).prop_map(
            |((words, reference), places, n_changes)| (words, reference, places, n_changes),
        )
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_whole_matrix(
            (words, reference, [start, length, to], n_changes) in moved(),
            is_similar in any::<bool>(),
        ) {
            // Half of the hypotheses are the reference with a few changes.
            let mut words = if is_similar { reference.clone() } else { words };
            let n_words = words.len();
            for n in 0..n_changes.min(n_words) {
                words[n * 7 % n_words] = 11;
            }
            let mut distance = Distance::default();
            distance.set_reference(&reference, &words);
            prop_assert_eq!(distance.align(&words), obvious(&words, &reference));

            let edits = distance.edits();
            let count = |wanted| edits.iter().filter(|&&edit| edit == wanted).count();
            let n_kept = count(Edit::Keep) + count(Edit::Replace);
            prop_assert_eq!(n_kept + count(Edit::Delete), words.len());
            prop_assert_eq!(n_kept + count(Edit::Insert), reference.len());
            prop_assert_eq!(edits.len() - count(Edit::Keep), obvious(&words, &reference) as usize);

            if words.is_empty() {
                return Ok(());
            }
            let mut places = [start, length, to].map(|index| index.index(words.len()));
            places.sort_unstable();
            let [start, middle, end] = places;
            let mut shifted = words.clone();
            shifted[start..end].rotate_left(middle - start);
            prop_assert_eq!(distance.after(&words, &shifted, end), obvious(&shifted, &reference));
        }
    }
}
