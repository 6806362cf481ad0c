//! Arguments, dispatch, printing, exit codes: the only module that prints, reads the clock and the
//! environment, and ends the program.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the clock and the environment"
)]

mod args;
mod attribution;
mod explain;
mod inputs;
mod interrupt;
mod organization;
mod output;
mod period;
mod progress;
mod report;
mod rollup;
#[cfg(feature = "serve")]
mod serve;
mod summary;
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::printable::visible;
use crate::time::Time;
use args::{Cli, Command, Organization, Report};
use output::Destination;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// The report is complete.
    Complete,
    /// The report is written, but something that may hold events could not be read.
    Incomplete,
    /// There is no report.
    NoReport,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Complete => Self::SUCCESS,
            Exit::Incomplete => Self::from(1),
            Exit::NoReport => Self::from(2),
        }
    }
}

/// Runs the program and returns its exit code: 0 complete, 1 something could not be read, 2 no
/// report. A closed pipe is 0, an interrupt 130.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match dispatch(&cli.command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(&format!("error: {}", causes(&error)));
            Exit::NoReport.into()
        }
    }
}

/// Joins an error and its causes, leaving out what the one before says already.
fn causes(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

fn dispatch(command: &Command) -> anyhow::Result<Exit> {
    interrupt::watch()?;
    match command {
        Command::Report(Report::Organizations(args)) => report::organizations::run(args),
        Command::Report(Report::Service(args)) => report::service::run(args),
        Command::Rollup(args) => rollup::run(args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Organization(Organization::Tree { snapshot }) => organization::tree(snapshot),
        Command::Organization(Organization::Snapshot { snapshot, output }) => {
            organization::snapshot(snapshot, output.as_deref())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "trailfold", &mut script);
            Destination::Stdout.write(|out| Ok(out.write_all(&script)?))?;
            Ok(Exit::Complete)
        }
        Command::Man => {
            Destination::Stdout.write(manual)?;
            Ok(Exit::Complete)
        }
    }
}

/// Writes one page with every subcommand behind the program's own.
fn manual(out: &mut dyn io::Write) -> anyhow::Result<()> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![program];
    while let Some(command) = pages.pop() {
        clap_mangen::Man::new(command.clone()).render(out)?;
        pages.extend(command.get_subcommands().cloned());
    }
    Ok(())
}

/// Prints what clap has to say: help and version are answers, the rest is a mistake of the user's.
fn usage(error: &clap::Error) -> ExitCode {
    let is_answer = !error.use_stderr();
    match error.print() {
        Ok(()) if is_answer => ExitCode::SUCCESS,
        Err(error) if is_answer && error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        _ => Exit::NoReport.into(),
    }
}

/// Writes a line for people, and nothing that moves their cursor: what it quotes may be hostile.
/// Where standard error is closed nobody reads it, which is no error.
fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible(line));
}

/// Returns the present.
fn system_time() -> Time {
    Time::from_micros(chrono::Utc::now().timestamp_micros())
}

/// Returns the present, or what `SOURCE_DATE_EPOCH` says it is.
fn now() -> anyhow::Result<Time> {
    let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(system_time()) };
    epoch
        .parse::<i64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .map(Time::from_micros)
        .ok_or_else(|| {
            anyhow::anyhow!("SOURCE_DATE_EPOCH: `{epoch}` is no number of seconds since 1970")
        })
}
