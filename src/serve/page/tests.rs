//! Pages of the made-up organization: every link leads on, nothing breaks out of its place, tables
//! say what the reports say.

mod world;

use std::collections::{BTreeSet, VecDeque};

use super::*;
use crate::organization::EntityKind;
use crate::report::organizations::{Attachments, Query, UnusedIamRegion};
use crate::report::page::SortKey;
use world::{World, hrefs, namespaces, testdata, text, visit};

const PRODUCTION: &str = "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-product01";
const GROUP: &str = "arn:aws:iam::555555555555:group/engineers";

/// Returns what a page says, which must be there.
fn body(get: &mut dyn FnMut(&str) -> Page, address: &str) -> String {
    let page = get(address);
    let body = String::from_utf8(page.body).unwrap();
    assert_eq!(page.status, 200, "{address}: {body}");
    body
}

/// Follows every link from the root on, but of tables in many orders and of services in many
/// reports only some.
fn crawl(get: &mut dyn FnMut(&str) -> Page, look: &mut dyn FnMut(&str, &str)) -> usize {
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut open = VecDeque::from(["/".to_owned()]);
    while let Some(address) = open.pop_front() {
        let body = body(get, &address);
        look(&address, &body);
        if address.contains("sort=") || address.ends_with(".css") {
            continue;
        }
        for href in hrefs(&body) {
            let (to, fragment) = href.split_once('#').unwrap_or((&href, ""));
            let is_here = to.is_empty() && !fragment.is_empty();
            assert!(!is_here || body.contains(&format!("id=\"{fragment}\"")), "{address}: {href}");
            let service = to.split("service=").nth(1).unwrap_or("s3");
            let is_some = matches!(service, "s3" | "iam" | "kms") || seen.len() % 50 == 0;
            if !to.is_empty() && is_some && seen.insert(to.to_owned()) {
                open.push_back(to.to_owned());
            }
        }
    }
    seen.len()
}

#[test]
fn every_link_on_every_page_leads_to_a_page() {
    World::made_up().serve(|_, get| {
        let pages = crawl(get, &mut |_, _| ());
        assert!(pages > 500, "{pages}");
    });
}

#[test]
fn every_page_says_what_it_rests_on() {
    World::made_up().serve(|facts, get| {
        let records = &facts.coverage.records;
        let counted = format!(" records = {} counted + ", records.counted);
        crawl(get, &mut |address, body| {
            assert!(body.contains(&counted) || address == "/style.css", "{address}");
        });
        for missing in ["/nothing", "/identity?arn=x", "/?entity=o-exampleorgid/r-none"] {
            let page = get(missing);
            assert!(String::from_utf8(page.body).unwrap().contains(&counted), "{missing}");
        }
    });
}

#[test]
fn pages_need_no_script_no_style_of_their_own_and_nothing_from_outside() {
    World::hostile().serve(|_, get| {
        let mut pages = 0;
        crawl(get, &mut |address, body| {
            pages += 1;
            if address == "/style.css" {
                return;
            }
            // What a form sends again stays as it is, out of sight.
            let mut shown: Vec<&str> = body.split(" value=\"").collect();
            for part in shown.iter_mut().skip(1) {
                *part = part.split_once('"').unwrap().1;
            }
            let shown = shown.concat();
            for forbidden in ["<script", "<style", " style=", "<img", "\u{202e}", "\u{1b}"] {
                assert!(!shown.contains(forbidden), "{address}: {forbidden:?}");
            }
            for href in hrefs(body) {
                let is_own = href.starts_with('/') && !href.starts_with("//");
                assert!(is_own || href.starts_with('#'), "{address}: {href}");
            }
            let tags = |open: &str| body.matches(open).count();
            assert_eq!(tags("<table"), tags("</table>"), "{address}");
            assert_eq!(tags("<h1"), 1, "{address}");
        });
        assert!(pages > 20, "{pages}");
        let root = body(get, "/");
        assert!(root.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{root}");
        assert!(root.contains("\\u{202e}"), "{root}");
    });
}

#[test]
fn what_is_asked_in_a_wrong_way_is_a_page_that_says_so() {
    World::made_up().serve(|_, get| {
        for (address, status) in [
            ("/nothing", 404),
            ("/policy/", 404),
            ("/policy/p-nothing1", 404),
            ("/policy/%ff", 404),
            ("/?entity=o-exampleorgid/r-ex4m/ou-ex4m-none0001", 404),
            ("/?entity=o-anotherorg1/r-ex4m", 400),
            ("/?entity=<script>", 400),
            ("/?sort=nothing", 400),
            ("/?sort=-descending", 400),
            ("/?older=soon", 400),
            ("/?older=-1", 400),
            ("/?older=99999999999999", 400),
            ("/?only=some", 400),
            ("/service", 400),
            ("/service?service=nothing", 404),
            ("/entities?below=nothing", 404),
            ("/entities?kind=policy", 400),
            ("/identity", 400),
            ("/identity?arn=arn:aws:iam::555555555555:role/nobody-knows", 404),
            ("/identity?arn=arn:aws:s3:::a-bucket-of-somebody", 400),
            ("/identity/service?arn=arn:aws:iam::555555555555:role/web&service=nothing", 404),
            ("/identities?kind=root", 400),
            ("/identities?page=two", 400),
            ("/coverage/nothing", 404),
        ] {
            let page = get(address);
            assert_eq!(page.status, status, "{address}");
            let body = String::from_utf8(page.body).unwrap();
            assert!(body.contains("<h1>") && body.ends_with("</html>"), "{address}");
            assert!(!body.contains("<script"), "{address}");
        }
        for beyond in ["/identities?page=4294967295", "/entities?page=0", "/?older=4294967295"] {
            assert_eq!(get(beyond).status, 200, "{beyond}");
        }
    });
}

#[test]
fn a_report_that_fails_says_so_in_iams_words() {
    World::made_up().serve(|_, get| {
        let page = get("/?entity=o-exampleorgid/r-ex4m/ou-ex4m-none0001");
        let said = text(&page);
        assert!(said.contains("INVALID_ORGANIZATIONS_ENTITY_PATH: The entity with the"), "{said}");
        let said = text(&get("/policy/p-nothing1"));
        assert!(said.contains("INVALID_ORGANIZATIONS_POLICY: The policy with the"), "{said}");
    });
}

#[test]
fn without_a_snapshot_of_identities_the_pages_on_them_say_what_to_do() {
    World::without_snapshots().serve(|_, get| {
        for path in ["/identities", "/identity?arn=x", "/identity/actions?arn=x"] {
            let page = get(path);
            assert_eq!(page.status, 404, "{path}");
            assert!(text(&page).contains("--identities PATH"), "{path}");
        }
        let root = body(get, "/");
        assert!(!root.contains("href=\"/identities\""));
        assert!(root.contains("no policy is applied, every service is listed"), "{root}");
        crawl(get, &mut |_, _| ());
    });
}

#[test]
fn o7_tables_stand_in_the_order_of_the_report() {
    let world = World::made_up();
    world.serve_with(|facts, reporters, now| {
        for (index, entity) in facts.organization.entities() {
            for (sort, sort_key) in [
                ("namespace", SortKey::ServiceNamespaceAscending),
                ("namespace-descending", SortKey::ServiceNamespaceDescending),
                ("last-access", SortKey::LastAuthenticatedTimeAscending),
                ("last-access-descending", SortKey::LastAuthenticatedTimeDescending),
            ] {
                let job = JobDates { creation: now, completion: now };
                let query = Query {
                    entity_path: &entity.path,
                    policy_id: None,
                    attachments: Attachments::AtOrBelow,
                    sort_key,
                    page: crate::report::page::Page::default(),
                    unused_iam_region: UnusedIamRegion::Absent,
                    job,
                };
                let report = reporters.organizations.report_of(index, &query).unwrap();
                let report = report.outcome.unwrap();
                let rows = report.access_details.iter();
                let expected: Vec<&str> = rows.map(|row| row.service_namespace).collect();
                let address = format!("/?entity={}&sort={sort}", entity.path);
                let body =
                    text(&page(facts, reporters, Attachments::AtOrBelow, &visit(&address), now));
                assert_eq!(namespaces(&body), expected, "{address}");
                let counts = format!("{} never accessed", report.services_not_accessed);
                assert!(body.contains(&counts), "{address}");
            }
        }
    });
}

#[test]
fn descending_is_the_reverse_in_every_column() {
    World::made_up().serve(|_, get| {
        for column in ["service", "namespace", "last-access", "region", "account", "accounts"] {
            let mut ascending = namespaces(&body(get, &format!("/?sort={column}")));
            let descending = namespaces(&body(get, &format!("/?sort={column}-descending")));
            assert!(ascending.len() > 5);
            ascending.reverse();
            assert_eq!(ascending, descending, "{column}");
        }
    });
}

#[test]
fn a_filter_leaves_some_of_the_rows_in_their_order() {
    World::made_up().serve(|_, get| {
        for path in [format!("/?entity={PRODUCTION}"), format!("/identity?arn={GROUP}")] {
            for sort in ["namespace", "last-access-descending"] {
                let all = namespaces(&body(get, &format!("{path}&sort={sort}")));
                for filter in
                    ["find=s", "find=AMAZON", "only=unused", "only=used", "older=60", "older=0"]
                {
                    let some = namespaces(&body(get, &format!("{path}&sort={sort}&{filter}")));
                    let mut rest = all.iter();
                    assert!(some.iter().all(|row| rest.any(|it| it == row)), "{filter}");
                }
                let used = namespaces(&body(get, &format!("{path}&sort={sort}&only=used")));
                let unused = namespaces(&body(get, &format!("{path}&sort={sort}&only=unused")));
                assert_eq!(used.len() + unused.len(), all.len());
                let old = namespaces(&body(get, &format!("{path}&sort={sort}&older=60")));
                assert!(unused.iter().all(|row| old.contains(row)), "never is older than anything");
            }
        }
        let none = body(get, "/?find=nothing-has-this-name");
        assert!(none.contains("No service fits the filter."));
    });
}

#[test]
fn rows_say_never_or_how_long_ago_and_by_whom() {
    World::made_up().serve(|_, get| {
        let said = body(get, &format!("/?entity={PRODUCTION}&find=cloudtrail"));
        assert!(said.contains("<span class=\"never\">never in this period</span>"), "{said}");
        let said = body(get, &format!("/?entity={PRODUCTION}&find=athena"));
        let access = "<span class=\"age\">19 days before the end</span> \
                      <time datetime=\"2026-01-12T10:11:00Z\">2026-01-12 10:11:00</time>";
        assert!(said.contains(access), "{said}");
        assert!(said.contains("shop-prod <span class=\"id\">555555555555</span>"), "{said}");
        let said = body(get, &format!("/identity?arn={GROUP}&find=ec2"));
        assert!(said.contains(">user/bob</a>"), "{said}");
    });
}

#[test]
fn i5_who_used_a_service_stands_on_its_page_with_its_actions() {
    World::made_up().serve(|_, get| {
        let said = body(get, &format!("/identity/service?arn={GROUP}&service=iam"));
        for expected in ["user/bob", "user/eng/ivy", "Latest attempt", "<code>iam:", "Event id"] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    });
}

#[test]
fn new_and_unread_are_not_shown_as_unused() {
    World::made_up().serve(|facts, get| {
        let start = facts.start().unwrap();
        let mut seen = BTreeSet::new();
        for (_, entity) in facts.organization.entities() {
            let read = facts.coverage.accounts.get(&entity.id);
            let said = body(get, &format!("/?entity={}", entity.path));
            if entity.kind != EntityKind::Account {
                continue;
            }
            let is_silent = read.is_none();
            assert_eq!(said.contains("No event of this account was read."), is_silent);
            let is_new = read.and_then(|it| it.first).is_some_and(|it| it.day() > start.day());
            assert_eq!(said.contains("New is not unused."), is_new, "{}", entity.path);
            seen.extend([(is_silent, is_new)]);
        }
        assert_eq!(seen.len(), 3, "accounts of each kind: {seen:?}");
        let (identities, _) = facts.identities.unwrap();
        for (_, identity) in identities.identities() {
            let is_new = crate::report::service::is_younger(identity.create_date, Some(start));
            let said = body(get, &format!("/identity?arn={}", identity.arn));
            assert_eq!(said.contains("Younger than the period"), is_new, "{}", identity.arn);
        }
    });
}

#[test]
fn pages_on_a_large_organization_stay_small() {
    World::large().serve(|facts, get| {
        let account = facts.organization.entities().last().unwrap().1;
        for address in [
            "/",
            "/entities",
            "/entities?kind=account&page=50",
            "/identities",
            "/identities?kind=role&page=100&sort=last-activity-descending",
            "/coverage",
            "/coverage/accounts-without-events?page=3",
            "/policies",
            &format!("/?entity={}", account.path),
        ] {
            let page = get(address);
            assert_eq!(page.status, 200, "{address}");
            assert!(page.body.len() < 300_000, "{address}: {}", page.body.len());
        }
        let found = body(get, "/entities?find=account-04321");
        assert!(found.contains("1 entity"), "{found}");
        let found = body(get, "/identities?find=role-09876");
        assert!(found.contains("1 identity"), "{found}");
        let root = body(get, "/");
        assert!(root.contains("All 50 units") && !root.contains(&account.path), "{root}");
    });
}

#[test]
fn the_sheet_of_styles_asks_for_nothing() {
    let style = World::made_up().serve(|_, get| body(get, "/style.css"));
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(testdata("").ends_with("testdata/"));
}
