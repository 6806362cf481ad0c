//! The table of the report of who used a service.

use comfy_table::Cell;

use super::{Column, Heading, Tabular, last_access, shown, text};
use crate::emit::COMPLETED;
use crate::report::service::{EntitiesReport, EntityDetails};

const COLUMNS: &[Column] = &[
    Column::new("Entity"),
    Column::new("Type"),
    Column::at_least(20, "Created"),
    Column::at_least(20, "Last access"),
];

impl Tabular for EntitiesReport<'_> {
    fn push_heading(&self, heading: &mut Heading) {
        heading.line("Arn", &shown(self.subject.arn));
        heading.age(&self.subject);
        heading.line("Service", &shown(self.service_namespace));
        heading.job(COMPLETED, self.job.completion);
        let rows = &self.entity_details_list;
        let not_accessed = rows.iter().filter(|row| row.attempts.is_none()).count();
        heading.counts("Entities", rows.len(), not_accessed, self.marker.as_deref());
    }

    fn table(&self) -> (Vec<Column>, Vec<Vec<Cell>>) {
        (COLUMNS.to_vec(), self.entity_details_list.iter().map(cells).collect())
    }
}

fn cells(row: &EntityDetails<'_>) -> Vec<Cell> {
    let created = row.entity.create_date.map_or_else(|| text(""), Cell::new);
    vec![text(row.entity.arn), text(row.entity_type), created, last_access(row.attempts.as_ref())]
}
