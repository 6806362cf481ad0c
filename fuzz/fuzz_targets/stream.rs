//! Any bytes as a partial stream: refused by name, or rows that are the same when they are written
//! again, joined with themselves, or joined with others in any order.
//!
//! An input whose first byte is odd is a list of changes to a stream that was really written: two
//! bytes say where, the third what stands there.

#![no_main]

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use trailfold::access::Switches;
use trailfold::ingest::{self, ByDay, Options};
use trailfold::rollup::{Gathering, Input, RollupError, merge_to_stream};
use trailfold::source;
use trailfold::time::{Period, Time};
use trailfold_fuzz::{Place, fed, names_its_place, words};

/// What the true stream is made of.
const LOG: &str = r#"{"Records":[
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"111122223333","principalId":"AIDAEXAMPLE000000001","arn":"arn:aws:iam::111122223333:user/ann"},"eventTime":"2026-01-15T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","eventID":"0b1c2d3e-0000-4000-8000-000000000001","eventCategory":"Data","managementEvent":false},
{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"111122223333","arn":"arn:aws:iam::111122223333:user/ann"},"eventTime":"2026-01-16T12:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"eu-west-1","errorCode":"Client.UnauthorizedOperation"},
{"eventVersion":"1.08","userIdentity":{"type":"Root","accountId":"444455556666"},"eventTime":"2026-01-16T13:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1"},
{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventTime":"none"}
]}"#;

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let Some((first, rest)) = bytes.split_first() else { return };
    let base = base();
    let changed = if first % 2 == 1 {
        let mut changed = base.to_vec();
        for [high, low, value] in rest.as_chunks::<3>().0 {
            let at = usize::from(u16::from_be_bytes([*high, *low])) % changed.len();
            changed[at] = *value;
        }
        changed
    } else {
        rest.to_vec()
    };
    let place = Place::default();
    let (stream, base) = (place.write("input", &changed), place.write("base", base));
    let Ok(rows) = merged(&place, &[&stream]) else { return };
    let again = place.write("again", &rows);
    assert!(merged(&place, &[&again]).is_ok_and(|it| it == rows), "written and read again");
    assert!(merged(&place, &[&stream, &again]).is_ok_and(|it| it == rows), "with itself");
    let both = merged(&place, &[&stream, &base]).ok();
    assert!(both == merged(&place, &[&base, &stream]).ok(), "in another order");
});

/// Returns what partial streams come to as one.
fn merged(place: &Place, streams: &[&Path]) -> Result<Vec<u8>, RollupError> {
    let mut out = Vec::new();
    let inputs = streams.iter().map(|path| Input::Stream(path.to_path_buf()));
    match merge_to_stream(inputs.collect(), place.path(), &mut out) {
        Ok(_) => Ok(out),
        // Two streams disagree about a source, which is named.
        Err(error @ RollupError::Attribution(_)) => Err(error),
        Err(error) => {
            let names: Vec<&str> =
                streams.iter().map(|path| path.to_str().expect("a plain name")).collect();
            names_its_place(&words(&error), &names);
            Err(error)
        }
    }
}

/// Returns a stream as `trailfold rollup --partial` writes it.
fn base() -> &'static [u8] {
    static BASE: OnceLock<Vec<u8>> = OnceLock::new();
    BASE.get_or_init(|| {
        let place = Place::default();
        let log: PathBuf = place.write("log.json", LOG.as_bytes());
        let found = source::find(&[log.into()]).expect("a file is found");
        let switches = Switches::default();
        let gathering = Gathering::new(place.path(), &switches, Time::from_micros(0));
        let options = Options {
            period: Period::default(),
            switches,
            threads: NonZeroUsize::MIN,
            memory: usize::MAX,
            progress: &|_| {},
        };
        let by_day = ByDay {
            spill: &|_| ControlFlow::Continue(()),
            source: &|source, coverage| gathering.source(source, &coverage),
        };
        let ledgers = ingest::fold_by_day(&found, &options, by_day).expect("there is a thread");
        let mut stream = Vec::new();
        gathering.write_to(&mut stream, &ledgers).expect("memory takes all");
        stream
    })
}
