//! Pieces that are found in a text before anything is merged: mark-up, runs of
//! spaces and newlines, names of control tokens.

use super::recipe::{ESCAPED, SPACE};

/// The user-defined pieces of a model: the leftmost, and of those the longest,
/// is taken.
///
/// A trie over bytes in which `▁` is written as the space it stands for. The
/// text looked at has either.
#[derive(Debug)]
pub(super) struct Specials {
    /// Text and id of each, sorted by text.
    pieces: Vec<(Box<str>, u32)>,
    nodes: Vec<Node>,
    /// The steps of all nodes, those of one beside each other.
    steps: Vec<(u8, u32)>,
    /// The node that each first byte leads to, or 0.
    first: Box<[u32; 256]>,
    /// For each first byte, the one second byte that it goes on with, if there
    /// is but one and it is no piece by itself. After most spaces there is no
    /// other, and nothing more need be looked at.
    only: Box<[Option<u8>; 256]>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    id: Option<u32>,
    from: u32,
    to: u32,
}

impl Specials {
    pub(super) fn of<'a>(pieces: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let mut pieces: Vec<_> = pieces
            .into_iter()
            // A space in a piece is never met: in a text all have become `▁`.
            .filter(|(text, _)| !text.contains(SPACE))
            .map(|(text, id)| (text.replace(ESCAPED, " ").into_boxed_str(), id))
            .collect();
        pieces.sort_unstable();
        let mut specials = Self {
            nodes: Vec::with_capacity(pieces.len() * 2),
            steps: Vec::with_capacity(pieces.len() * 2),
            first: Box::new([0; 256]),
            only: Box::new([None; 256]),
            pieces: Vec::new(),
        };
        specials.grow(&pieces, 0);
        let root = specials.nodes[0];
        for &(byte, node) in &specials.steps[root.from as usize..root.to as usize] {
            specials.first[usize::from(byte)] = node;
            let node = specials.nodes[node as usize];
            if let (None, [(next, _)]) = (
                node.id,
                &specials.steps[node.from as usize..node.to as usize],
            ) {
                specials.only[usize::from(byte)] = Some(*next);
            }
        }
        specials.pieces = pieces;
        specials
    }

    /// Makes the node of pieces that are the same in their first bytes.
    fn grow(&mut self, pieces: &[(Box<str>, u32)], depth: usize) -> u32 {
        let number = self.nodes.len() as u32;
        let (id, longer) = match pieces {
            [(text, id), longer @ ..] if text.len() == depth => (Some(*id), longer),
            _ => (None, pieces),
        };
        let byte_of = |piece: &(Box<str>, u32)| piece.0.as_bytes()[depth];
        let groups = || longer.chunk_by(|a, b| byte_of(a) == byte_of(b));
        let from = self.steps.len();
        self.steps
            .extend(groups().map(|group| (byte_of(&group[0]), 0)));
        self.nodes.push(Node {
            id,
            from: from as u32,
            to: self.steps.len() as u32,
        });
        for (n, group) in groups().enumerate() {
            self.steps[from + n].1 = self.grow(group, depth + 1);
        }
        number
    }

    /// Text and id of each, `▁` written as a space.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&str, u32)> {
        self.pieces.iter().map(|(text, id)| (&**text, *id))
    }

    /// Whether a piece begins with this byte.
    pub(super) fn is_first(&self, byte: u8) -> bool {
        self.first[usize::from(byte)] != 0
    }

    /// The id of the longest piece that the bytes begin with, and how many of
    /// them it takes.
    #[inline]
    pub(super) fn longest(&self, bytes: &[u8]) -> Option<(u32, usize)> {
        let (byte, n) = step(bytes)?;
        let node = self.first[usize::from(byte)];
        if node == 0 {
            return None;
        }
        if let Some(only) = self.only[usize::from(byte)] {
            let (next, _) = step(&bytes[n..])?;
            if next != only {
                return None;
            }
        }
        self.longest_from(node, bytes, n)
    }

    fn longest_from(&self, node: u32, bytes: &[u8], mut at: usize) -> Option<(u32, usize)> {
        let mut node = self.nodes[node as usize];
        let mut found = node.id.map(|id| (id, at));
        while let Some((byte, n)) = step(&bytes[at..]) {
            let steps = &self.steps[node.from as usize..node.to as usize];
            let Some(&(_, next)) = steps.iter().find(|step| step.0 == byte) else {
                break;
            };
            at += n;
            node = self.nodes[next as usize];
            found = node.id.map(|id| (id, at)).or(found);
        }
        found
    }
}

/// The byte that the text begins with and how many bytes it stands for: `▁`
/// is a space.
#[inline]
fn step(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [0xe2, 0x96, 0x81, ..] => Some((b' ', 3)),
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}
