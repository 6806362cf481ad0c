//! What the targets share: bytes counted, files to read, texts that are fit for people.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use trailfold::printable::visible;

/// Bytes of all inputs so far.
static FED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

/// Counts an input. libFuzzer says how many inputs there were and not how long: when it ends without
/// a finding, a line says so, which `fuzz/run` reads.
pub fn fed(bytes: &[u8]) {
    static REGISTERED: Once = Once::new();
    extern "C" fn tell() {
        eprintln!("bytes fed: {}", FED.load(Ordering::Relaxed));
    }
    REGISTERED.call_once(|| {
        // SAFETY: The function lives as long as the program, unwinds not, and reads a static.
        let failed = unsafe { atexit(tell) };
        assert_eq!(failed, 0, "there is room for one function");
    });
    FED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
}

/// A directory for the files of one input.
pub struct Place(TempDir);

impl Default for Place {
    fn default() -> Self {
        Self(TempDir::new().expect("there is room for files"))
    }
}

impl Place {
    /// Returns the directory.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, in a folder of the place if its name has slashes; returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("there is room for folders");
        fs::write(&path, bytes).expect("there is room for files");
        path
    }

    /// Removes a folder of the place, if it is there.
    pub fn clear(&self, name: &str) {
        let path = self.path().join(name);
        if path.exists() {
            fs::remove_dir_all(path).expect("it is ours");
        }
    }
}

/// The files that an input stands for: it is cut at every line `%% NAME`. What precedes the first
/// one is the file `input.json`. Names have no folders and nothing odd.
pub fn files(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = vec![("input.json".to_owned(), bytes)];
    while let Some((_, last)) = files.last_mut()
        && let Some(at) = last.windows(4).position(|it| it == b"\n%% ")
    {
        let (before, rest) = (&last[..at], &last[at + 4..]);
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_@=,".contains(byte);
        let name: String = rest[..end]
            .iter()
            .filter(|it| is_plain(it))
            .take(100)
            .map(|it| char::from(*it))
            .collect();
        let name = if name.trim_matches('.').is_empty() { "noname".to_owned() } else { name };
        *last = before;
        files.push((name, rest.get(end + 1..).unwrap_or_default()));
    }
    if files.len() > 1 && files[0].1.is_empty() {
        files.remove(0);
    }
    files
}

/// Checks that a message names one of these places.
pub fn names_its_place(message: &str, places: &[&str]) {
    assert!(
        places.iter().any(|place| message.contains(place)),
        "{message} names none of {places:?}"
    );
}

/// Checks that it also has nothing in it that acts on a screen.
pub fn is_fit_for_people(message: &str, places: &[&str]) {
    names_its_place(message, places);
    assert_eq!(visible(message), message, "acts on a screen");
}

/// Returns an error with its causes behind it, as it is printed.
pub fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
