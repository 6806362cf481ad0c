//! The table of the organizations report.

use comfy_table::Cell;

use super::{Column, Heading, Tabular, count, last_access, shown, text};
use crate::emit::job_status;
use crate::report::organizations::{AccessDetail, OrganizationsReport};

const COLUMNS: &[Column] = &[
    Column::new("Service"),
    Column::new("Namespace"),
    Column::at_least(20, "Last access"),
    Column::new("Region"),
    Column::at_least(12, "Last account"),
    Column::at_least(8, "Accounts"),
];

impl Tabular for OrganizationsReport<'_> {
    fn push_heading(&self, heading: &mut Heading) {
        heading.line("Entity", &shown(self.entity_path));
        if let Some(policy_id) = self.policy_id {
            heading.line("Policy", &shown(policy_id));
        }
        heading.job(job_status(self), self.job.completion);
        match &self.outcome {
            Ok(access) => {
                let (all, unused) = (access.services_accessible, access.services_not_accessed);
                heading.line("Services", &format!("{all} accessible, {unused} not accessed"));
                if let Some(marker) = &access.marker {
                    let rows = access.access_details.len();
                    let page = format!("{rows} of {all} rows, more behind the marker");
                    heading.line("Page", &page);
                    heading.line("Marker", &shown(marker));
                }
            }
            Err(error) => heading.line("Error", &format!("{}: {}", error.code, error.message)),
        }
    }

    fn table(&self) -> (Vec<Column>, Vec<Vec<Cell>>) {
        let rows = self.outcome.as_ref().map_or(&[][..], |access| &access.access_details);
        (COLUMNS.to_vec(), rows.iter().map(cells).collect())
    }
}

fn cells(row: &AccessDetail<'_>) -> Vec<Cell> {
    // The path down to an account ends in the account.
    let account = row.attempts.and_then(|attempts| attempts.latest.entity.rsplit('/').next());
    vec![
        text(row.service_name),
        text(row.service_namespace),
        last_access(row.attempts.as_ref()),
        text(row.region.unwrap_or_default()),
        text(account.unwrap_or_default()),
        count(row.total_authenticated_entities),
    ]
}
