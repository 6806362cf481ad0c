//! Writes dumps of CloudTrail logs for measurements:
//! `cargo bench --bench generate -- --out DIR --bytes 2e9`.
//!
//! All is made up, and a seed gives the same bytes on any machine with any number of threads.
//! `DIR/AWSLogs` is laid out as an organization's trail lays out its bucket; beside it lie
//! `organization.json`, the snapshot that trailfold reads, and answers that were noted while the
//! records were made: `last-accesses.csv` is the latest `eventTime` of every
//! `userIdentity.accountId` and `eventSource`, `last-attempts.csv` the same of those records alone
//! that count by the rules in `docs/semantics.md`, and `last-attempts-by-principal.csv` of those
//! among them that a user or role of the organization made, by its ARN. With `--form lines` the
//! same events stand in one plain file, `DIR/events.jsonl`.
//!
//! `DIR/identities/ACCOUNT.json` is what `aws iam get-account-authorization-details` replies: the
//! account's users, groups, roles and policies, those of the records, with their ids. A role's
//! `RoleLastUsed` is its latest attempt, that of one role in each of two accounts later. Some were
//! created while the logs were written, before their first attempt. The actions in the policies are
//! those of the catalogue that the program carries: a newer one gives other snapshots, but the same
//! logs.
//!
//! An account has a few dozen roles, evenly busy. `--roles N` gives the organization N of them: the
//! first of an account make most of its events, most make a handful, and some make none. In one
//! record of twenty the caller is then a role in a session of a single call, and some callers from
//! another account are known by their id alone.

#![expect(clippy::print_stdout, reason = "the figures are for whoever runs it")]

mod answers;
mod beside;
mod calls;
mod draw;
mod file;
mod identities;
mod organization;
mod policies;
mod record;
mod session;
mod template;
mod world;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context as _;
use clap::{Parser, ValueEnum, value_parser};
use libdeflater::{CompressionLvl, Compressor};
use serde::Serialize as _;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use crate::answers::{Answers, LastAccesses, Use};
use crate::file::{Plan, Shape, plan};
use crate::identities::Maker;
use crate::template::write_time;
use crate::world::World;

/// Writes a dump of CloudTrail logs.
#[derive(Parser)]
#[command(name = "cargo bench --bench generate --")]
struct Arguments {
    /// Directory to write to; it must not exist.
    #[arg(long)]
    out: PathBuf,
    /// About so many bytes of records: 2e9.
    #[arg(long)]
    bytes: f64,
    #[arg(long, default_value_t = 11)]
    seed: u64,
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u64).range(1..=100_000))]
    accounts: u64,
    /// So many roles in the whole organization, at least one an account [default: 8 to 57 an
    /// account].
    #[arg(long, value_parser = value_parser!(u64).range(1..=1_000_000))]
    roles: Option<u64>,
    /// The logs reach back so many days.
    #[arg(long, default_value_t = 120, value_parser = value_parser!(u64).range(1..=3650))]
    days: u64,
    /// Median of the files' sizes, in bytes, inflated.
    #[arg(long, default_value_t = 45e3)]
    median: f64,
    /// Deviation of the logarithm of the files' sizes.
    #[arg(long, default_value_t = 1.95)]
    sigma: f64,
    #[arg(long, default_value = "gzip")]
    form: Form,
    /// [default: one a core]
    #[arg(long)]
    threads: Option<usize>,
    /// `cargo bench` passes it to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// A tree of gzip files as CloudTrail delivers them.
    Gzip,
    /// One plain file with a record a line.
    Lines,
}

/// What was written.
#[derive(Default)]
struct Totals {
    files: u64,
    events: u64,
    plain: u64,
    gzip: u64,
    answers: Answers,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.events += other.events;
        self.plain += other.plain;
        self.gzip += other.gzip;
        self.answers.add(other.answers);
    }
}

fn main() -> anyhow::Result<()> {
    if std::env::args().skip(1).all(|argument| argument == "--bench") {
        // `cargo bench` without arguments runs every bench: this one needs a directory.
        println!(
            "generate: say where to and how much: cargo bench --bench generate -- --out DIR --bytes 2e9"
        );
        return Ok(());
    }
    let arguments = Arguments::parse();
    let world = World::new(arguments.seed, arguments.accounts, arguments.roles);
    let shape = Shape {
        seed: arguments.seed,
        bytes: format!("{:.0}", arguments.bytes).parse().expect("a number of bytes"),
        days: arguments.days,
        median: arguments.median,
        sigma: arguments.sigma,
    };
    let plans = plan(&world, &shape);
    fs::create_dir(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.unwrap_or_else(cores);
    let totals = match arguments.form {
        Form::Gzip => {
            write_beside(&world, &arguments)?;
            write_tree(&world, &plans, &arguments, threads)?
        }
        Form::Lines => write_lines(&world, &plans, &arguments, threads)?,
    };
    let snapshot = organization::snapshot(&world, arguments.seed);
    fs::write(arguments.out.join("organization.json"), format!("{snapshot:#}\n"))?;
    let Totals { files, events, plain, gzip, answers } = totals;
    write_answer(&arguments.out.join("last-accesses.csv"), &answers.last_accesses)?;
    write_answer(&arguments.out.join("last-attempts.csv"), &answers.last_attempts)?;
    write_uses(&arguments.out.join("last-attempts-by-principal.csv"), &answers)?;
    let uses = answers.uses_by_principal();
    let known = write_identities(&world, &shape, &uses, &arguments.out.join("identities"))?;
    println!("{files} files, {events} events, {plain} bytes plain, {gzip} bytes gzip");
    println!("{known} users and roles, {} of them with attempts", uses.len());
    Ok(())
}

/// Writes a snapshot of identities an account. Returns how many users and roles are in them.
fn write_identities(
    world: &World,
    shape: &Shape,
    uses: &BTreeMap<String, Use>,
    directory: &Path,
) -> anyhow::Result<usize> {
    fs::create_dir(directory)?;
    let mut known = 0;
    let maker = Maker::new(world, shape, uses);
    for (at, account) in world.accounts.iter().enumerate() {
        known += account.users.len() + account.roles.len();
        let mut out =
            BufWriter::new(File::create_new(directory.join(&account.id).with_extension("json"))?);
        // As the AWS CLI indents its output.
        let indented = PrettyFormatter::with_indent(b"    ");
        maker.details(at).serialize(&mut Serializer::with_formatter(&mut out, indented))?;
        writeln!(out)?;
        out.flush()?;
    }
    Ok(known)
}

/// Writes the log files, each by one thread.
fn write_tree(
    world: &World,
    plans: &[Plan],
    arguments: &Arguments,
    threads: usize,
) -> io::Result<Totals> {
    let (next, totals) = (AtomicUsize::new(0), Mutex::new(Totals::default()));
    let write_some = || -> io::Result<()> {
        let mut own = Totals::default();
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            let content = plan.content(world, arguments.seed);
            let document = content.document();
            let path = arguments.out.join(plan.path(world, arguments.seed));
            own.add(Totals {
                files: 1,
                events: content.events,
                plain: document.len() as u64,
                gzip: write_gzip(&path, document.as_bytes())?,
                answers: content.answers,
            });
        }
        totals.lock().expect("no panic").add(own);
        Ok(())
    };
    std::thread::scope(|scope| -> io::Result<()> {
        let writers: Vec<_> = (0..threads).map(|_| scope.spawn(write_some)).collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))
    })?;
    Ok(totals.into_inner().expect("no panic"))
}

/// Writes a gzip file and returns its size.
fn write_gzip(path: &Path, bytes: &[u8]) -> io::Result<u64> {
    let mut compressor = Compressor::new(CompressionLvl::new(6).expect("a level"));
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let size = compressor.gzip_compress(bytes, &mut packed).expect("room enough");
    packed.truncate(size);
    fs::create_dir_all(path.parent().expect("a directory"))?;
    fs::write(path, packed)?;
    Ok(size as u64)
}

/// Writes digests and insights; they are not in the totals.
fn write_beside(world: &World, arguments: &Arguments) -> io::Result<()> {
    for (path, content) in beside::files(world, arguments.seed) {
        write_gzip(&arguments.out.join(path), content.to_string().as_bytes())?;
    }
    Ok(())
}

/// Writes one file of lines: the threads make its parts, this one puts them in order.
fn write_lines(
    world: &World,
    plans: &[Plan],
    arguments: &Arguments,
    threads: usize,
) -> io::Result<Totals> {
    let next = AtomicUsize::new(0);
    let make_some = |parts: SyncSender<(usize, file::Content)>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = plans.get(at) else { break };
            if parts.send((at, plan.content(world, arguments.seed))).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        let (sender, parts) = sync_channel(threads);
        for _ in 0..threads {
            let (sender, make_some) = (sender.clone(), &make_some);
            scope.spawn(move || make_some(sender));
        }
        drop(sender);
        write_in_order(&arguments.out.join("events.jsonl"), &parts)
    })
}

fn write_in_order(path: &Path, parts: &Receiver<(usize, file::Content)>) -> io::Result<Totals> {
    let mut out = BufWriter::new(File::create_new(path)?);
    let mut totals = Totals { files: 1, ..Totals::default() };
    let (mut waiting, mut due) = (BTreeMap::new(), 0);
    for (at, content) in parts {
        waiting.insert(at, content);
        while let Some(content) = waiting.remove(&due) {
            due += 1;
            out.write_all(content.lines.as_bytes())?;
            totals.add(Totals {
                files: 0,
                events: content.events,
                plain: content.lines.len() as u64,
                gzip: 0,
                answers: content.answers,
            });
        }
    }
    out.flush()?;
    Ok(totals)
}

fn write_uses(path: &Path, answers: &Answers) -> io::Result<()> {
    let mut out = BufWriter::new(File::create_new(path)?);
    let mut time = String::new();
    for ((principal, source), one) in &answers.uses {
        time.clear();
        write_time(&mut time, one.last);
        writeln!(out, "{principal},{source},{time}")?;
    }
    out.flush()
}

fn write_answer(path: &Path, answer: &LastAccesses) -> io::Result<()> {
    let mut out = BufWriter::new(File::create_new(path)?);
    for ((account, source), time) in answer {
        writeln!(out, "{account},{source},{time}")?;
    }
    out.flush()
}
