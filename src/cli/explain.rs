//! `trailfold explain`.

use std::io::Write;

use anyhow::{Context as _, bail};

use super::Exit;
use super::args::{ExplainArgs, InputArgs, TextOrJson};
use super::inputs::of_report;
use super::output::Destination;
use super::period::asked;
use super::report::reading::read_witnessed;
use super::summary::{Names, tell};
use crate::access::Answer;
use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::explain::{Collector, Document, Exhibit, Explanation, Principal, Question};
use crate::identities::Identities;
use crate::ingest::Witnessed;
use crate::printable::{bytes, grouped, indented_json, printable, visible, visible_json};
use crate::report::service;

/// `trailfold explain`.
pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let out = Destination::new(args.output.as_deref());
    out.probe()?;
    let asked = asked(&args.input)?;
    let catalog = args.input.catalog.as_deref().map(Catalog::load).transpose()?;
    let catalog = catalog.as_ref().unwrap_or_else(|| Catalog::embedded());
    let identities = args.identities.as_deref().map(Identities::load).transpose()?;
    let question = question(args, catalog, identities.as_ref())?;
    let given = of_report(&args.input)?;
    if let Some(rollup) = given.found.rollups.first() {
        bail!(
            "{}: is a rollup, which holds no records: give the logs, or the source that the report \
             names",
            rollup.display()
        );
    }
    out.refuse_inputs(&given.found)?;
    let collector = Collector::new(question, args.runners_up);
    let witness = |witnessed: &Witnessed<'_>| collector.witness(witnessed);
    let coverage = read_witnessed(&args.input, given, asked, &witness, &args.verbosity)?;
    refuse_silent(&args.input, &args.account, &coverage)?;
    let explanation = collector.finish();
    out.write(|out| match args.format {
        TextOrJson::Text => write_text(out, args, &question, &explanation, &coverage),
        TextOrJson::Json => {
            let document = Document::new(&question, args.principal.as_deref(), &explanation);
            let json = serde_json::to_string_pretty(&document)?;
            Ok(writeln!(out, "{}", visible_json(&json))?)
        }
    })?;
    let names = Names { verbose: args.verbosity.verbose };
    let warnings = names.warn_of_missing(&coverage.missing).into_iter();
    let warnings: Vec<String> = warnings.map(|warning| format!("warning: {warning}")).collect();
    Ok(tell(&warnings, &coverage, &args.verbosity))
}

/// Reads what is asked.
fn question<'a>(
    args: &'a ExplainArgs,
    catalog: &'a Catalog,
    identities: Option<&'a Identities>,
) -> anyhow::Result<Question<'a>> {
    let service = service::find_service(catalog, &args.service).context("--service")?;
    let action = match args.action.as_deref() {
        None => None,
        Some(name) => match catalog.action_position(service, name) {
            Some(position) => Some(position),
            None => bail!("--action: {} has no action `{name}`", args.service),
        },
    };
    let principal = match (args.principal.as_deref(), identities) {
        (None, _) => None,
        (Some(name), None) => Some(Principal::Logged(name)),
        (Some(arn), Some(identities)) => {
            let index = service::find(identities, arn).context("--principal")?;
            Some(Principal::Of(identities, index))
        }
    };
    Ok(Question { account: &args.account, service, action, principal, catalog })
}

/// Where nothing of the account was read, that it did nothing says nothing (V2).
fn refuse_silent(args: &InputArgs, account: &str, coverage: &Coverage) -> anyhow::Result<()> {
    if coverage.accounts.contains_key(account) || args.allow_empty {
        return Ok(());
    }
    bail!(
        "no access of account {account} was read, so there is nothing to explain: give the account's \
         logs too (--allow-empty says so in the output instead)"
    )
}

/// Writes an explanation for people.
fn write_text(
    out: &mut dyn Write,
    args: &ExplainArgs,
    question: &Question<'_>,
    explanation: &Explanation,
    coverage: &Coverage,
) -> anyhow::Result<()> {
    let Explanation { accesses, latest, success, denial, first } = explanation;
    let service = question.catalog.service(question.service);
    let action = args.action.as_ref().map_or_else(String::new, |name| format!(", action {name}"));
    let mut print = |line: &str| writeln!(out, "{}", visible(line));
    print(&format!("{} ({}){action}, account {}", service.name, service.namespace, args.account))?;
    if let Some(principal) = &args.principal {
        print(&format!("by {principal}"))?;
    }
    print("")?;
    let Some((decides, runners_up)) = latest.split_first() else {
        let account = coverage.accounts.get(&args.account);
        print("no access was read")?;
        if let Some(account) = account {
            print(&format!(
                "accesses of the account to anything: {}{}",
                grouped(account.events),
                match (account.first, account.last) {
                    (Some(first), Some(last)) => format!(", from {first} to {last}"),
                    _ => String::new(),
                }
            ))?;
        }
        return Ok(());
    };
    print("latest attempt")?;
    for (name, value) in members(decides) {
        print(&format!("  {name:<10} {value}"))?;
    }
    print("  record")?;
    for line in record(decides).lines() {
        print(&format!("    {line}"))?;
    }
    print("")?;
    let others = [("latest success", success), ("latest denial", denial), ("first attempt", first)];
    for (name, exhibit) in others {
        print(&match exhibit {
            None => format!("{name:<16}none"),
            Some(exhibit) if exhibit == decides => format!("{name:<16}the latest attempt"),
            Some(exhibit) => format!("{name:<16}{}", line(exhibit)),
        })?;
    }
    print(&format!("{:<16}{}", "accesses", grouped(*accesses)))?;
    if !runners_up.is_empty() {
        print("")?;
        print("came next, latest first")?;
    }
    for exhibit in runners_up {
        let copy = if exhibit.is_same_event(decides) { "  (the same event)" } else { "" };
        print(&format!("  {}{copy}", line(exhibit)))?;
    }
    Ok(())
}

/// Returns what there is to say of an event beside its record.
fn members(exhibit: &Exhibit) -> Vec<(&'static str, String)> {
    let Exhibit { time, event_id, region, principal_arn, principal_id, source, .. } = exhibit;
    let logged = |text: Option<&str>| text.unwrap_or("none logged").to_owned();
    let principal = match (principal_arn, principal_id) {
        (Some(arn), Some(id)) => format!("{arn} ({id})"),
        _ => logged(exhibit.principal()),
    };
    let mut members = vec![
        ("time", time.to_string()),
        ("event", what(exhibit)),
        ("principal", principal),
        ("region", logged(region.as_deref())),
        ("event id", logged(event_id.as_deref())),
        ("source", source.clone()),
    ];
    if exhibit.body != *source {
        members.push(("entry", exhibit.body.clone()));
    }
    members.push(("offset", format!("{} of the decompressed bytes", grouped(exhibit.offset))));
    members
}

fn what(exhibit: &Exhibit) -> String {
    let answer = match exhibit.answer {
        Answer::Success => "succeeded",
        Answer::Denied => "denied",
        Answer::Failed => "failed",
    };
    format!("{} of {}, {answer}", exhibit.event_name, exhibit.event_source)
}

/// Returns one line about an event.
fn line(exhibit: &Exhibit) -> String {
    let parts = [
        exhibit.time.to_string(),
        what(exhibit),
        exhibit.principal().unwrap_or("principal not logged").to_owned(),
        exhibit.event_id.clone().unwrap_or_else(|| "no event id".to_owned()),
        exhibit.source.clone(),
    ];
    parts.iter().map(|part| printable(part)).collect::<Vec<_>>().join("  ")
}

/// Returns the record for people.
fn record(exhibit: &Exhibit) -> String {
    match std::str::from_utf8(&exhibit.record) {
        Ok(json) => indented_json(&visible_json(json)),
        Err(_) => bytes(&exhibit.record, false),
    }
}
