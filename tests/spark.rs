//! The Spark job in `spark/`, on a real Spark with the real program. The scripts in `tests/spark`
//! say what must hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{python, twin};

/// Runs a script of `tests/spark`; it must say `OK`.
fn run(script: &str, arguments: &[&Path]) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python::spark());
    command.arg("-B").arg(repository.join("tests/spark").join(script)).args(arguments);
    python::script(command.env("PYTHONPATH", repository.join("spark")), script);
}

/// Runs a script on the program, a dump with its organization, and a directory to write in.
#[expect(clippy::print_stderr, reason = "a test that did not run on all says so")]
fn run_on_dump(script: &str) {
    let place = tempfile::tempdir().unwrap();
    let dump = place.path().join("dump");
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    copy(&testdata.join("logs"), &dump.join("damaged"));
    let mut organization = testdata.join("organization.json");
    let realistic = twin::realistic_dump();
    match &realistic {
        Ok(realistic) => {
            copy(&realistic.logs(), &dump.join("realistic"));
            organization = realistic.organization();
        }
        Err(reason) => eprintln!("{script}: the realistic dump {reason}"),
    }
    let scratch = place.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_trailfold"));
    run(script, &[&program, &dump, &organization, &scratch]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_spark_job_takes_a_whole_partial_stream_and_nothing_less() {
    let moto = python::python().with_file_name("moto_server");
    run("units.py", &[&moto]);
}

#[test]
fn a_rollup_made_by_a_cluster_answers_as_the_logs_do() {
    run_on_dump("cluster.py");
}

#[test]
fn a_spark_job_killed_at_work_leaves_the_rollup_answering_as_before() {
    run_on_dump("killed.py");
}
