//! Runs that are killed at every call by which they write: each file is the old one or the new one,
//! and what is left of a file has a name by which nobody takes it for one.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::inject::{Fault, each_fault, end, inject, library, preload_of, tell_count};
use super::injected::{Logs, OLD};
use super::program;

/// Calls by which a file is made and gets its name.
const KINDS: [(&str, &[&str]); 6] = [
    ("open", &["kill"]),
    ("mode", &["kill"]),
    ("write", &["kill"]),
    ("sync", &["kill"]),
    ("rename", &["kill"]),
    ("remove", &["kill"]),
];

#[test]
fn a_report_that_is_killed_leaves_the_old_files_or_the_new_ones() {
    if library().is_none() {
        return;
    }
    for format in ["json", "parquet", "arrow"] {
        let mut logs = Logs::new(&["organizations", "-f", format]);
        logs.reset();
        let inputs = ["in/a", "in/c.json"];
        assert_eq!(end(&mut logs.command(&inputs), logs.aside.path()).run.code, Some(0));
        let whole = logs.outputs();
        let out = logs.place.path("out");
        let (mut old, mut new, mut left) = (0, 0, 0);
        for is_behind in [false, true] {
            each_fault(&KINDS, &out, &mut |fault| {
                if fault.lasts {
                    return false;
                }
                logs.reset();
                let fault = Fault { is_behind, ..*fault };
                let injected = inject(&mut logs.command(&inputs), &fault, logs.aside.path());
                let what = format!("{format}: {fault:?}: {}", injected.run.stderr);
                if injected.hit.is_none() {
                    return false;
                }
                assert_eq!(injected.signal, Some(9), "{what}");
                let [report, coverage] = logs.outputs();
                assert!(coverage == whole[1] || coverage == OLD[1], "{what}");
                if report == whole[0] {
                    // A report is never newer than its coverage.
                    assert!(coverage == whole[1], "{what}");
                    new += 1;
                } else {
                    assert_eq!(report, OLD[0], "{what}");
                    old += 1;
                }
                let unfinished = unfinished(&out, &what);
                left += unfinished.len();
                for file in &unfinished {
                    // Nor is it taken for a log.
                    fs::rename(file, logs.place.path("in/a").join(file.file_name().unwrap()))
                        .unwrap();
                }
                let run = end(&mut logs.command(&inputs), logs.aside.path()).run;
                assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{what}");
                assert!(logs.outputs()[0] == whole[0] || format != "json", "{what}");
                for file in unfinished {
                    fs::remove_file(logs.place.path("in/a").join(file.file_name().unwrap()))
                        .unwrap();
                }
                true
            });
        }
        assert!(old > 10 && new > 0 && left > 10, "{format}: {old} {new} {left}");
    }
    tell_count();
}

/// Returns what else is in a folder; all of it must be named as unfinished.
#[track_caller]
fn unfinished(out: &Path, what: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let others: Vec<PathBuf> =
        names.filter(|path| !path.ends_with("report") && !path.ends_with("coverage")).collect();
    for path in &others {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(".trailfold-"), "{name}: {what}");
    }
    others
}

/// Starts a server on an account's logs; returns it with its address.
#[cfg(feature = "serve")]
fn serve(logs: &Logs, fault: Option<&Fault<'_>>) -> (std::process::Child, String) {
    let mut command = program();
    // A job that is made later than the time of the next server is not done yet.
    command.current_dir(logs.place.0.path()).env_remove("SOURCE_DATE_EPOCH");
    command.args(["serve", "good.json", "--state", "state", "--listen", "127.0.0.1:0", "-q"]);
    command.args(["--organization"]).arg(super::testdata("organization.json"));
    if let Some(fault) = fault {
        preload_of(&mut command, fault, logs.aside.path());
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    let mut byte = [0];
    while stdout.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    let line = String::from_utf8(line).unwrap();
    (child, line.trim_start_matches("http://").to_owned())
}

/// Asks a server; returns the reply, or what there was of it.
#[cfg(feature = "serve")]
fn ask(address: &str, form: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let length = form.len();
    let _ = connection.write_all(
        format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        )
        .as_bytes(),
    );
    let mut reply = String::new();
    let _ = connection.read_to_string(&mut reply);
    reply
}

#[cfg(feature = "serve")]
#[test]
fn a_server_that_is_killed_while_it_keeps_a_job_has_the_others_when_it_comes_back() {
    if library().is_none() {
        return;
    }
    let logs = Logs::new(&["organizations"]);
    // Of an account of the organization.
    logs.place.file("good.json", super::log(3));
    let state = logs.place.path("state");
    let make = "Action=GenerateOrganizationsAccessReport&Version=2010-05-08&EntityPath=\
                o-exampleorgid%2Fr-ex4m";
    let id = |reply: &str| {
        let (_, rest) = reply.split_once("<JobId>")?;
        Some(rest.split_once("</JobId>")?.0.to_owned())
    };
    let (mut server, address) = serve(&logs, None);
    let first = id(&ask(&address, make)).expect("a job");
    server.kill().unwrap();
    server.wait().unwrap();
    let mut killed = 0;
    for is_behind in [false, true] {
        each_fault(&KINDS, &state, &mut |fault| {
            // The server must come as far as to its first job.
            if fault.lasts || (fault.kind == "open" && fault.at == 1) {
                return !fault.lasts;
            }
            let fault = Fault { is_behind, ..*fault };
            let (mut server, address) = serve(&logs, Some(&fault));
            let made = if address.is_empty() { None } else { id(&ask(&address, make)) };
            server.kill().unwrap();
            server.wait().unwrap();
            let is_hit = logs.aside.path().join("hits").exists();
            killed += usize::from(is_hit);
            let (mut server, address) = serve(&logs, None);
            // What was answered is kept, and so is what was there before.
            for job in made.iter().chain([&first]) {
                let get =
                    format!("Action=GetOrganizationsAccessReport&Version=2010-05-08&JobId={job}");
                let reply = ask(&address, &get);
                assert!(reply.contains("<JobStatus>COMPLETED</JobStatus>"), "{fault:?}: {reply}");
            }
            server.kill().unwrap();
            server.wait().unwrap();
            for entry in fs::read_dir(&state).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(name == "lock" || name.starts_with("job-"), "{fault:?}: {name}");
            }
            is_hit
        });
    }
    assert!(killed > 3, "{killed}");
    tell_count();
}
