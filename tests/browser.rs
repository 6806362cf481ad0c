//! A browser opens the pages of `trailfold serve`; `tests/serve/browser.py` says what it must find.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::python::{python, script};

/// A running endpoint, which ends with the test.
struct Endpoint(Child);

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Finds the first of these programs that is installed.
#[expect(clippy::disallowed_methods, reason = "programs are found as a shell finds them")]
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = names.iter().flat_map(|name| directories.iter().map(move |it| it.join(name)));
    places.into_iter().find(|place| place.is_file())
}

#[test]
fn a_browser_shows_the_pages_without_a_complaint() {
    let chromium = program(&["chromium", "chromium-browser", "google-chrome"]);
    let Some((chromium, driver)) = chromium.zip(program(&["chromedriver"])) else {
        println!("DID NOT RUN: no Chromium with its chromedriver is installed");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailfold"))
        .current_dir(root)
        .args(["serve", "testdata/logs/AWSLogs", "testdata/logs-identities"])
        .args(["--organization", "testdata/organization.json"])
        .args(["--identities", "testdata/identities", "--until", "2026-02-01", "--quiet"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = child.stdout.take().unwrap();
    let _endpoint = Endpoint(child);
    let mut address = String::new();
    BufReader::new(said).read_line(&mut address).unwrap();
    let mut command = Command::new(python());
    command.arg("-B").arg(root.join("tests/serve/browser.py"));
    command.args([address.trim()]).args([chromium, driver]);
    script(&mut command, "browser.py");
}
