//! Pythons of our own with the packages that tests need, for tests against programs written in it.

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
    PYTHON.get_or_init(|| environment("python", "tests/requirements.txt")).clone()
}

/// Returns the interpreter of one under `target/spark` in which `spark/requirements.txt` is
/// installed, as [`python`] does: Spark, and a Java for it.
///
/// # Panics
/// As [`python`].
pub(crate) fn spark() -> PathBuf {
    static SPARK: OnceLock<PathBuf> = OnceLock::new();
    SPARK.get_or_init(|| environment("spark", "spark/requirements.txt")).clone()
}

/// Makes the environment of this name, unless it is there with these requirements.
fn environment(name: &str, requirements: &str) -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let requirements = repository.join(requirements);
    let wanted = fs::read(&requirements).unwrap();
    let target = repository.join("target");
    fs::create_dir_all(&target).unwrap();
    let lock = File::create(target.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();

    let home = target.join(name);
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

/// Runs a script with an interpreter; it must say `OK` last.
///
/// # Panics
/// If it does not.
pub(crate) fn script(command: &mut Command, name: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}{complained}");
    assert_eq!(said.lines().last(), Some("OK"), "{name}: {said}{complained}");
}
