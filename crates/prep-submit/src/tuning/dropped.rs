//! Examples that the service left out of the training dataset.

/// What the service says of the examples it dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dropped {
    /// How many there are, if the service says.
    pub total: Option<u64>,
    /// Some of them: the service lists a sample, in its own order.
    pub examples: Vec<DroppedExample>,
}

/// An example that was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedExample {
    /// Which: the line of the training file that was uploaded, from 1.
    pub index: u64,
    /// Why, if the service says.
    pub reason: Option<String>,
}

impl Dropped {
    /// How many were dropped: as many as the service says, and not fewer than
    /// it lists.
    #[must_use]
    pub fn count(&self) -> u64 {
        let listed = self.examples.len() as u64;
        self.total.unwrap_or(listed).max(listed)
    }

    /// Whether not all of them are listed.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.count() > self.examples.len() as u64
    }

    /// The listed ones in the order of the file, each once.
    #[must_use]
    pub fn in_file_order(&self) -> Vec<&DroppedExample> {
        let mut examples: Vec<_> = self.examples.iter().collect();
        examples.sort_by_key(|example| example.index);
        examples.dedup_by_key(|example| example.index);
        examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_told_from_the_whole() {
        let example = |index| DroppedExample {
            index,
            reason: None,
        };
        let dropped = |total, indices: &[u64]| Dropped {
            total,
            examples: indices.iter().copied().map(example).collect(),
        };
        let check = |dropped: Dropped, count, is_sample| {
            assert_eq!((dropped.count(), dropped.is_sample()), (count, is_sample));
        };
        check(Dropped::default(), 0, false);
        check(dropped(Some(3), &[7]), 3, true);
        check(dropped(Some(0), &[7]), 1, false);
        check(dropped(None, &[7, 2]), 2, false);
        let order = dropped(Some(3), &[9, 2, 9]);
        let indices: Vec<_> = order.in_file_order().iter().map(|e| e.index).collect();
        assert_eq!(indices, [2, 9]);
    }
}
