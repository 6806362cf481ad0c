//! The lists of the coverage: accounts, problems, and who or what is in no report.

use maud::{Markup, html};

use crate::coverage::AccountCoverage;
use crate::identities::Identities;
use crate::printable::grouped;
use crate::report::coverage::{IdentitiesBasis, IdentitiesCoverage};
use crate::report::organizations::silent_accounts;
use crate::report::service::Activity;
use crate::serve::page::Ground;
use crate::serve::page::words::{instant_in_utc, shown};
use crate::time::{Day, Time};

/// Stretches of days without an event that a row names.
const STRETCHES: usize = 5;

/// A list.
pub(super) struct Topic<'t> {
    /// Its name in an address.
    pub key: &'static str,
    pub title: &'static str,
    /// What it means for the reports.
    pub meaning: &'static str,
    pub headings: &'static [&'static str],
    pub rows: Vec<Row<'t>>,
}

/// A row; the first cell is its name.
pub(super) struct Row<'t> {
    pub name: std::borrow::Cow<'t, str>,
    pub cells: Vec<Markup>,
}

impl<'t> Row<'t> {
    fn new(name: impl Into<std::borrow::Cow<'t, str>>, cells: Vec<Markup>) -> Self {
        Self { name: name.into(), cells }
    }

    fn last(name: &'t str, last: Time) -> Self {
        Self::new(name, vec![instant_in_utc(last)])
    }
}

/// Returns every list, those of the snapshot of identities last.
pub(super) fn topics<'t>(ground: &Ground<'t, 't>) -> Vec<Topic<'t>> {
    let mut topics = of_logs(ground);
    if let Some((identities, activity)) = ground.facts.identities {
        topics.extend(of_identities(ground, identities, activity));
    }
    topics
}

fn of_logs<'t>(ground: &Ground<'t, 't>) -> Vec<Topic<'t>> {
    let facts = ground.facts;
    let (organization, coverage) = (facts.organization, facts.coverage);
    let silent = silent_accounts(organization, coverage);
    vec![
        Topic {
            key: "problems",
            title: "Problems",
            meaning: "What could not be read, and where. Events may be missing in every report.",
            headings: &["Source", "Byte", "Problem"],
            rows: coverage
                .problems
                .iter()
                .map(|problem| {
                    let offset = problem.offset.map(grouped).unwrap_or_default();
                    let cells = vec![html! { (offset) }, html! { (shown(&problem.error)) }];
                    Row::new(&problem.source, cells)
                })
                .collect(),
        },
        Topic {
            key: "accounts-without-events",
            title: "Accounts without an event",
            meaning: "Accounts of the organization of which nothing was counted. What only they use \
                      looks unused.",
            headings: &["Account", "Name", "Entity path"],
            rows: silent
                .map(|entity| {
                    let name = entity.name.as_deref().unwrap_or_default();
                    let path = html! { code { (shown(&entity.path)) } };
                    Row::new(&entity.id, vec![html! { (shown(name)) }, path])
                })
                .collect(),
        },
        Topic {
            key: "accounts-outside",
            title: "Accounts outside the organization",
            meaning: "Acting accounts that the snapshot of the organization has not. They are in no \
                      report on it.",
            headings: &["Account", "Last event (UTC)"],
            rows: facts.accounts.outside.iter().map(|(id, last)| Row::last(id, *last)).collect(),
        },
        Topic {
            key: "unmapped-event-sources",
            title: "Event sources of no listed service",
            meaning: "Their events are in no report.",
            headings: &["Event source", "Last event (UTC)"],
            rows: facts.accounts.unmapped.iter().map(|(it, last)| Row::last(it, *last)).collect(),
        },
        Topic {
            key: "missing-hours",
            title: "Hours without a log file",
            meaning: "An account and Region have no log file of these hours, though they have of the \
                      same hours of the days and weeks around. Their events may be missing.",
            headings: &["Account", "Region", "From (UTC)", "To (UTC)"],
            rows: coverage
                .missing
                .hours
                .iter()
                .map(|it| {
                    let cells = vec![
                        html! { (shown(&it.region)) },
                        instant_in_utc(it.from),
                        instant_in_utc(it.to),
                    ];
                    Row::new(&it.account_id, cells)
                })
                .collect(),
        },
        Topic {
            key: "missing-log-files",
            title: "Log files that are not there",
            meaning: "CloudTrail's digests list them, and they were not found. Their events are \
                      missing.",
            headings: &["S3 key"],
            rows: coverage.missing.log_files.iter().map(|key| Row::new(key, Vec::new())).collect(),
        },
        Topic {
            key: "accounts",
            title: "Accounts read",
            meaning: "What was counted, by acting account. Days without an event between the first \
                      and the last may be days whose logs are missing.",
            headings: &[
                "Account",
                "Events",
                "First (UTC)",
                "Last (UTC)",
                "Days without an event",
                "Regions",
                "Data events",
            ],
            rows: coverage.accounts.iter().map(|(id, read)| account(id, read)).collect(),
        },
    ]
}

fn account<'t>(id: &'t str, read: &AccountCoverage) -> Row<'t> {
    let instant =
        |time: Option<Time>| html! { @if let Some(time) = time { (instant_in_utc(time)) } };
    let regions: Vec<_> = read.regions.iter().map(|it| shown(it).into_owned()).collect();
    let cells = vec![
        html! { (grouped(read.events)) },
        instant(read.first),
        instant(read.last),
        stretches(&read.days_without_events()),
        html! { (regions.join(", ")) },
        html! { @if read.data_events { "seen" } @else { "none" } },
    ];
    Row::new(id, cells)
}

fn stretches(stretches: &[(Day, Day)]) -> Markup {
    html! {
        @if stretches.is_empty() { "none" }
        @for (place, (first, last)) in stretches.iter().take(STRETCHES).enumerate() {
            @if place > 0 { ", " }
            @if first == last { (first) } @else { (first) " to " (last) }
        }
        @if stretches.len() > STRETCHES {
            " and " (grouped((stretches.len() - STRETCHES) as u64)) " more stretches"
        }
    }
}

fn of_identities<'t>(
    ground: &Ground<'t, 't>,
    identities: &'t Identities,
    activity: &'t Activity<'t>,
) -> Vec<Topic<'t>> {
    let facts = ground.facts;
    let (coverage, catalog, start) = (facts.coverage, facts.catalog, facts.start());
    let basis = IdentitiesBasis { coverage, activity, identities, catalog, start };
    let accounted = IdentitiesCoverage::new(basis, &[], std::iter::empty());
    let silent = accounted.accounts_without_events;
    let mut topics = vec![
        Topic {
            key: "identity-accounts-without-events",
            title: "Accounts of the identities without an event",
            meaning: "All of their users and roles look unused.",
            headings: &["Account"],
            rows: silent.into_iter().map(|id| Row::new(id, Vec::new())).collect(),
        },
        Topic {
            key: "identity-accounts-outside",
            title: "Accounts without identities",
            meaning: "Acting accounts that the snapshot of identities has not. Their users and roles \
                      are in no report.",
            headings: &["Account", "Last event (UTC)"],
            rows: activity.outside.iter().map(|(id, last)| Row::last(id, *last)).collect(),
        },
        Topic {
            key: "unknown-principals",
            title: "Users and roles that are not in the snapshot",
            meaning: "They acted, and are not in the snapshot, or only by name, as a former holder \
                      of the name is. They are in no report.",
            headings: &["Principal, as logged", "Unique id", "Account", "Last event (UTC)"],
            rows: activity.unknown.iter().map(|(it, last)| unknown(it, *last)).collect(),
        },
        Topic {
            key: "roles-used-later",
            title: "Roles used later than the logs tell",
            meaning: "The snapshot says so. Logs are missing, or lack data events.",
            headings: &["Role", "Last used, as the snapshot says", "Last event of the logs"],
            rows: accounted
                .roles_used_later
                .into_iter()
                .map(|role| {
                    let logged = role.last_event_time.unwrap_or_else(|| "never".to_owned());
                    Row::new(role.arn, vec![html! { (role.last_used_date) }, html! { (logged) }])
                })
                .collect(),
        },
        Topic {
            key: "shared-ids",
            title: "Ids that several users or roles bear",
            meaning: "Their accesses are told apart by ARN.",
            headings: &["Id"],
            rows: identities.shared_ids().iter().map(|id| Row::new(id, Vec::new())).collect(),
        },
    ];
    topics.push(missing(identities));
    topics.push(Topic {
        key: "passed-over",
        title: "Files of the snapshot passed over",
        meaning: "They are no replies of the AWS CLI.",
        headings: &["File"],
        rows: identities.passed_over().iter().map(|file| Row::new(file, Vec::new())).collect(),
    });
    if let Some(events) = &activity.without_action {
        topics.push(without_action(events));
    }
    topics
}

fn unknown<'t>(principal: &crate::report::service::UnknownPrincipal<'t>, last: Time) -> Row<'t> {
    let name = principal.arn.or(principal.id).unwrap_or("the account alone is known");
    let cells = vec![
        html! { (shown(principal.id.unwrap_or_default())) },
        html! { (shown(principal.account)) },
        instant_in_utc(last),
    ];
    Row::new(name, cells)
}

fn missing(identities: &Identities) -> Topic<'_> {
    let rows = identities.missing().iter().map(|(name, by)| {
        let named = by.iter().take(STRETCHES).map(|it| shown(&identities.identity(*it).arn));
        let named: Vec<String> = named.map(std::borrow::Cow::into_owned).collect();
        let cell = html! {
            (named.join(", "))
            @if by.len() > STRETCHES { " and " (grouped((by.len() - STRETCHES) as u64)) " more" }
        };
        Row::new(name, vec![cell])
    });
    Topic {
        key: "not-in-snapshot",
        title: "Attached or joined, and not in the snapshot",
        meaning: "Reports on those that name them lack services or accesses.",
        headings: &["Policy or group", "Named by"],
        rows: rows.collect(),
    }
}

fn without_action<'t>(events: &std::collections::BTreeMap<(&'t str, &'t str), Time>) -> Topic<'t> {
    let rows = events.iter().map(|((source, name), last)| {
        Row::new(format!("{source} {name}"), vec![instant_in_utc(*last)])
    });
    Topic {
        key: "event-names-without-action",
        title: "Events that stand for no action",
        meaning: "They count for the service, and for none of its actions.",
        headings: &["Event", "Last event (UTC)"],
        rows: rows.collect(),
    }
}
