//! A report over a rollup is the report over the logs, whatever way they came into it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::logs::{DAYS, Dice, dump, event, gzip, json_lines, log};
use super::{Kind, Place, Report, Run};

const FORMATS: [&str; 6] = ["json", "arrow", "arrow-stream", "parquet", "csv", "table"];

/// What the logs say: reports that a rollup has to match.
struct Expected {
    organizations: Report,
    service: Report,
}

impl Expected {
    fn of(place: &Place) -> Self {
        let logs = [place.path("logs")];
        let organizations = place.report(&logs, &[]);
        assert_eq!(organizations.code, Some(1), "{}", organizations.stderr);
        Self { organizations, service: place.report_of(Kind::Service, &logs, &[]) }
    }

    #[track_caller]
    fn is(&self, place: &Place, rollup: &str, what: &str) {
        let rollup = [place.path(rollup)];
        place.report(&rollup, &[]).is(&self.organizations, what);
        place.report_of(Kind::Service, &rollup, &[]).is(&self.service, what);
    }
}

/// Parts all into so many groups, as even as can be.
fn cut(files: &[PathBuf], groups: usize) -> Vec<Vec<PathBuf>> {
    let bound = |group: usize| group * files.len() / groups;
    (0..groups).map(|group| files[bound(group)..bound(group + 1)].to_vec()).collect()
}

#[test]
fn every_form_of_a_report_over_a_rollup_is_that_over_the_logs() {
    let place = Place::new();
    dump(&place, 1, 40);
    place.roll(&["logs"], "rollup");
    let organization = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/organization.json");
    for kind in [Kind::Organizations, Kind::Service] {
        for format in FORMATS {
            let whole =
                matches!(kind, Kind::Organizations).then_some(["--organization", organization]);
            for more in [None, whole].into_iter().flatten().chain([["--threads", "1"]]) {
                let more = [["--format", format], more].concat();
                let logs = place.report_of(kind, &[place.path("logs")], &more);
                let rollup = place.report_of(kind, &[place.path("rollup")], &more);
                rollup.is(&logs, &format!("{kind:?} {more:?}"));
            }
        }
    }
}

#[test]
fn neither_cuts_nor_orders_nor_repetitions_nor_compaction_show_in_a_report() {
    let place = Place::new();
    let files = dump(&place, 2, 92);
    let expected = Expected::of(&place);
    let mut dice = Dice(7);
    for (groups, orders) in [(1, 1), (7, 2), (100, 1)] {
        for order in 0..orders {
            let mut files = files.clone();
            if order > 0 || groups == 100 {
                dice.shuffle(&mut files);
            }
            let rollup = format!("rollup-{groups}-{order}");
            let mut groups = cut(&files, groups);
            // Some come again, together with others.
            groups.push(files[..files.len() / 10].to_vec());
            dice.shuffle(&mut groups);
            for (number, group) in groups.iter().enumerate().filter(|(_, group)| !group.is_empty())
            {
                place.roll(group, &rollup);
                if order == 1 && number == 3 {
                    assert_eq!(place.run(&["rollup", "--compact", &rollup]).code, Some(0));
                }
            }
            expected.is(&place, &rollup, &rollup);
            let compacted = place.run(&["rollup", "--compact", &rollup]);
            assert_eq!(compacted.code, Some(0), "{}", compacted.stderr);
            assert_eq!(place.runs(&rollup).len(), 1);
            expected.is(&place, &rollup, &format!("{rollup} compacted"));
            place.is_tidy(&rollup);
        }
    }
    // Rollups of rollups.
    let all = ["rollup-100-0", "rollup-7-1", "rollup-1-0", "rollup-7-0"];
    let merge = |inputs: &[&str], into: &str| {
        let run = place.run(&[&["rollup", "--merge", "--into", into], inputs].concat());
        assert_eq!(run.code, Some(1), "some sources failed: {}", run.stderr);
    };
    merge(&all, "merged");
    expected.is(&place, "merged", "merge of rollups");
    merge(&["merged", "rollup-7-0"], "merged");
    expected.is(&place, "merged", "merge of a rollup into itself");
    place
        .report(&all.map(|name| place.path(name)), &[])
        .is(&expected.organizations, "four rollups");
}

#[test]
fn partial_streams_merge_to_the_same_rollup_in_any_order() {
    let place = Place::new();
    let files = dump(&place, 3, 80);
    let expected = Expected::of(&place);
    let mut dice = Dice(9);
    for count in [1, 7, 90] {
        let mut streams = Vec::new();
        for (number, group) in cut(&files, count).iter().enumerate() {
            let name = format!("{count}-{number}.arrows");
            let mut command = place.command(&["rollup", "--partial", "-q", "-o", &name]);
            let status = command.args(group).output().unwrap().status;
            assert!(matches!(status.code(), Some(0 | 1)));
            streams.push(name);
        }
        streams.push(streams[0].clone());
        dice.shuffle(&mut streams);
        let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
        let into = format!("rollup-{count}");
        let run = place.run(&[&["rollup", "--merge", "--into", &into], &*streams].concat());
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        expected.is(&place, &into, &into);
        // Streams of streams, and of what is a rollup already.
        let (some, rest) = streams.split_at(streams.len() / 2);
        let run = place.run(&[&["rollup", "--merge", "--partial"], some].concat());
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        place.file("half.arrows", run.stdout);
        let merge = ["rollup", "--merge", "half.arrows", &into, "--into"];
        let again = format!("again-{count}");
        let run = place.run(&[&merge[..], &[&*again], rest].concat());
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        expected.is(&place, &again, &again);
    }
}

#[test]
fn neither_threads_nor_little_memory_show_in_a_rollup() {
    let place = Place::new();
    let mut dice = Dice(4);
    for number in 0..16 {
        let records: Vec<_> = (0..3000)
            .map(|_| {
                let account = format!("55555555555{}", dice.roll(10));
                let (name, day) = (format!("Call{}", dice.roll(1500)), dice.pick(&DAYS));
                let mut event = event(&account, dice.pick(&["s3", "ec2"]), &name, "");
                event["eventTime"] = format!("{day}T0{}:00:00Z", dice.roll(9)).into();
                event["eventID"] = format!("not a uuid {}", dice.roll(100_000)).into();
                event
            })
            .collect();
        place.file(format!("logs/{number}.json.gz"), gzip(log(&records)));
    }
    let logs = place.report(&[place.path("logs")], &[]);
    let mut rollups: Vec<Vec<(PathBuf, Vec<u8>)>> = Vec::new();
    for (threads, memory) in [("1", "512MB"), ("4", "512MB"), ("16", "16MB"), ("5", "16MiB")] {
        let into = format!("rollup-{threads}");
        let args =
            ["rollup", "logs", "-q", "--threads", threads, "--memory", memory, "--into", &into];
        // The time of the run is in the rollup.
        let mut command = place.command(&args);
        let run = Run::of(&command.env("SOURCE_DATE_EPOCH", "0").output().unwrap());
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        place.report(&[place.path(&into)], &[]).is(&logs, &into);
        let files = place.files(&into).into_iter();
        let below = |path: PathBuf| path.strip_prefix(place.path(&into)).unwrap().to_owned();
        rollups.push(files.map(|(path, bytes)| (below(path), bytes)).collect());
    }
    assert!(rollups.iter().all(|files| *files == rollups[0]), "rollups differ");
}

#[test]
fn a_large_file_of_json_lines_is_one_source_however_many_read_it() {
    let place = Place::new();
    let mut dice = Dice(5);
    let padding = "x".repeat(20_000);
    let records: Vec<_> = (0..3600)
        .map(|number| {
            let mut record = super::logs::record(&mut dice, DAYS[number * 5 / 3600]);
            record["responseElements"] = padding.clone().into();
            record
        })
        .collect();
    let path = place.file("logs/large.jsonl", json_lines(&records));
    assert!(fs::metadata(&path).unwrap().len() > 64 << 20);
    place.file("logs/small.json", log(&records[..5]));
    let logs = place.report(&[place.path("logs")], &[]);
    for threads in ["1", "4"] {
        let run = place.run(&["rollup", "logs", "-q", "--threads", threads, "--into", threads]);
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        place.report(&[place.path(threads)], &[]).is(&logs, threads);
    }
}

#[test]
fn periods_of_whole_days_are_answered_from_the_parts_alone() {
    let place = Place::new();
    let files = dump(&place, 6, 50);
    for group in cut(&files, 5) {
        place.roll(&group, "rollup");
    }
    let [one, two, _, four, five] = DAYS;
    let mut periods: Vec<Vec<&str>> = DAYS.map(|day| vec!["--since", day, "--until", day]).to_vec();
    periods.extend([
        vec!["--since", two],
        vec!["--until", two],
        vec!["--since", two, "--until", four],
        vec!["--since", "2026-01-13", "--until", five],
        vec!["--since", "2026-01-13", "--until", "2026-01-13", "--allow-empty"],
        vec!["--since", "2027-01-01", "--allow-empty"],
        vec!["--until", "1969-12-31", "--allow-empty"],
        vec!["--since", "0001-01-01", "--until", "9999-12-31"],
        vec!["--tracking-period", "400d"],
        vec!["--tracking-period", "400d", "--until", one],
        vec!["--tracking-period", "2d", "--until", four],
        // Instants that part no events: all are at seven o'clock or soon after.
        vec!["--since", "2026-01-11T23:59:59.999999Z", "--until", "2026-01-12T23:59:59Z"],
        vec!["--since", "2026-01-10T22:00:00Z"],
    ]);
    for compact in [false, true] {
        if compact {
            assert_eq!(place.run(&["rollup", "--compact", "rollup"]).code, Some(0));
        }
        for period in &periods {
            for kind in [Kind::Organizations, Kind::Service] {
                let logs = place.report_of(kind, &[place.path("logs")], period);
                let rollup = place.report_of(kind, &[place.path("rollup")], period);
                rollup.is(&logs, &format!("{kind:?} {period:?}"));
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn a_partial_stream_may_come_through_a_named_pipe() {
    let place = Place::new();
    dump(&place, 5, 20);
    let partial = ["rollup", "logs", "--partial", "-q", "-o", "s.arrows"];
    assert!(matches!(place.run(&partial).code, Some(0 | 1)));
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let bytes = fs::read(place.path("s.arrows")).unwrap();
    let run = std::thread::scope(|scope| {
        scope.spawn(|| drop(fs::write(&pipe, bytes)));
        place.run(&["rollup", "--merge", "pipe", "--into", "rollup"])
    });
    assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
    place.report(&["rollup"], &[]).is(&place.report(&[place.path("logs")], &[]), "by a pipe");
}
