//! What each release stored, in `tests/corpus/stored`: a folder per release, and in it a file for each kind of thing. A
//! later folder has only the files of what has another shape since.
//!
//! What is written by hand in them would prove nothing: all of it comes from the code, by [`record`].

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The release that is being made, 1 until one is deployed. Raise it as soon as one is: then nothing can change any more
/// what that one stored.
const RELEASE: u32 = 1;

/// How the files of the release that is being made are written.
const RECORDING: &str =
    "cargo test --profile local --workspace --exclude e2e --exclude graph-sim --lib is_recorded -- --ignored";

/// The contents of files by their names, without `.json`.
pub(crate) type Files = BTreeMap<String, Value>;

fn folder(release: u32, kind: &str) -> PathBuf {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/stored");
    stored.join(format!("release-{release}")).join(kind)
}

fn files_of(release: u32, kind: &str) -> Files {
    let Ok(entries) = fs::read_dir(folder(release, kind)) else { return Files::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
    };
    paths.map(read).collect()
}

/// All files of a kind, with the releases that wrote them.
pub(crate) fn of_all_releases(kind: &str) -> Vec<(String, Files)> {
    let releases = (1..=RELEASE).map(|release| (format!("release-{release}"), files_of(release, kind)));
    let releases: Vec<(String, Files)> = releases.filter(|(_, files)| !files.is_empty()).collect();
    assert!(!releases.is_empty(), "there is nothing that a release has stored: {RECORDING}");
    releases
}

/// The newest file of each thing, of the releases up to this one.
fn newest(kind: &str, until: u32) -> Files {
    (1..=until).flat_map(|release| files_of(release, kind)).collect()
}

/// Checks that what is written now is what the files say.
pub(crate) fn assert_recorded(kind: &str, written: &Files) {
    let known = newest(kind, RELEASE);
    for (name, written) in written {
        assert!(
            known.get(name) == Some(written),
            "{kind}/{name}.json is not what is written now. If this is meant, follow “Stored shapes” in \
             shared/ARCHITECTURE.md: a release that is deployed keeps its folder, so raise RELEASE in \
             stored_test_support.rs if {RELEASE} is; write an upgrade if the old shape cannot be read as it is; then \
             record the new one: {RECORDING}\nwritten: {written:#}\nknown: {:#}",
            known.get(name).unwrap_or(&Value::Null)
        );
    }
    let gone: Vec<&String> = known.keys().filter(|name| !written.contains_key(*name)).collect();
    assert!(gone.is_empty(), "{kind}: nothing writes these any more, but releases stored them: {gone:?}");
}

/// Writes the files of the release that is being made: of what earlier ones wrote otherwise, or not at all.
pub(crate) fn record(kind: &str, written: &Files) {
    let (earlier, folder) = (newest(kind, RELEASE - 1), folder(RELEASE, kind));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, content) in written.iter().filter(|(name, content)| earlier.get(*name) != Some(*content)) {
        fs::write(folder.join(format!("{name}.json")), format!("{content:#}\n")).unwrap();
    }
}

/// All places in a value that hold an object, as JSON pointers.
pub(crate) fn objects_in(value: &Value) -> Vec<String> {
    let within = |(name, value): (String, &Value)| {
        let name = name.replace('~', "~0").replace('/', "~1");
        objects_in(value).into_iter().map(move |place| format!("/{name}{place}"))
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value));
            std::iter::once(String::new()).chain(fields.flat_map(within)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).flat_map(within).collect()
        }
        _ => Vec::new(),
    }
}

/// A place with `*` instead of numbers of lists.
pub(crate) fn pattern(place: &str) -> String {
    let part = |part: &str| if part.parse::<usize>().is_ok() { "*".to_owned() } else { part.to_owned() };
    place.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Whether everything of `old` is in `new`, unchanged. Fields that are `null` count as absent, and more may be there.
pub(crate) fn keeps(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (_, Value::Null) => true,
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(name, old)| keeps(new.get(name).unwrap_or(&Value::Null), old))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() >= old.len() && new.iter().zip(old).all(|(new, old)| keeps(new, old))
        }
        (new, old) => new == old,
    }
}

/// The fields that no sample has a value for: `values` are of one type, with `null` for what is absent.
pub(crate) fn never_filled(values: &[Value]) -> Vec<String> {
    fn visit(value: &Value, place: &str, filled: &mut BTreeMap<String, bool>) {
        let own = filled.entry(place.to_owned()).or_default();
        *own |= match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        };
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| visit(value, &format!("{place}/{name}"), filled));
            }
            Value::Array(items) => items.iter().for_each(|value| visit(value, &format!("{place}/*"), filled)),
            _ => {}
        }
    }
    let mut filled = BTreeMap::new();
    values.iter().for_each(|value| visit(value, "", &mut filled));
    filled.into_iter().filter(|(place, filled)| !filled && !place.is_empty()).map(|(place, _)| place).collect()
}
