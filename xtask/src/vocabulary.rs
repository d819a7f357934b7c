//! The vocabularies that come with `prep`, packed from SentencePiece models.

use std::fs;

use anyhow::{Context, Result};
use prep_data::text::tokens::pack;

use crate::root;

/// Packs the models of Gemma 3 and Gemma 4 into the file that is embedded.
pub(crate) fn write(gemma3: &str, gemma4: &str) -> Result<()> {
    let read = |path: &str| fs::read(path).with_context(|| format!("cannot read `{path}`"));
    let packed = pack(&[("gemma3", &read(gemma3)?), ("gemma4", &read(gemma4)?)])?;
    let path = root().join("crates/prep-data/vocabulary/gemma.zst");
    fs::write(&path, &packed).with_context(|| format!("cannot write `{}`", path.display()))?;
    eprintln!("`{}` has {} bytes", path.display(), packed.len());
    Ok(())
}
