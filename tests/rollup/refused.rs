//! What is refused: with exit code 2, in one line that names the place and says what to do, and
//! with nothing done.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::Stdio;

use super::logs::{dump, event, log};
use super::{Place, Run, copy, engines};

fn good() -> Place {
    let place = Place::new();
    let day = |at: usize| format!("2026-01-1{at}T00:00:00Z");
    for number in 0..3 {
        let events: Vec<_> = (0..4)
            .map(|at| event("555555555555", "s3", &format!("Get{at}"), &day(number)))
            .collect();
        place.file(format!("logs/{number}.json"), log(&events));
    }
    place.roll(&["logs/0.json"], "good");
    let run = place.run(&["rollup", "logs", "--partial", "-q", "-o", "good.arrows"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    place
}

fn report(place: &Place, input: &str) -> Run {
    place.run(&["report", "organizations", "--all-entities", "--details", "-q", input])
}

#[test]
fn what_is_wrong_in_a_part_in_sources_or_in_a_stream_is_refused_wherever_it_is_read() {
    let place = good();
    fs::create_dir(place.path("bad")).unwrap();
    engines::run("spoil.py", &place);
    let expected = place.report(&["good"], &[]);
    for name in ["groups", "dictionary", "order"] {
        place.report(&[place.path("fine").join(name)], &[]).is(&expected, name);
        let fine = format!("fine/{name}");
        let into = format!("into-{name}");
        let run = place.run(&["rollup", "--merge", &fine, "--into", &into]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        place.report(&[&into], &[]).is(&expected, name);
    }
    let mut names: Vec<String> = fs::read_dir(place.path("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() > 60, "{names:?}");
    for name in &names {
        let (kind, what) = name.split_once('-').unwrap();
        let what = what.trim_end_matches(".arrows");
        let path = format!("bad/{name}");
        let words: &[&str] = match kind {
            "version" => &[&path, "version"],
            "column" => &[&path, "column", what, "missing"],
            "type" => &[&path, "column", what, "of type"],
            "order" => &[&path, "row", "sort"],
            "null" => &[&path, "row 1"],
            "json" => &["logs/0.json", "EOF"],
            _ => panic!("{name}"),
        };
        let merge = ["rollup", "--merge", &path, "--into", "merged"];
        let run = place.run(&merge);
        assert_eq!(run.code, Some(2), "{name}: {}", run.stderr);
        run.is_refused(words);
        assert!(place.runs("merged").is_empty(), "{name}");
        place.is_tidy("merged");
        // A report needs no order, and of a version or a column it reads what it needs.
        if place.path(&path).is_dir() && kind != "order" {
            report(&place, &path).is_refused(words);
        }
    }
}

#[test]
fn a_stream_that_was_cut_off_is_refused_wherever_that_was() {
    let place = good();
    let whole = fs::read(place.path("good.arrows")).unwrap();
    let step = (whole.len() / 60).max(1);
    let ends = (0..whole.len()).step_by(step).chain(whole.len() - 12..whole.len());
    for end in ends {
        place.file("cut.arrows", &whole[..end]);
        let run = place.run(&["rollup", "--merge", "cut.arrows", "--into", "merged", "-q"]);
        run.is_refused(&["cut.arrows"]);
        assert!(place.runs("merged").is_empty(), "{end}");
    }
    place.run(&["rollup", "--merge", "good.arrows", "--into", "merged", "-q"]);
    let expected = place.report(&[place.path("logs")], &[]);
    place.report(&["merged"], &[]).is(&expected, "whole");
}

#[test]
fn a_run_that_makes_no_sense_is_refused_by_all_that_read_it() {
    let place = good();
    let run = place.runs("good").remove(0);
    let text = fs::read_to_string(&run).unwrap();
    let part = text.split('"').find(|it| it.starts_with("date=")).unwrap().to_owned();
    let cases: &[(&str, String, &[&str])] = &[
        (
            "version",
            text.replace("\"FormatVersion\": 1", "\"FormatVersion\": 2"),
            &["version", "2"],
        ),
        ("text", "run".to_owned(), &["no run of a rollup"]),
        ("empty", String::new(), &["no run of a rollup"]),
        ("list", "[]".to_owned(), &["FormatVersion"]),
        ("nothing", "{}".to_owned(), &["FormatVersion"]),
        ("member", text.replacen('{', "{\"Colour\": 1,", 1), &["Colour"]),
        ("no parts", text.replace("\"Parts\"", "\"Replaces\""), &["no run of a rollup"]),
        ("word", text.replace("SET_ASIDE", "MAYBE"), &["MAYBE"]),
        ("up", text.replace(&part, &format!("../good/{part}")), &["../good/date="]),
        ("root", text.replace(&part, &format!("/{part}")), &["`/date="]),
        ("no day", text.replace("date=", "day="), &["date=YYYY-MM-DD"]),
        ("missing", text.replace("/part-", "/lost-"), &["lost-", "cannot be read"]),
    ];
    for (name, broken, words) in cases {
        assert_ne!(*broken, text, "{name}");
        fs::write(&run, broken).unwrap();
        let before = place.files("good");
        report(&place, "good").is_refused(words);
        place.run(&["rollup", "--merge", "good", "--partial"]).is_refused(words);
        // Parts are not read for a run more.
        if !["up", "root", "no day", "missing"].contains(name) {
            place.run(&["rollup", "logs", "-q", "--into", "good"]).is_refused(words);
        }
        assert!(place.files("good") == before, "{name}");
    }
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let place = good();
    let before = place.files("good");
    place.file("empty-folder/.keep", "");
    fs::remove_file(place.path("empty-folder/.keep")).unwrap();
    let sign_ins = ["--count", "console-sign-ins"];
    let run = place.run(&[&["rollup", "logs", "--into", "other", "-q"], &sign_ins[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let other =
        ["rollup", "logs", "--partial", "-q", "-o", "other.arrows", sign_ins[0], sign_ins[1]];
    assert_eq!(place.run(&other).code, Some(0));
    for (args, words) in [
        (vec!["rollup", "logs", "--into", "logs"], &["logs", "neither a rollup nor empty"][..]),
        (vec!["rollup", "logs", "--into", "good", sign_ins[0], sign_ins[1]], &["good", "--count"]),
        (vec!["rollup", "--merge", "other", "--into", "good"], &["--count"]),
        (vec!["rollup", "--merge", "other", "good", "--into", "new"], &["--count"]),
        (vec!["rollup", "--merge", "other.arrows", "good.arrows", "--into", "new"], &["--count"]),
        (vec!["rollup", "good", "--into", "new"], &["good", "--merge"]),
        (vec!["rollup", "logs", "good", "--partial"], &["good", "--merge"]),
        (vec!["rollup", "-", "--into", "new"], &["standard input"]),
        (vec!["rollup", "logs", "--into", "new", "--memory", "much"], &["--memory", "much"]),
        (vec!["rollup", "logs", "--into", "new", "--memory", ""], &["--memory"]),
        (vec!["rollup", "logs", "--into", "new", "--memory=-5MB"], &["--memory"]),
        (vec!["rollup", "logs", "--into", "new", "--memory", "1.5GB"], &["--memory", "1.5GB"]),
        (vec!["rollup", "logs", "--into", "new", "--memory", "99999999999999999GB"], &["--memory"]),
        (vec!["rollup", "logs", "--into", "new", "--memory", "15MB"], &["16MB"]),
        (vec!["rollup", "empty-folder", "--into", "new"], &["no file to read"]),
        (vec!["rollup", "nowhere", "--into", "new"], &["nowhere"]),
        (vec!["rollup", "no*where", "--into", "new"], &["no*where"]),
        (vec!["rollup", "", "--into", "new"], &["names nothing"]),
        (vec!["rollup", "--merge", "logs", "--into", "new"], &["logs", "no rollup"]),
        (vec!["rollup", "--merge", "logs/0.json", "--into", "new"], &["logs/0.json"]),
        (vec!["rollup", "--merge", "nowhere", "--into", "new"], &["nowhere"]),
        (vec!["rollup", "--compact", "logs"], &["logs", "no rollup"]),
        (vec!["rollup", "--compact", "nowhere"], &["nowhere", "no rollup"]),
        (vec!["rollup", "logs", "--partial", "-o", "good/x"], &["good/x", "rollup"]),
        (vec!["rollup", "logs", "--partial", "-o", "good/_trailfold/x"], &["rollup"]),
        (vec!["rollup", "logs", "--partial", "-o", "logs/0.json"], &["logs/0.json", "input"]),
        (vec!["rollup", "--merge", "good", "--partial", "-o", "good/x"], &["good/x", "rollup"]),
        (vec!["report", "organizations", "good", "-q", "-o", "good/x"], &["good/x", "rollup"]),
        (vec!["report", "organizations", "logs", "-q", "--coverage", "good/x"], &["rollup"]),
        (vec!["report", "organizations", "good", "other", "-q"], &["good", "other"]),
        (vec!["report", "organizations", "good", "-q", sign_ins[0], sign_ins[1]], &["--count"]),
    ] {
        let run = place.run(&args);
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
        run.is_refused(words);
        let new = place.path("new/_trailfold/runs");
        assert!(!new.exists() || place.runs("new").is_empty(), "{args:?}");
        assert!(place.files("good") == before, "{args:?}");
    }
    let part =
        before.iter().find(|(path, _)| path.display().to_string().contains("/part-")).unwrap();
    let run = place.run(&["rollup", "--merge", part.0.to_str().unwrap(), "--into", "new"]);
    run.is_refused(&["part", "name the rollup"]);
    // A log in a rollup would be passed over.
    copy(&place.path("good"), &place.path("mixed"));
    place.file("mixed/more.json", log(&[]));
    report(&place, "mixed").is_refused(&["mixed", "more.json"]);
    place.run(&["rollup", "--merge", "mixed", "--partial"]).is_refused(&["mixed", "more.json"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    dump(&place, 71, 60);
    assert_eq!(place.run(&["rollup", "logs", "--partial", "-q", "-o", "s.arrows"]).code, Some(1));
    for args in
        [&["rollup", "logs", "--partial"][..], &["rollup", "--merge", "s.arrows", "--partial"]]
    {
        let mut command = place.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A few bytes are read, at most.
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(matches!(child.wait().unwrap().code(), Some(0 | 1)), "{said}");
        assert!(!said.contains("error: "), "{said}");
    }
    let run = place.run(&["rollup", "--merge", "s.arrows", "--partial", "-o", "-"]);
    assert_eq!(run.code, Some(1));
    let input = File::open(place.path("s.arrows")).unwrap();
    let mut command = place.command(&["rollup", "--merge", "-", "--into", "rollup"]);
    let run = Run::of(&command.stdin(input).output().unwrap());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let expected = place.report(&[place.path("logs")], &[]);
    place.report(&["rollup"], &[]).is(&expected, "from standard input");
}
