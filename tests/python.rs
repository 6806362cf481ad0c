//! A Python of our own with the packages of `tests/requirements.txt`, for tests against programs
//! written in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Returns the interpreter of a virtual environment under `target/python` in which
/// `tests/requirements.txt` is installed; its programs, such as `aws`, lie beside it.
///
/// The first call makes it, which needs Python 3 and its package index, once. Calls from other
/// threads and other processes wait for it.
///
/// # Panics
/// If there is no `python3`, or the packages cannot be installed.
pub(crate) fn python() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(environment).clone()
}

fn environment() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = repository.join("tests/requirements.txt");
    let wanted = fs::read(&requirements).unwrap();
    let target = repository.join("target");
    fs::create_dir_all(&target).unwrap();
    let lock = File::create(target.join("python.lock")).unwrap();
    lock.lock().unwrap();

    let home = target.join("python");
    let installed = home.join("installed-requirements.txt");
    let python = home.join("bin/python");
    // Written last, so that an installation that was broken off is made anew.
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(&requirements));
    fs::write(&installed, wanted).unwrap();
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: the tests against other programs need Python 3")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
