//! Tests of the desk, on the made-up organization.

use std::num::NonZeroUsize;
use std::path::Path;

use super::*;
use crate::access::Switches;
use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::identities::Identities;
use crate::ingest;
use crate::ledger::Ledger;
use crate::organization::Organization;
use crate::serve::{Form, Opened, Store};
use crate::time::Period;

const ROOT: &str = "o-exampleorgid/r-ex4m";
const GROUP: &str = "arn:aws:iam::555555555555:group/engineers";
const ROLE: &str = "arn:aws:iam::666666666666:role/invoice";

/// What the test organization's logs and snapshots say.
struct World {
    ledger: Ledger,
    coverage: Coverage,
    organization: Organization,
    identities: Identities,
}

impl World {
    fn new() -> Self {
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        let inputs = ["logs/AWSLogs", "logs-identities"].map(|it| testdata.join(it).into());
        let threads = NonZeroUsize::MIN;
        let found = ingest::find(&inputs, threads, None).unwrap();
        let options = ingest::Options {
            memory: usize::MAX,
            period: Period::default(),
            switches: Switches::default(),
            threads,
            progress: &|_| {},
        };
        let (ledger, coverage) = ingest::fold(&found, &options).unwrap();
        Self {
            ledger,
            coverage,
            organization: Organization::load(&testdata.join("organization.json")).unwrap(),
            identities: Identities::load(&testdata.join("identities")).unwrap(),
        }
    }

    /// Lets `use_facts` use the facts, with identities or without.
    fn with_facts<T>(&self, has_identities: bool, use_facts: impl FnOnce(&Facts<'_>) -> T) -> T {
        let catalog = Catalog::embedded();
        let accounts = organizations::Activity::new(&self.ledger, &self.organization, catalog);
        let granularity = Granularity::ActionLevel;
        let activity = service::Activity::new(&self.ledger, &self.identities, catalog, granularity);
        use_facts(&Facts {
            catalog,
            coverage: &self.coverage,
            organization: &self.organization,
            accounts: &accounts,
            identities: has_identities.then_some((&self.identities, &activity)),
            notes: Vec::new(),
        })
    }

    fn with_desk<T>(&self, jobs: Jobs, use_desk: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        self.with_facts(true, |facts| use_desk(&mut Desk::new(facts, jobs, CHOICES)))
    }
}

const CHOICES: Choices = Choices {
    attachments: Attachments::AtOrBelow,
    unused_iam_region: UnusedIamRegion::Absent,
    job_time: TimeDelta::zero(),
    allow_empty: false,
};

/// So many seconds after the desk was opened.
fn at(seconds: i64) -> Time {
    Time::from_micros(1_780_000_000_123_456 + seconds * 1_000_000)
}

/// Asks, as a client writes it, and returns the code of a refusal or the body of the answer.
fn ask(desk: &mut Desk<'_>, body: &str, now: Time) -> Result<String, &'static str> {
    let form = Form::parse(body.as_bytes());
    let operation = Operation::named(form.action().unwrap()).unwrap();
    let reply = match Request::read(operation, &form) {
        Ok(request) => desk.answer(&request, now),
        Err(error) => Reply::refusal(&error),
    };
    match reply.code {
        Some(code) => Err(code),
        None => Ok(String::from_utf8(reply.body).unwrap()),
    }
}

fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Has a job made, and returns its id.
fn generate(desk: &mut Desk<'_>, body: &str, now: Time) -> Result<String, &'static str> {
    let answer = ask(desk, body, now)?;
    let id = element(&answer, "JobId").unwrap();
    assert_eq!(id.len(), 36);
    Ok(id.to_owned())
}

fn organizations_job(path: &str) -> String {
    format!("Action=GenerateOrganizationsAccessReport&EntityPath={path}")
}

fn service_job(arn: &str) -> String {
    format!("Action=GenerateServiceLastAccessedDetails&Arn={arn}")
}

#[test]
fn the_same_request_gives_the_same_job_for_a_minute_and_another_one_another() {
    World::new().with_desk(Jobs::default(), |desk| {
        let first = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let slash = generate(desk, &organizations_job(&format!("{ROOT}/")), at(1)).unwrap();
        assert_eq!(slash, first);
        assert_eq!(generate(desk, &organizations_job(ROOT), at(59)).unwrap(), first);
        let later = generate(desk, &organizations_job(ROOT), at(61)).unwrap();
        assert_ne!(later, first);
        let group = generate(desk, &service_job(GROUP), at(61)).unwrap();
        let actions = format!("{}&Granularity=ACTION_LEVEL", service_job(GROUP));
        let actions = generate(desk, &actions, at(61)).unwrap();
        let role = generate(desk, &service_job(ROLE), at(61)).unwrap();
        let mut all = vec![first, later, group, actions, role];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    });
}

#[test]
fn o9_a_job_is_in_progress_for_its_time_and_then_completed() {
    let world = World::new();
    let choices = Choices { job_time: TimeDelta::seconds(5), ..CHOICES };
    world.with_facts(true, |facts| {
        let desk = &mut Desk::new(facts, Jobs::default(), choices);
        let id = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let get = format!("Action=GetOrganizationsAccessReport&JobId={id}");
        let early = ask(desk, &get, at(4)).unwrap();
        assert_eq!(element(&early, "JobStatus"), Some("IN_PROGRESS"));
        assert_eq!(element(&early, "IsTruncated"), Some("false"));
        for absent in ["JobCompletionDate", "NumberOfServicesAccessible", "AccessDetails"] {
            assert!(!early.contains(absent), "{early}");
        }
        let done = ask(desk, &get, at(5)).unwrap();
        assert_eq!(element(&done, "JobStatus"), Some("COMPLETED"));
        assert_eq!(element(&done, "JobCreationDate"), Some("2026-05-28T20:26:40.123Z"));
        assert_eq!(element(&done, "JobCompletionDate"), Some("2026-05-28T20:26:45.123Z"));

        let id = generate(desk, &service_job(GROUP), at(10)).unwrap();
        for (operation, list) in [
            ("GetServiceLastAccessedDetails", "<ServicesLastAccessed></ServicesLastAccessed>"),
            (
                "GetServiceLastAccessedDetailsWithEntities",
                "<EntityDetailsList></EntityDetailsList>",
            ),
        ] {
            let get = format!("Action={operation}&JobId={id}&ServiceNamespace=s3");
            let early = ask(desk, &get, at(14)).unwrap();
            assert_eq!(element(&early, "JobStatus"), Some("IN_PROGRESS"));
            // IAM's model requires the list.
            assert!(early.contains(list), "{early}");
            let done = ask(desk, &get, at(15)).unwrap();
            assert_eq!(element(&done, "JobStatus"), Some("COMPLETED"));
        }
    });
}

#[test]
fn o10_one_organizations_job_runs_at_a_time() {
    let world = World::new();
    let choices = Choices { job_time: TimeDelta::seconds(5), ..CHOICES };
    world.with_facts(true, |facts| {
        let desk = &mut Desk::new(facts, Jobs::default(), choices);
        let first = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let other = organizations_job(&format!("{ROOT}/111122223333"));
        assert_eq!(generate(desk, &other, at(1)), Err("ReportGenerationLimitExceeded"));
        assert_eq!(generate(desk, &organizations_job(ROOT), at(1)).unwrap(), first);
        // Jobs on users and roles are others.
        generate(desk, &service_job(GROUP), at(1)).unwrap();
        assert_eq!(generate(desk, &other, at(2)), Err("ReportGenerationLimitExceeded"));
        // What is refused at once is refused for what it is.
        assert_eq!(generate(desk, &organizations_job("short"), at(2)), Err("ValidationError"));
        generate(desk, &other, at(5)).unwrap();
    });
}

#[test]
fn o10_what_does_not_exist_is_a_job_that_failed_or_is_refused_at_once() {
    World::new().with_desk(Jobs::default(), |desk| {
        let elsewhere = organizations_job(&format!("{ROOT}/ou-none-11111111"));
        let id = generate(desk, &elsewhere, at(0)).unwrap();
        let get = format!("Action=GetOrganizationsAccessReport&JobId={id}");
        let failed = ask(desk, &get, at(0)).unwrap();
        assert_eq!(element(&failed, "JobStatus"), Some("FAILED"));
        assert_eq!(element(&failed, "Code"), Some("INVALID_ORGANIZATIONS_ENTITY_PATH"));
        let policy = format!("{}&OrganizationsPolicyId=p-nonesuch", organizations_job(ROOT));
        let id = generate(desk, &policy, at(0)).unwrap();
        let get = format!("Action=GetOrganizationsAccessReport&JobId={id}");
        assert_eq!(
            element(&ask(desk, &get, at(0)).unwrap(), "Code"),
            Some("INVALID_ORGANIZATIONS_POLICY")
        );
        let foreign = organizations_job("o-elsewhere1/r-ex4m");
        assert_eq!(generate(desk, &foreign, at(0)), Err("AccessDenied"));
        let none = "arn:aws:iam::555555555555:role/none";
        assert_eq!(generate(desk, &service_job(none), at(0)), Err("NoSuchEntity"));
        let bucket = "arn:aws:s3:::a-bucket-of-some-name";
        assert_eq!(generate(desk, &service_job(bucket), at(0)), Err("InvalidInput"));
    });
}

#[test]
fn i6_a_job_answers_the_operations_of_its_kind_and_no_other() {
    World::new().with_desk(Jobs::default(), |desk| {
        let organizations = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let service = generate(desk, &service_job(GROUP), at(0)).unwrap();
        let unknown = "01234567-89ab-4def-8123-456789abcdef".to_owned();
        let odd = "éééééééééééééééééééééééééééééééééééé".to_owned();
        for (operation, ids) in [
            ("GetOrganizationsAccessReport", [&service, &unknown, &odd]),
            ("GetServiceLastAccessedDetails", [&organizations, &unknown, &odd]),
            ("GetServiceLastAccessedDetailsWithEntities", [&organizations, &unknown, &odd]),
        ] {
            for id in ids {
                let get = format!("Action={operation}&JobId={id}&ServiceNamespace=s3");
                assert_eq!(ask(desk, &get, at(0)), Err("NoSuchEntity"), "{operation} {id}");
            }
        }
        let entities = format!(
            "Action=GetServiceLastAccessedDetailsWithEntities&JobId={service}&ServiceNamespace=none"
        );
        assert_eq!(ask(desk, &entities, at(0)), Err("InvalidInput"));
    });
}

#[test]
fn o8_a_marker_is_good_for_its_job_and_its_sort_key() {
    World::new().with_desk(Jobs::default(), |desk| {
        let id = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let get = format!("Action=GetOrganizationsAccessReport&JobId={id}&MaxItems=2");
        let marker = element(&ask(desk, &get, at(0)).unwrap(), "Marker").unwrap().to_owned();
        assert!(ask(desk, &format!("{get}&Marker={marker}"), at(0)).is_ok());
        let sorted = format!("{get}&SortKey=SERVICE_NAMESPACE_DESCENDING&Marker={marker}");
        assert_eq!(ask(desk, &sorted, at(0)), Err("InvalidInput"));
        assert_eq!(ask(desk, &format!("{get}&Marker=garbage"), at(0)), Err("ValidationError"));
        // The same report, asked for anew.
        let later = generate(desk, &organizations_job(ROOT), at(61)).unwrap();
        let get = format!("Action=GetOrganizationsAccessReport&JobId={later}&Marker={marker}");
        assert_eq!(ask(desk, &get, at(61)), Err("InvalidInput"));
    });
}

#[test]
fn i6_without_a_snapshot_of_identities_their_operations_are_refused_in_so_many_words() {
    let world = World::new();
    world.with_facts(false, |facts| {
        let desk = &mut Desk::new(facts, Jobs::default(), CHOICES);
        assert_eq!(generate(desk, &service_job(GROUP), at(0)), Err("InvalidAction"));
        let list = format!(
            "Action=ListPoliciesGrantingServiceAccess&Arn={GROUP}&ServiceNamespaces.member.1=s3"
        );
        assert_eq!(ask(desk, &list, at(0)), Err("InvalidAction"));
    });
}

#[test]
fn v2_nobody_of_whose_account_nothing_was_read_looks_unused() {
    let mut world = World::new();
    world.coverage.accounts.remove("666666666666");
    world.with_desk(Jobs::default(), |desk| {
        assert_eq!(generate(desk, &service_job(ROLE), at(0)), Err("InvalidInput"));
        assert!(generate(desk, &service_job(GROUP), at(0)).is_ok());
    });
    let choices = Choices { allow_empty: true, ..CHOICES };
    world.with_facts(true, |facts| {
        let desk = &mut Desk::new(facts, Jobs::default(), choices);
        assert!(generate(desk, &service_job(ROLE), at(0)).is_ok());
    });
}

#[test]
fn policies_that_grant_a_service_are_told_with_their_holders() {
    World::new().with_desk(Jobs::default(), |desk| {
        let list = |desk: &mut Desk<'_>, arn: &str, more: &str| {
            ask(desk, &format!("Action=ListPoliciesGrantingServiceAccess&Arn={arn}{more}"), at(0))
        };
        let s3 = "&ServiceNamespaces.member.1=s3";
        let answer = list(desk, GROUP, s3).unwrap();
        assert_eq!(
            element(&answer, "PoliciesGrantingServiceAccess"),
            Some(
                "<member><ServiceNamespace>s3</ServiceNamespace><Policies><member><PolicyName>\
                 AmazonS3ReadOnlyAccess</PolicyName><PolicyType>MANAGED</PolicyType><PolicyArn>\
                 arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess</PolicyArn></member></Policies>\
                 </member>"
            )
        );
        let policy = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
        assert_eq!(list(desk, policy, s3), Err("InvalidInput"));
        assert_eq!(list(desk, GROUP, "&ServiceNamespaces.member.1=none"), Err("InvalidInput"));
        // More than a page, each once, in the order in which they were asked for.
        let catalog = Catalog::embedded();
        let namespaces: Vec<&str> = catalog
            .services()
            .iter()
            .filter(|service| service.listed)
            .map(|service| service.namespace.as_str())
            .take(150)
            .collect();
        let asked: String = namespaces
            .iter()
            .rev()
            .enumerate()
            .map(|(at, it)| format!("&ServiceNamespaces.member.{}={it}", at + 1))
            .collect();
        let first = list(desk, GROUP, &asked).unwrap();
        let marker = element(&first, "Marker").unwrap();
        let second = list(desk, GROUP, &format!("{asked}&Marker={marker}")).unwrap();
        assert_eq!(element(&second, "IsTruncated"), Some("false"));
        let told: Vec<String> = [first.clone(), second]
            .iter()
            .flat_map(|page| page.split("<ServiceNamespace>").skip(1).map(str::to_owned))
            .map(|rest| rest.split_once('<').unwrap().0.to_owned())
            .collect();
        assert_eq!(told, namespaces.iter().rev().copied().collect::<Vec<_>>());
    });
}

fn stored(directory: &Path) -> Jobs {
    let Opened { store, jobs, set_aside } = Store::open(directory).unwrap();
    assert!(set_aside.is_empty(), "{set_aside:?}");
    Jobs::stored(store, jobs)
}

#[test]
fn jobs_outlive_the_program_and_keep_their_answers() {
    let (world, directory) = (World::new(), tempfile::tempdir().unwrap());
    let ask_both = |desk: &mut Desk<'_>, organizations: &str, service: &str, now| {
        let one = format!("Action=GetOrganizationsAccessReport&JobId={organizations}&MaxItems=3");
        let other = format!("Action=GetServiceLastAccessedDetails&JobId={service}");
        [one, other].map(|get| {
            let answer = ask(desk, &get, now).unwrap();
            answer.split_once("<ResponseMetadata>").unwrap().0.to_owned()
        })
    };
    let (organizations, service, before) = world.with_desk(stored(directory.path()), |desk| {
        let organizations = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let service = generate(desk, &service_job(GROUP), at(0)).unwrap();
        let before = ask_both(desk, &organizations, &service, at(0));
        (organizations, service, before)
    });
    world.with_desk(stored(directory.path()), |desk| {
        assert_eq!(ask_both(desk, &organizations, &service, at(100)), before);
        // A request within the minute finds its job, too.
        assert_eq!(generate(desk, &organizations_job(ROOT), at(30)).unwrap(), organizations);
    });
}

#[test]
fn a_job_that_finds_other_facts_is_answered_anew_and_says_when() {
    let (mut world, directory) = (World::new(), tempfile::tempdir().unwrap());
    let (organizations, group, role) = world.with_desk(stored(directory.path()), |desk| {
        let organizations = generate(desk, &organizations_job(ROOT), at(0)).unwrap();
        let group = generate(desk, &service_job(GROUP), at(0)).unwrap();
        let role = generate(desk, &service_job(ROLE), at(0)).unwrap();
        (organizations, group, role)
    });
    world.ledger = Ledger::default();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    world.identities = Identities::load(&testdata.join("identities/666666666666.json")).unwrap();
    world.with_desk(stored(directory.path()), |desk| {
        let get = format!("Action=GetOrganizationsAccessReport&JobId={organizations}");
        let answer = ask(desk, &get, at(100)).unwrap();
        assert_eq!(element(&answer, "JobCreationDate"), Some("2026-05-28T20:26:40.123Z"));
        assert_eq!(element(&answer, "JobCompletionDate"), Some("2026-05-28T20:28:20.123Z"));
        assert!(!answer.contains("LastAuthenticatedTime"));
        assert_eq!(ask(desk, &get, at(200)).unwrap().len(), answer.len());
        // It is gone with its account's snapshot.
        let get = format!("Action=GetServiceLastAccessedDetails&JobId={group}");
        let failed = ask(desk, &get, at(100)).unwrap();
        assert_eq!(element(&failed, "JobStatus"), Some("FAILED"));
        assert_eq!(element(element(&failed, "Error").unwrap(), "Code"), Some("NoSuchEntity"));
        let get = format!("Action=GetServiceLastAccessedDetails&JobId={role}");
        assert_eq!(element(&ask(desk, &get, at(100)).unwrap(), "JobStatus"), Some("COMPLETED"));
    });
    // Another organization knows none of its jobs' entities.
    let elsewhere = Organization::flat(["555555555555"]);
    let known = std::mem::replace(&mut world.organization, elsewhere);
    world.with_desk(stored(directory.path()), |desk| {
        let get = format!("Action=GetOrganizationsAccessReport&JobId={organizations}");
        let failed = ask(desk, &get, at(250)).unwrap();
        assert_eq!(element(&failed, "JobStatus"), Some("FAILED"));
        let details = element(&failed, "ErrorDetails").unwrap();
        assert_eq!(element(details, "Code"), Some("INVALID_ORGANIZATIONS_ENTITY_PATH"));
    });
    world.organization = known;
    // What was answered anew is not answered anew again.
    world.with_desk(stored(directory.path()), |desk| {
        let get = format!("Action=GetOrganizationsAccessReport&JobId={organizations}");
        let answer = ask(desk, &get, at(300)).unwrap();
        assert_eq!(element(&answer, "JobCompletionDate"), Some("2026-05-28T20:28:20.123Z"));
    });
}
