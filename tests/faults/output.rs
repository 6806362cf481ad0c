//! Where output cannot go, and what is left of what was there.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use super::{Place, Run, log, records_of};

/// Runs the program from a shell: `$T` is the program with its two words.
fn shell(place: &Place, script: &str) -> Run {
    let program = env!("CARGO_BIN_EXE_trailfold");
    let script = script.replace("$T", &format!("'{program}' report organizations"));
    let output = Command::new("sh").arg("-c").arg(script).current_dir(place.0.path()).output();
    Run::of(&output.unwrap())
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let place = Place::new();
    let words = "/dev/full: cannot be written: no space left on the device";
    place.run(&["good.json", "--output", "/dev/full"]).is_refused(words);
    place.run(&["good.json", "--coverage", "/dev/full"]).is_refused(words);
    let run = shell(&place, "$T good.json -q >/dev/full");
    run.is_refused("standard output: cannot be written: no space left on the device");
    let run = shell(&place, "$T good.json -q --coverage c.json >/dev/full");
    run.is_refused("standard output: cannot be written");
    assert!(!place.path("c.json").exists());
}

#[test]
fn a_limit_on_the_size_of_files_leaves_the_old_file_as_it_was() {
    let place = Place::new();
    let old = place.file("report.json", "old");
    let before = place.files();
    let run = shell(&place, "trap '' XFSZ; ulimit -f 1; exec $T good.json -q -o report.json");
    run.is_refused("report.json: cannot be written: larger than the system lets a file grow");
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    assert_eq!(place.files(), before);
    // Who does not ignore the signal is ended by it.
    let run = shell(&place, "ulimit -c 0; ulimit -f 1; exec $T good.json -q -o report.json");
    assert!(!matches!(run.code, Some(0 | 1)), "{:?}", run.code);
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_reading() {
    let place = Place::new();
    fs::create_dir(place.path("folder")).unwrap();
    symlink("gone", place.path("link")).unwrap();
    let guarded = place.file("guarded.json", "old");
    fs::set_permissions(&guarded, fs::Permissions::from_mode(0o444)).unwrap();
    for (path, words) in [
        ("none/r.json", "none/r.json: cannot be written: its directory does not exist"),
        ("good.json/r", "good.json/r: cannot be written: a part of its path is not a directory"),
        ("folder", "folder: is a directory: name a file in it"),
        ("link", "link: symbolic link to something that does not exist"),
        ("guarded.json", "guarded.json: is write-protected"),
    ] {
        // Reading the input would be an error of its own.
        place.run(&["nowhere.json", "--output", path]).is_refused(words);
        place.run(&["nowhere.json", "--coverage", path]).is_refused(words);
    }
    assert_eq!(fs::read_to_string(guarded).unwrap(), "old");
    // A file system that takes no file from anybody.
    let run = place.run(&["good.json", "--output", "/proc/report.json"]);
    run.is_refused("/proc/report.json: cannot be written: ");
    // A directory that is closed to everybody but root.
    fs::set_permissions(place.path("folder"), fs::Permissions::from_mode(0o555)).unwrap();
    let run = Run::of(&place.command(&["good.json", "-q", "-o", "folder/r"]).output().unwrap());
    if run.code != Some(0) {
        run.is_refused("folder/r: cannot be written: permission denied");
    }
    fs::set_permissions(place.path("folder"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn report_and_coverage_need_a_place_each() {
    let place = Place::new();
    symlink(".", place.path("here")).unwrap();
    let words = "--coverage: names the place of the report";
    for (report, coverage) in
        [("r.json", "r.json"), ("r.json", "./r.json"), ("here/r.json", "r.json"), ("-", "-")]
    {
        place.run(&["good.json", "-o", report, "--coverage", coverage]).is_refused(words);
    }
    place.run(&["good.json", "--coverage", "/dev/stdout"]).is_refused(words);
    let run = place.run(&["good.json", "-q", "-o", "/dev/null", "--coverage", "/dev/null"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let run = place.run_making(&["good.json", "-o", "r.json", "--coverage", "-"], &["r.json"]);
    assert_eq!(run.reports(0)["Complete"], true);
}

#[test]
fn what_the_report_is_made_from_is_not_replaced() {
    let place = Place::new();
    let good = log(3);
    symlink("good.json", place.path("link.json")).unwrap();
    for input in ["good.json", ".", "g*.json", "link.json"] {
        place.run(&[input, "-o", "good.json"]).is_refused("good.json: is one of the inputs");
        place
            .run(&[input, "--coverage", "link.json"])
            .is_refused("good.json: is one of the inputs");
    }
    assert_eq!(fs::read_to_string(place.path("good.json")).unwrap(), good);
    let snapshot = fs::read(super::testdata("organization.json")).unwrap();
    place.file("o.json", &snapshot);
    place
        .run(&["good.json", "--organization", "o.json", "-o", "o.json"])
        .is_refused("o.json: belongs");
    assert_eq!(fs::read(place.path("o.json")).unwrap(), snapshot);
}

#[test]
fn a_file_is_replaced_whole_with_its_permissions_and_through_links() {
    let place = Place::new();
    let report = place.file("report.json", "old");
    fs::set_permissions(&report, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("report.json", place.path("latest.json")).unwrap();
    let run = place.run(&["good.json", "-q", "-o", "latest.json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(place.path("latest.json").is_symlink());
    assert_eq!(fs::read(&report).unwrap(), place.run(&["good.json"]).stdout);
    assert_eq!(fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o640);
    let run = shell(&place, "umask 027; $T good.json -q -o new.json");
    assert_eq!(run.code, Some(0));
    let mode = fs::metadata(place.path("new.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_run_without_a_report_leaves_the_old_file_as_it_was() {
    let place = Place::new();
    let old = place.file("report.json", "old");
    place.run(&["nowhere.json", "-o", "report.json"]).is_refused("nowhere.json");
    place
        .run(&["good.json", "--coverage", "/dev/full", "-o", "report.json"])
        .is_refused("/dev/full");
    place.run(&["good.json", "--max-items", "0", "-o", "report.json"]).is_refused("maxItems");
    assert_eq!(fs::read_to_string(old).unwrap(), "old");
}

#[test]
fn a_reader_who_leaves_early_changes_nothing_but_what_is_read() {
    let place = Place::new();
    let mut command = place.command(&["good.json", "--coverage", "c.json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::of(&child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("records   3 = 3 counted"), "{}", run.stderr);
    assert_eq!(records_of(&place.path("c.json")), 3);
    let run = shell(&place, "{ $T good.json; echo $? >code; } | head -1");
    assert_eq!(run.stdout, b"{\n");
    assert_eq!(fs::read_to_string(place.path("code")).unwrap(), "0\n");
}

#[test]
fn closed_streams_are_no_crash() {
    let place = Place::new();
    let whole = place.run(&["good.json"]).stdout;
    let epoch = "export SOURCE_DATE_EPOCH=1769904000; ";
    assert_eq!(shell(&place, &format!("{epoch}$T good.json 2>&-")).stdout, whole);
    assert_eq!(shell(&place, &format!("{epoch}$T good.json <&-")).stdout, whole);
    assert_eq!(shell(&place, "$T good.json >&-").code, Some(0));
    assert_eq!(shell(&place, "$T nowhere.json >&- 2>&-").code, Some(2));
    shell(&place, "$T - <&-").is_refused("standard input holds no record");
}
