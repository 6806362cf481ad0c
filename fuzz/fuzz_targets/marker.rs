//! Any text as the marker of a page: it is refused as one that nobody gave, or it is one that this
//! report gave, and the page behind it is that part of the report.

#![no_main]

use std::cell::RefCell;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use trailfold::catalog::Catalog;
use trailfold::ledger::Ledger;
use trailfold::organization::Organization;
use trailfold::report::organizations::{AccessDetail, Activity, Query, Reporter};
use trailfold::report::page::{Page, SortKey};
use trailfold::report::{JobDates, RequestError};
use trailfold::time::Time;
use trailfold_fuzz::fed;

/// The path of the only organization.
const PATH: &str = "o-0000000000/r-0000";

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let (Some(first), Ok(marker)) =
        (bytes.first(), str::from_utf8(bytes.get(1..).unwrap_or_default()))
    else {
        return;
    };
    let max_items = Some(usize::from(*first) * 4 + 1);
    for sort_key in SortKey::ALL {
        // One that is given is tried, too, as it is and with a letter changed.
        let given = page(sort_key, Some(7), None).expect("a first page").marker;
        let given = given.expect("there are more services");
        let mut near = given.clone().into_bytes();
        if let Some(at) = bytes.get(1).map(|it| usize::from(*it) % near.len()) {
            near[at] = *first;
        }
        let near = String::from_utf8(near).unwrap_or_default();
        for marker in [marker, &given, &near] {
            check(sort_key, max_items, marker);
        }
    }
});

/// The services of a page, and the marker of the next one.
struct Rows {
    services: Vec<String>,
    marker: Option<String>,
}

fn check(sort_key: SortKey, max_items: Option<usize>, marker: &str) {
    let whole = page(sort_key, None, None).expect("a whole report").services;
    match page(sort_key, max_items, Some(marker)) {
        Ok(page) => {
            let rows = page.services;
            let start = whole.iter().position(|row| *row == rows[0]).expect("a row of the report");
            assert_eq!(rows[..], whole[start..start + rows.len()]);
            let given = self::page(sort_key, Some(start), None).expect("a page").marker;
            assert_eq!(given.as_deref(), Some(marker), "accepted, and never given");
            assert_eq!(page.marker.is_some(), start + rows.len() < whole.len());
        }
        Err(error) => {
            let is_ours = marker.len() == 24
                && marker.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
            let code =
                if max_items > Some(1000) || !is_ours { "ValidationError" } else { "InvalidInput" };
            assert_eq!(error.code, code, "{marker}");
        }
    }
}

fn page(
    sort_key: SortKey,
    max_items: Option<usize>,
    marker: Option<&str>,
) -> Result<Rows, RequestError> {
    static ORGANIZATION: OnceLock<Organization> = OnceLock::new();
    static LEDGER: OnceLock<Ledger> = OnceLock::new();
    static ACTIVITY: OnceLock<Activity<'static>> = OnceLock::new();
    thread_local!(static REPORTER: RefCell<Option<Reporter<'static>>> = RefCell::default());
    REPORTER.with_borrow_mut(|reporter| {
        let reporter = reporter.get_or_insert_with(|| {
            let organization = ORGANIZATION.get_or_init(|| Organization::flat(["111122223333"]));
            let ledger = LEDGER.get_or_init(Ledger::default);
            let activity =
                ACTIVITY.get_or_init(|| Activity::new(ledger, organization, Catalog::embedded()));
            Reporter::new(activity, organization, Catalog::embedded())
        });
        let time = Time::from_micros(0);
        let query = Query {
            entity_path: PATH,
            policy_id: None,
            attachments: Default::default(),
            sort_key,
            page: Page { max_items, marker, job_id: None },
            unused_iam_region: Default::default(),
            job: JobDates { creation: time, completion: time },
        };
        let report = reporter.report(&query)?;
        let report = report.outcome.expect("the root has a report");
        let service = |row: &AccessDetail<'_>| row.service_namespace.to_owned();
        let services = report.access_details.iter().map(service).collect();
        Ok(Rows { services, marker: report.marker })
    })
}
