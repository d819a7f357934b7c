//! Runs that are killed, and the runs after them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use super::{Place, files_below};

/// Kills `prep` at parts of the time that it takes, each time where nothing of
/// a run is there. What it leaves is whole, or hidden for the next run to take
/// over, and the next run makes what an undisturbed one makes.
///
/// `look` is called with what is there after each kill, by name.
pub(crate) fn kill_and_repeat(
    place: &Place,
    arguments: &[&str],
    parts: &[f64],
    look: impl Fn(&BTreeMap<String, Vec<u8>>),
) {
    let before = files(place);
    let started = Instant::now();
    place.prep(arguments);
    let duration = started.elapsed();
    let whole = files(place);
    assert!(whole.len() > before.len());
    for part in parts {
        for name in whole.keys().filter(|name| !before.contains_key(*name)) {
            fs::remove_file(place.path(name)).unwrap();
        }
        for name in whole.keys().filter_map(|name| name.split_once('/')) {
            // One that was there before is not empty.
            let _ = fs::remove_dir(place.path(name.0));
        }
        let mut started = place.start(arguments);
        std::thread::sleep(duration.mul_f64(*part));
        started.child.kill().unwrap();
        started.wait();
        let left = files(place);
        for (name, content) in &left {
            let file = name.rsplit('/').next().unwrap();
            let is_whole = match whole.get(name) {
                Some(whole) => content == whole,
                None => file.starts_with('.'),
            };
            assert!(is_whole, "{name}, killed at {part}");
        }
        look(&left);
        let next = place.prep(arguments);
        assert_eq!(
            next.status.code(),
            Some(0),
            "killed at {part}: {}",
            next.stderr
        );
        let now = files(place);
        assert!(
            now.keys().eq(whole.keys()),
            "killed at {part}: {:?}",
            now.keys()
        );
        assert!(now == whole, "killed at {part}");
    }
}

/// All files of a place, by their names in it.
fn files(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let root = place.path("");
    let files = files_below(&root).into_iter();
    files
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap();
            let content = fs::read(&path).unwrap();
            (name.to_string_lossy().into_owned(), content)
        })
        .collect()
}
