//! From bytes to a ledger, in memory: the scanner alone, the scanner with attribution and fold, and
//! what a reader that builds a document costs on the same bytes.

use std::fs;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trailfold::access::{Switches, access, actor};
use trailfold::event::envelope::{self, Found, Input, Window};
use trailfold::ledger::Journal;

/// Returns the records of the test organization as one stream of some megabytes.
fn stream() -> Vec<u8> {
    let mut once = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/logs/AWSLogs")];
    while let Some(directory) = open.pop() {
        let mut paths: Vec<_> = fs::read_dir(directory)
            .expect("listed")
            .map(|entry| entry.expect("listed").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().contains("_CloudTrail_") {
                let file = fs::File::open(path).expect("opened");
                flate2::read::MultiGzDecoder::new(file).read_to_end(&mut once).expect("gzip");
                once.push(b'\n');
            }
        }
    }
    once.repeat((8 << 20) / once.len() + 1)
}

fn scan(stream: &[u8], window: &mut Window, each: &mut dyn FnMut(Found<'_>)) {
    envelope::read(Input::Whole(stream), window, &mut |_| true, each)
        .expect("memory reads without error");
}

fn records(criterion: &mut Criterion) {
    let stream = stream();
    let switches = Switches::default();
    let mut window = Window::default();
    let mut group = criterion.benchmark_group("records");
    group.throughput(Throughput::Bytes(stream.len() as u64)).sample_size(20);
    group.bench_function("scan", |bencher| {
        bencher.iter(|| {
            let mut records = 0;
            scan(&stream, &mut window, &mut |_| records += 1);
            black_box(records)
        });
    });
    group.bench_function("scan, attribute and fold", |bencher| {
        bencher.iter(|| {
            let mut journal = Journal::default();
            scan(&stream, &mut window, &mut |found| {
                if let Found::Event { event, .. } = found
                    && let Ok((actor, access)) = access(event, &switches, |identity| {
                        actor(identity, &switches, |actor| journal.actor(actor))
                    })
                {
                    journal.add(actor, &access);
                }
            });
            black_box(journal.finish().len())
        });
    });
    group.bench_function("twin: serde_json::Value", |bencher| {
        bencher.iter(|| {
            let values =
                serde_json::Deserializer::from_slice(&stream).into_iter::<serde_json::Value>();
            black_box(values.map(|value| value.expect("JSON")).filter(|it| it.is_object()).count())
        });
    });
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
