//! What the emulator remembers, on disk, so that it survives a restart.
//!
//! Everything small is a JSON file of its own, written beside its place and
//! renamed into it, and is held in memory as well. Files are not synced: a
//! crash of the emulator loses nothing, a loss of power may.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{serial}.partial"));
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}

/// Something that is kept under a key, in a file of its own.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    /// The key that it is found by.
    fn key(&self) -> String;

    /// The name of its file, without an extension: of two files with one key
    /// the later name is the newer.
    fn file(&self) -> String;
}

/// A directory of things of one kind.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    dir: PathBuf,
    items: Mutex<BTreeMap<String, Arc<T>>>,
}

impl<T: Kept> Shelf<T> {
    /// Reads what is there; what was half replaced is settled, and what was
    /// half written goes.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => files.push(path),
                Some("partial") => fs::remove_file(&path)?,
                _ => {}
            }
        }
        files.sort();
        let mut items: BTreeMap<String, Arc<T>> = BTreeMap::new();
        for path in files {
            let item: T = serde_json::from_slice(&fs::read(&path)?).map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "`{}` is not what the emulator wrote: {error}",
                        path.display()
                    ),
                )
            })?;
            if let Some(older) = items.insert(item.key(), Arc::new(item)) {
                fs::remove_file(dir.join(older.file() + ".json"))?;
            }
        }
        Ok(Self {
            dir,
            items: Mutex::new(items),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<T>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A path in the directory, for what belongs to an item.
    pub(crate) fn path(&self, file: &str, extension: &str) -> PathBuf {
        self.dir.join(format!("{file}.{extension}"))
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.lock().get(key).cloned()
    }

    /// Everything whose key begins so, in the order of the keys.
    pub(crate) fn starting_with(&self, prefix: &str) -> Vec<Arc<T>> {
        let items = self.lock();
        let from = items.range(prefix.to_owned()..);
        from.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(_, item)| Arc::clone(item))
            .collect()
    }

    /// Puts an item in its place, if the one that is there now allows it, and
    /// gives back the one that it replaces.
    pub(crate) fn put_if<E: From<io::Error>>(
        &self,
        item: T,
        allow: impl FnOnce(Option<&T>) -> Result<(), E>,
    ) -> Result<(Arc<T>, Option<Arc<T>>), E> {
        let mut items = self.lock();
        let key = item.key();
        let older = items.get(&key).cloned();
        allow(older.as_deref())?;
        let text = serde_json::to_vec(&item).map_err(io::Error::from)?;
        write_whole(&self.path(&item.file(), "json"), &text)?;
        if let Some(older) = &older
            && older.file() != item.file()
        {
            fs::remove_file(self.path(&older.file(), "json"))?;
        }
        let item = Arc::new(item);
        items.insert(key, Arc::clone(&item));
        Ok((item, older))
    }

    pub(crate) fn put(&self, item: T) -> io::Result<Arc<T>> {
        let (item, _) = self.put_if(item, |_| Ok::<_, io::Error>(()))?;
        Ok(item)
    }

    /// Changes an item where it is, and gives it back as it is then.
    pub(crate) fn change(
        &self,
        key: &str,
        change: impl FnOnce(&mut T),
    ) -> io::Result<Option<Arc<T>>>
    where
        T: Clone,
    {
        let mut items = self.lock();
        let Some(item) = items.get_mut(key) else {
            return Ok(None);
        };
        let mut changed = T::clone(item);
        change(&mut changed);
        write_whole(
            &self.path(&changed.file(), "json"),
            &serde_json::to_vec(&changed)?,
        )?;
        *item = Arc::new(changed);
        Ok(Some(Arc::clone(item)))
    }

    /// Takes an item away, if it allows it.
    pub(crate) fn remove_if<E: From<io::Error>>(
        &self,
        key: &str,
        allow: impl FnOnce(Option<&T>) -> Result<(), E>,
    ) -> Result<Option<Arc<T>>, E> {
        let mut items = self.lock();
        allow(items.get(key).map(|item| &**item))?;
        let Some(item) = items.remove(key) else {
            return Ok(None);
        };
        fs::remove_file(self.path(&item.file(), "json"))?;
        Ok(Some(item))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Thing {
        key: String,
        version: u32,
    }

    impl Kept for Thing {
        fn key(&self) -> String {
            self.key.clone()
        }

        fn file(&self) -> String {
            format!("{:04}", self.version)
        }
    }

    fn thing(key: &str, version: u32) -> Thing {
        Thing {
            key: key.into(),
            version,
        }
    }

    #[test]
    fn what_is_put_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Shelf::<Thing>::open(dir.path().join("things")).unwrap();
        let shelf = open();
        shelf.put(thing("a", 1)).unwrap();
        shelf.put(thing("b", 2)).unwrap();
        shelf.put(thing("a", 3)).unwrap();
        // As after a crash between writing the newer and removing the older.
        fs::write(
            dir.path().join("things/0001.json"),
            r#"{"key":"a","version":1}"#,
        )
        .unwrap();
        fs::write(dir.path().join("things/0009.0.partial"), "{").unwrap();
        let shelf = open();
        assert_eq!(*shelf.get("a").unwrap(), thing("a", 3));
        let removed = shelf.remove_if("b", |_| Ok::<_, io::Error>(())).unwrap();
        assert_eq!(*removed.unwrap(), thing("b", 2));
        assert_eq!(fs::read_dir(dir.path().join("things")).unwrap().count(), 1);
        assert_eq!(open().starting_with("").len(), 1);
    }

    #[test]
    fn what_is_not_allowed_does_not_happen() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::<Thing>::open(dir.path().into()).unwrap();
        shelf.put(thing("a", 1)).unwrap();
        let refuse = |there: Option<&Thing>| match there {
            Some(_) => Err(io::Error::other("there")),
            None => Ok(()),
        };
        assert!(shelf.put_if(thing("a", 2), refuse).is_err());
        assert!(shelf.remove_if("a", refuse).is_err());
        assert_eq!(shelf.get("a").unwrap().version, 1);
        let changed = shelf.change("a", |thing| thing.key = "a".into()).unwrap();
        assert_eq!(changed.unwrap().version, 1);
    }
}
