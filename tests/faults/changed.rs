//! Files that another program writes to while they are read: such a file is named. `inject.c` is the
//! other program, so that it happens at the very call.

use std::fs::{self, File};

use serde_json::Value;

use super::inject::{Fault, Injected, end, inject, library, tell_count};
use super::injected::{Logs, OLD, SOURCES, log, records};
use super::{gzip, lines};

/// Makes a report of one file and another one while the first is changed.
fn change(logs: &mut Logs, name: &str, fault: &Fault<'_>) -> Injected {
    logs.reset();
    let path = logs.place.path(name);
    let before = fs::read(&path).unwrap();
    let injected = inject(&mut logs.command(&[name, "in/c.json"]), fault, logs.aside.path());
    fs::write(&path, before).unwrap();
    injected
}

#[track_caller]
fn is_named(logs: &Logs, injected: &Injected, name: &str) {
    let Injected { run, hit, .. } = injected;
    assert!(hit.is_some(), "{name}");
    assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
    let words = format!("problem: {name}: changed while it was read\n");
    assert!(run.stderr.contains(&words), "{}", run.stderr);
    let coverage: Value = serde_json::from_slice(&logs.outputs()[1]).unwrap();
    assert_eq!(coverage["Sources"]["Failed"], 1, "{name}");
    assert_eq!(coverage["Sources"]["Read"], 1, "{name}");
}

/// Files of every kind that are read in a way of their own, with the calls by which they are read
/// when they were opened.
fn files(logs: &Logs) -> [&'static str; 7] {
    let long = lines(6000);
    logs.place.file("in/long.json", &long);
    let mut noise = oorandom::Rand64::new(1);
    let noisy: String = (0..20_000)
        .map(|_| records("000000000001", 1)[0].replace("ann", &noise.rand_u64().to_string()) + "\n")
        .collect();
    let packed = gzip(noisy.as_bytes());
    assert!(packed.len() > 100_000);
    logs.place.file("in/long.json.gz", packed);
    [
        "in/a/plain.json",
        "in/a/packed.json.gz",
        "in/b/packed.json.zst",
        "in/b/lines.json",
        "in/b/archive.zip",
        "in/long.json",
        "in/long.json.gz",
    ]
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    for name in files(&logs) {
        let under = logs.place.path(name);
        for effect in ["shrink", "grow", "touch"] {
            let fault = Fault {
                kind: "read",
                effect,
                at: 1,
                lasts: false,
                is_behind: false,
                under: &under,
            };
            let injected = change(&mut logs, name, &fault);
            is_named(&logs, &injected, name);
            let injected = change(&mut logs, name, &Fault { is_behind: true, ..fault });
            is_named(&logs, &injected, name);
        }
    }
    tell_count();
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_read_as_it_was() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    for name in files(&logs) {
        let under = logs.place.path(name);
        logs.reset();
        assert_eq!(
            end(&mut logs.command(&[name, "in/c.json"]), logs.aside.path()).run.code,
            Some(0)
        );
        let whole = logs.outputs();
        fs::write(logs.place.path(format!("{name}.new")), "no log at all").unwrap();
        let fault = Fault {
            kind: "read",
            effect: "replace",
            at: 1,
            lasts: false,
            is_behind: false,
            under: &under,
        };
        let Injected { run, hit, .. } = change(&mut logs, name, &fault);
        assert!(hit.is_some() && !logs.place.path(format!("{name}.new")).exists(), "{name}");
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{name}");
        assert!(logs.outputs() == whole, "{name}");
    }
    tell_count();
}

#[test]
fn an_archive_that_changes_while_it_is_mapped_is_named_or_ends_the_program() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    let name = "in/b/archive.zip";
    let under = logs.place.path(name);
    for effect in ["grow", "touch", "shrink"] {
        let fault =
            Fault { kind: "map", effect, at: 1, lasts: false, is_behind: true, under: &under };
        let injected = change(&mut logs, name, &fault);
        is_named(&logs, &injected, name);
    }
    // The half of a small archive is in the page that is there; that of a larger one is not.
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("stored.json", stored).unwrap();
    std::io::Write::write_all(&mut archive, lines(2000).as_bytes()).unwrap();
    fs::write(&under, archive.finish().unwrap().into_inner()).unwrap();
    let fault = Fault {
        kind: "map",
        effect: "shrink",
        at: 1,
        lasts: false,
        is_behind: true,
        under: &under,
    };
    let Injected { run, hit, signal } = change(&mut logs, name, &fault);
    assert!(hit.is_some());
    // 7 is SIGBUS.
    assert_eq!((run.code, signal, run.stdout.len()), (None, Some(7), 0), "{}", run.stderr);
    assert_eq!(logs.outputs(), OLD.map(Vec::from));
    logs.is_tidy("a map that is cut off");
    tell_count();
}

#[test]
fn a_large_file_of_lines_that_changes_is_named() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    logs.threads = "2";
    let name = "in/b/lines.json";
    let under = logs.large_lines();
    let inputs = [name, "in/c.json"];
    for (effect, at) in [("shrink", 1), ("grow", 4), ("touch", 100), ("grow", 200), ("shrink", 30)]
    {
        logs.reset();
        let length = fs::metadata(&under).unwrap().len();
        let fault =
            Fault { kind: "read", effect, at, lasts: false, is_behind: false, under: &under };
        let injected = inject(&mut logs.command(&inputs), &fault, logs.aside.path());
        is_named(&logs, &injected, name);
        if fs::metadata(&under).unwrap().len() < length {
            logs.large_lines();
        }
    }
    tell_count();
}

#[test]
fn standard_input_that_is_a_file_and_changes_is_named() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    let path = logs.place.path("in/a/plain.json");
    let fault = Fault {
        kind: "read",
        effect: "touch",
        at: 1,
        lasts: false,
        is_behind: false,
        under: &path,
    };
    logs.reset();
    let mut command = logs.command(&["-", "in/c.json"]);
    command.stdin(File::open(&path).unwrap());
    is_named(&logs, &inject(&mut command, &fault, logs.aside.path()), "standard input");
    // The same bytes by a pipe that is named as a file of the process.
    logs.reset();
    let mut command = logs.command(&["/dev/stdin", "in/c.json"]);
    let mut cat = std::process::Command::new("cat");
    let mut cat = cat.arg(&path).stdout(std::process::Stdio::piped()).spawn().unwrap();
    command.stdin(cat.stdout.take().unwrap());
    let run = end(&mut command, logs.aside.path()).run;
    cat.wait().unwrap();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    tell_count();
}

#[test]
fn a_changed_source_of_a_rollup_is_read_again() {
    if library().is_none() {
        return;
    }
    let logs = Logs::new(&["organizations"]);
    let path = logs.place.path("in/a/plain.json");
    fs::remove_dir_all(logs.place.path("out")).unwrap();
    let fault =
        Fault { kind: "read", effect: "grow", at: 1, lasts: false, is_behind: false, under: &path };
    let words = ["in", "--into", "out/rollup"];
    let run = inject(&mut logs.rollup(&words), &fault, logs.aside.path()).run;
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("plain.json: changed while it was read\n"), "{}", run.stderr);
    let before: Value = serde_json::from_slice(&logs.answer("out/rollup")[1]).unwrap();
    assert_eq!(before["Complete"], false);
    let mut later = logs.rollup(&words);
    later.env("SOURCE_DATE_EPOCH", "1769990400");
    assert_eq!(end(&mut later, logs.aside.path()).run.code, Some(0));
    let after: Value = serde_json::from_slice(&logs.answer("out/rollup")[1]).unwrap();
    assert_eq!(after["Complete"], true);
    assert_eq!(after["Records"]["Counted"], 3 * SOURCES.len());
    assert_eq!(fs::read_to_string(path).unwrap(), log(SOURCES[0].0) + "\n\n");
}
