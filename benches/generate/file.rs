//! The log files of a dump: which there are and what is in each. Does not know where they go.

use chrono::DateTime;

use crate::answers::Answers;
use crate::draw::Draw;
use crate::record::Event;
use crate::session::{Session, caller_of, passing, session};
use crate::template::Scene;
use crate::world::World;

/// The id of the organization, a part of every path.
pub(crate) const ORGANIZATION: &str = "o-bench0dump";

/// The last second of the logs: 2026-03-31T23:59:59Z.
pub(crate) const END: i64 = 1_775_001_599;

/// No file is smaller or larger, inflated.
const SIZES: (f64, f64) = (1_500.0, 20e6);

/// How a dump is to be.
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) bytes: u64,
    pub(crate) days: u64,
    /// Of the sizes of the files, in bytes, inflated.
    pub(crate) median: f64,
    pub(crate) sigma: f64,
}

/// A log file before it is made.
pub(crate) struct Plan {
    stream: u64,
    account: usize,
    region: usize,
    /// Seconds since 1970.
    time: i64,
    size: u64,
}

/// What is in a log file.
#[derive(Default)]
pub(crate) struct Content {
    /// The records, one a line.
    pub(crate) lines: String,
    pub(crate) events: u64,
    pub(crate) answers: Answers,
}

/// Returns the files that make up a dump.
pub(crate) fn plan(world: &World, shape: &Shape) -> Vec<Plan> {
    let mut draw = Draw::new(shape.seed, u64::MAX - 1);
    let (mut plans, mut left) = (Vec::new(), shape.bytes);
    while left > 0 {
        let account = draw.weighted(&world.account_sums);
        let sums = &world.accounts.get(account).expect("an index").region_sums;
        let region = draw.weighted(sums);
        let before = i64::try_from(draw.below(shape.days * 24 * 3600)).expect("days");
        let size = whole(draw.log_normal(shape.median, shape.sigma).clamp(SIZES.0, SIZES.1));
        let stream = plans.len() as u64;
        // CloudTrail delivers about every five minutes.
        plans.push(Plan {
            stream,
            account,
            region,
            time: (END - before) / 300 * 300,
            size: size.min(left),
        });
        left = left.saturating_sub(size);
    }
    plans
}

/// Returns the integer part of a size.
fn whole(size: f64) -> u64 {
    format!("{size:.0}").parse().expect("a size")
}

impl Plan {
    /// Returns the directories and the name of the file below the dump.
    pub(crate) fn path(&self, world: &World, seed: u64) -> String {
        let account = world.accounts.get(self.account).expect("an index");
        let region = account.regions.get(self.region).expect("an index");
        let time = DateTime::from_timestamp(self.time, 0).expect("a year of four digits");
        let name = Draw::new(seed ^ u64::MAX, self.stream).name(16);
        format!(
            "AWSLogs/{ORGANIZATION}/{id}/CloudTrail/{region}/{day}/{id}_CloudTrail_{region}_{stamp}_{name}.json.gz",
            id = account.id,
            day = time.format("%Y/%m/%d"),
            stamp = time.format("%Y%m%dT%H%MZ"),
        )
    }

    /// Makes the file's records.
    pub(crate) fn content(&self, world: &World, seed: u64) -> Content {
        let mut draw = Draw::new(seed, self.stream);
        let draw = &mut draw;
        let account = world.accounts.get(self.account).expect("an index");
        let home = account.regions.get(self.region).expect("an index");
        let start = Scene { account, region: home, source: "", time: self.time, subject: 0 };
        let sessions: Vec<Session> =
            (0..(self.size / 20_000).clamp(2, 40)).map(|_| session(world, &start, draw)).collect();
        let mut lines = String::with_capacity(usize::try_from(self.size).expect("20 MB") + 65_536);
        let mut content = Content::default();
        while (lines.len() as u64) < self.size {
            let service = account.services.get(draw.weighted(&account.service_sums));
            let service = service.and_then(|at| world.services.get(*at)).expect("an index");
            let call = draw.pick(&service.calls);
            let region = if service.global { "us-east-1" } else { home };
            let time = self.time - i64::try_from(draw.below(600)).expect("seconds");
            let scene = Scene {
                account,
                region,
                source: &service.source,
                time,
                subject: draw.index(1 << 20),
            };
            let own = caller_of(call, &scene, draw).or_else(|| passing(&scene, draw));
            let session = own.as_ref().unwrap_or_else(|| busy(&sessions, draw));
            let counts = Event { world, scene: &scene, session, call }.write(&mut lines, draw);
            lines.push('\n');
            content.events += 1;
            content.answers.note(session, &scene, counts);
        }
        content.lines = lines;
        content
    }
}

/// Returns one of the sessions, the first ones more often.
fn busy<'a>(sessions: &'a [Session], draw: &mut Draw) -> &'a Session {
    let bound = draw.index(sessions.len());
    sessions.get(draw.index(bound + 1)).expect("below the length")
}

impl Content {
    /// Returns the records as CloudTrail's files hold them.
    pub(crate) fn document(&self) -> String {
        let records = self.lines.trim_end().replace("}\n{", "},{");
        format!(r#"{{"Records":[{records}]}}"#)
    }
}
