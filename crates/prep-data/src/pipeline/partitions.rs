//! Many small records, brought into order within a memory limit.
//!
//! Records are kept apart by the first bits of their key, packed, and written
//! to an unnamed temporary file when memory is used up. Then the partitions
//! are visited one after the other, or on all threads at once: each is
//! unpacked and sorted, so whoever sees the partitions in order sees all
//! records in order. A partition that is itself too big is taken apart by its
//! next bits. Spilled or not, what is visited is the same.
//!
//! Half of the limit is for records that wait and half for partitions that are
//! being visited. Records whose first 64 bits are all equal are visited
//! together even if they need more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::ThreadPool;

use super::ordered;
use crate::io::{OutputError, Scratch};

/// A record of fixed size.
///
/// Its order must be that of its prefix first: `a.prefix() < b.prefix()`
/// implies `a < b`.
pub(crate) trait Packed: Copy + Ord + Send {
    /// Its size in bytes when it is packed.
    const SIZE: usize;

    /// The first bits of its key. Records spread well if these do.
    fn prefix(&self) -> u64;

    /// Writes it into [`Self::SIZE`] bytes.
    fn pack(&self, into: &mut [u8]);

    /// Reads it from [`Self::SIZE`] bytes.
    fn unpack(from: &[u8]) -> Self;
}

/// How many bits tell the partitions of one level apart.
const BITS: u32 = 8;
const N_PARTS: usize = 1 << BITS;
/// How many records the first chunk of a partition has.
const FIRST_RECORDS: usize = 16;

/// Records, kept by prefix.
#[derive(Debug)]
pub(crate) struct Partitions<T> {
    parts: Vec<Part>,
    /// Bits of the prefix that are the same in all records.
    known_bits: u32,
    /// The most bytes that waiting records may take.
    limit: usize,
    /// The bytes they take.
    held: usize,
    chunk_bytes: usize,
    /// Where there is room on a disk: beside this output.
    target: PathBuf,
    scratch: Option<Scratch>,
    #[cfg(test)]
    len: u64,
    of: std::marker::PhantomData<fn() -> T>,
}

/// The records of one prefix: what was spilled, then what waits.
#[derive(Debug, Default)]
struct Part {
    spilled: Vec<Extent>,
    /// Full ones.
    chunks: Vec<Vec<u8>>,
    /// The one that is being filled, and up to where it is.
    last: Vec<u8>,
    filled: usize,
}

/// A stretch of a scratch file.
#[derive(Debug, Clone, Copy)]
struct Extent {
    start: u64,
    bytes: usize,
}

impl Part {
    /// What is in memory, in order.
    fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        let full = self.chunks.iter().map(Vec::as_slice);
        full.chain([&self.last[..self.filled]])
    }

    fn bytes(&self) -> usize {
        let spilled: usize = self.spilled.iter().map(|extent| extent.bytes).sum();
        spilled + self.waiting().map(<[u8]>::len).sum::<usize>()
    }
}

impl<T: Packed> Partitions<T> {
    /// Makes room for records in `memory` bytes, and beyond them in the
    /// directory of `target`, an output.
    pub(crate) fn new(memory: u64, target: &Path) -> Self {
        Self::below(0, memory, target)
    }

    /// The same for records whose prefix is a number below `most`.
    pub(crate) fn of_numbers(most: u64, memory: u64, target: &Path) -> Self {
        // A partition must be told by a bit at least.
        Self::below(most.leading_zeros().min(u64::BITS - BITS), memory, target)
    }

    fn below(known_bits: u32, memory: u64, target: &Path) -> Self {
        const MOST_CHUNK: usize = 16 << 10;
        let limit = usize::try_from(memory / 2).unwrap_or(usize::MAX);
        // Every partition may have a chunk that is hardly used.
        let records = (limit / (2 * N_PARTS)).min(MOST_CHUNK) / T::SIZE;
        Self {
            parts: (0..N_PARTS).map(|_| Part::default()).collect(),
            known_bits,
            limit,
            held: 0,
            chunk_bytes: records.max(1) * T::SIZE,
            target: target.into(),
            scratch: None,
            #[cfg(test)]
            len: 0,
            of: std::marker::PhantomData,
        }
    }

    /// How many records there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether some of them are on the disk.
    #[cfg(test)]
    pub(crate) fn has_spilled(&self) -> bool {
        self.scratch.is_some()
    }

    /// Adds a record.
    ///
    /// # Errors
    ///
    /// When memory is used up and the disk takes no more.
    pub(crate) fn push(&mut self, record: &T) -> Result<(), OutputError> {
        let part = (record.prefix() << self.known_bits) >> (u64::BITS - BITS);
        let part = &mut self.parts[part as usize];
        if part.filled == part.last.len() {
            // The first ones are small: where there are few records, most of a
            // large one would be made for nothing.
            let least = FIRST_RECORDS * T::SIZE;
            let bytes = (2 * part.last.len()).max(least).min(self.chunk_bytes);
            let full = std::mem::replace(&mut part.last, vec![0; bytes]);
            part.chunks.extend((!full.is_empty()).then_some(full));
            part.filled = 0;
            self.held += bytes;
        }
        let start = part.filled;
        part.filled += T::SIZE;
        record.pack(&mut part.last[start..part.filled]);
        #[cfg(test)]
        {
            self.len += 1;
        }
        if self.held > self.limit {
            self.spill()?;
        }
        Ok(())
    }

    /// Writes all that waits to the scratch file, partition by partition.
    fn spill(&mut self) -> Result<(), OutputError> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(Scratch::beside(&self.target)?),
        };
        for part in &mut self.parts {
            if part.last.is_empty() {
                continue;
            }
            let (start, mut bytes) = (scratch.bytes(), 0);
            for chunk in part.waiting() {
                scratch.append(chunk)?;
                bytes += chunk.len();
            }
            (part.chunks, part.last, part.filled) = (Vec::new(), Vec::new(), 0);
            part.spilled.push(Extent { start, bytes });
        }
        self.held = 0;
        Ok(())
    }

    /// Gives the sorted records of each partition to `work` on any thread, and
    /// the results to `emit` in the order of the records.
    ///
    /// # Errors
    ///
    /// When the disk fails, or the first error of `emit`.
    pub(crate) fn visit<R: Send, E: From<OutputError> + Send>(
        self,
        pool: &ThreadPool,
        work: impl Fn(&[T]) -> R + Sync,
        mut emit: impl FnMut(R) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let mut pending = Pending::new(self, pool.current_num_threads());
        ordered::for_each(
            pool,
            || Ok(pending.next()?),
            |unsorted: Unsorted| unsorted.sorted().map(|records: Vec<T>| work(&records)),
            |result| emit(result?),
        )
    }

    /// Gives all records in order, one partition at a time in memory.
    pub(crate) fn into_sorted(self) -> Sorted<T> {
        Sorted {
            pending: Pending::new(self, 1),
            records: Vec::new().into_iter(),
        }
    }
}

/// All records of some [`Partitions`], in order.
#[derive(Debug)]
pub(crate) struct Sorted<T> {
    pending: Pending<T>,
    records: std::vec::IntoIter<T>,
}

impl<T: Packed> Sorted<T> {
    /// The next record, or `None` when there are no more.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub(crate) fn next(&mut self) -> Result<Option<T>, OutputError> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            let Some(unsorted) = self.pending.next()? else {
                return Ok(None);
            };
            self.records = unsorted.sorted()?.into_iter();
        }
    }
}

/// The partitions that are still to be visited, the first one last.
#[derive(Debug)]
struct Pending<T> {
    parts: Vec<Unsorted>,
    /// The most bytes that one partition may have unpacked.
    limit: usize,
    target: PathBuf,
    of: std::marker::PhantomData<fn() -> T>,
}

/// A partition whose records are to be brought into order.
#[derive(Debug)]
struct Unsorted {
    part: Part,
    scratch: Option<Arc<Scratch>>,
    known_bits: u32,
}

impl<T: Packed> Pending<T> {
    fn new(partitions: Partitions<T>, n_threads: usize) -> Self {
        let mut this = Self {
            parts: Vec::new(),
            limit: partitions.limit / n_threads.max(1),
            target: partitions.target.clone(),
            of: std::marker::PhantomData,
        };
        this.add(partitions);
        this
    }

    fn add(&mut self, partitions: Partitions<T>) {
        let scratch = partitions.scratch.map(Arc::new);
        let known_bits = partitions.known_bits + BITS;
        let parts = partitions.parts.into_iter().rev();
        let parts = parts.filter(|part| part.bytes() > 0);
        self.parts.extend(parts.map(|part| Unsorted {
            part,
            scratch: scratch.clone(),
            known_bits,
        }));
    }

    /// The next partition, taken apart if it is too big.
    fn next(&mut self) -> Result<Option<Unsorted>, OutputError> {
        while let Some(unsorted) = self.parts.pop() {
            let unpacked = unsorted.part.bytes() / T::SIZE * size_of::<T>();
            if unpacked <= self.limit || unsorted.known_bits >= u64::BITS {
                return Ok(Some(unsorted));
            }
            let memory = self.limit as u64;
            let mut apart = Partitions::below(unsorted.known_bits, memory, &self.target);
            unsorted.for_each(|record: T| apart.push(&record))?;
            self.add(apart);
        }
        Ok(None)
    }
}

impl Unsorted {
    /// All records, in order.
    ///
    /// Their prefixes are spread evenly as a rule, so there are as many buckets
    /// as records, and hardly anything is left to compare: 3 times as fast as
    /// sorting.
    fn sorted<T: Packed>(&self) -> Result<Vec<T>, OutputError> {
        const FEW: usize = 32;
        let n = self.part.bytes() / T::SIZE;
        let bits = n.max(1).ilog2();
        if n < FEW || !self.part.spilled.is_empty() || self.known_bits + bits > u64::BITS {
            let mut records = Vec::with_capacity(n);
            self.for_each(|record| {
                records.push(record);
                Ok(())
            })?;
            records.sort_unstable();
            return Ok(records);
        }
        let bucket = |record: &T| {
            let bucket = (record.prefix() << self.known_bits) >> (u64::BITS - bits);
            bucket as usize
        };
        // First how many each bucket has, then where each begins, then, as they
        // fill up, where the next record of each goes.
        let mut places = vec![0; 1 << bits];
        self.for_each(|record: T| {
            places[bucket(&record)] += 1;
            Ok(())
        })?;
        let mut start = 0;
        for place in &mut places {
            (*place, start) = (start, start + *place);
        }
        let any = self.part.waiting().find_map(|chunk| chunk.get(..T::SIZE));
        let mut records = any.map_or_else(Vec::new, |any| vec![T::unpack(any); n]);
        self.for_each(|record| {
            let place = &mut places[bucket(&record)];
            records[*place] = record;
            *place += 1;
            Ok(())
        })?;
        let mut start = 0;
        for end in places {
            if end - start > 1 {
                records[start..end].sort_unstable();
            }
            start = end;
        }
        Ok(records)
    }

    fn for_each<T: Packed>(
        &self,
        mut each: impl FnMut(T) -> Result<(), OutputError>,
    ) -> Result<(), OutputError> {
        const MOST_READ: usize = 64 << 10;
        let mut buffer = Vec::new();
        for extent in &self.part.spilled {
            let step = MOST_READ / T::SIZE * T::SIZE;
            for at in (0..extent.bytes).step_by(step) {
                buffer.resize(step.min(extent.bytes - at), 0);
                if let Some(scratch) = &self.scratch {
                    scratch.read_at(extent.start + at as u64, &mut buffer)?;
                }
                buffer
                    .chunks_exact(T::SIZE)
                    .map(T::unpack)
                    .try_for_each(&mut each)?;
            }
        }
        for chunk in self.part.waiting() {
            chunk
                .chunks_exact(T::SIZE)
                .map(T::unpack)
                .try_for_each(&mut each)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Pair(u64, u16);

    impl Packed for Pair {
        const SIZE: usize = 10;

        fn prefix(&self) -> u64 {
            self.0
        }

        fn pack(&self, into: &mut [u8]) {
            into[..8].copy_from_slice(&self.0.to_le_bytes());
            into[8..].copy_from_slice(&self.1.to_le_bytes());
        }

        fn unpack(from: &[u8]) -> Self {
            Self(
                u64::from_le_bytes(from[..8].try_into().unwrap()),
                u16::from_le_bytes(from[8..].try_into().unwrap()),
            )
        }
    }

    fn partitions(records: &[Pair], memory: u64, target: &Path) -> Partitions<Pair> {
        let mut partitions = Partitions::new(memory, target);
        records
            .iter()
            .for_each(|record| partitions.push(record).unwrap());
        assert_eq!(partitions.len(), records.len() as u64);
        partitions
    }

    fn visited(partitions: Partitions<Pair>, threads: usize) -> Vec<Pair> {
        let pool = ordered::pool(NonZeroUsize::new(threads).unwrap()).unwrap();
        let mut all = Vec::new();
        let emit = |records: Vec<Pair>| {
            all.extend(records);
            Ok::<_, OutputError>(())
        };
        partitions.visit(&pool, <[Pair]>::to_vec, emit).unwrap();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn spilling_equals_not_spilling(
            few in proptest::collection::vec((prop_oneof![any::<u64>(), 0..4_u64, Just(u64::MAX)], any::<u16>()), 0..60),
            repeats in 1..40_usize,
            memory in prop_oneof![1..2000_u64, Just(1 << 30)],
            threads in 1..4_usize,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let target = directory.path().join("out");
            let records: Vec<_> = few.iter().cycle().take(few.len() * repeats).map(|&(a, b)| Pair(a, b)).collect();
            let mut expected = records.clone();
            expected.sort_unstable();
            prop_assert_eq!(&visited(partitions(&records, memory, &target), threads), &expected);
            let mut sorted = partitions(&records, memory, &target).into_sorted();
            let mut pulled = Vec::new();
            while let Some(record) = sorted.next().unwrap() {
                pulled.push(record);
            }
            prop_assert_eq!(pulled, expected);
        }
    }

    #[test]
    fn records_that_do_not_fit_are_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let records: Vec<_> = (0..100_000_u64).map(|n| Pair(n << 44, 0)).collect();
        let spilled = partitions(&records, 1 << 18, &directory.path().join("out"));
        assert!(spilled.has_spilled());
        assert!(spilled.held <= 1 << 17);
        assert_eq!(visited(spilled, 2), records);
        let held = partitions(&records, 1 << 30, &directory.path().join("out"));
        assert!(!held.has_spilled());
    }
}
