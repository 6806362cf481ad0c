//! The table of the report of one user, group, role or policy.

use comfy_table::Cell;

use super::{Column, Heading, Tabular, count, last_access, shown, text};
use crate::emit::COMPLETED;
use crate::report::attempt::Attempts;
use crate::report::service::ServiceReport;

/// Characters of a name that are kept together, at most; no action's is longer.
const LONGEST_NAME: u16 = 128;

impl Tabular for ServiceReport<'_> {
    fn push_heading(&self, heading: &mut Heading) {
        heading.line("Arn", &shown(self.subject.arn));
        heading.age(&self.subject);
        heading.job(COMPLETED, self.job.completion);
        let rows = &self.services_last_accessed;
        let not_accessed = rows.iter().filter(|row| row.attempts.is_none()).count();
        heading.counts("Services", rows.len(), not_accessed, self.marker.as_deref());
    }

    fn table(&self) -> (Vec<Column>, Vec<Vec<Cell>>) {
        let account = account_of(self.subject.arn);
        let mut rows = Vec::new();
        let mut longest = 0;
        for service in &self.services_last_accessed {
            let [time, region, entity] = latest(service.attempts.as_deref(), account);
            let entities = count(service.total_authenticated_entities);
            let (name, namespace) = (text(service.service_name), text(service.service_namespace));
            rows.push(vec![name, namespace, time, region, entity, entities]);
            for action in service.tracked_actions_last_accessed.iter().flatten() {
                let [time, region, entity] = latest(action.attempts.as_deref(), account);
                let name = format!("{}:{}", service.service_namespace, action.action_name);
                longest = longest.max(name.len());
                rows.push(vec![text(""), text(&name), time, region, entity, text("")]);
            }
        }
        let columns = vec![
            Column::new("Service"),
            // Whoever looks for an action finds its name in one piece.
            Column::at_least(
                u16::try_from(longest).unwrap_or(u16::MAX).min(LONGEST_NAME),
                "Namespace",
            ),
            Column::at_least(20, "Last access"),
            Column::new("Region"),
            Column::new("Last entity"),
            Column::at_least(8, "Entities"),
        ];
        (columns, rows)
    }
}

/// Returns the cells of the latest attempt. What the ARN of an entity has in common with all those
/// of the account is left out.
fn latest(attempts: Option<&Attempts<'_>>, account: &str) -> [Cell; 3] {
    let latest = attempts.map(|attempts| attempts.latest);
    let entity = latest.map_or("", |attempt| attempt.entity);
    [
        last_access(attempts),
        text(latest.and_then(|attempt| attempt.region).unwrap_or_default()),
        text(entity.strip_prefix(account).unwrap_or(entity)),
    ]
}

/// Returns the start of an ARN up to and with the account: `arn:aws:iam::111122223333:`.
fn account_of(arn: &str) -> &str {
    let end = arn.match_indices(':').nth(4).map_or(0, |(place, _)| place + 1);
    arn.get(..end).unwrap_or_default()
}
