//! How long it takes to compile an organization's policies and to evaluate every account's chain.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use trailfold::catalog::Catalog;
use trailfold::policy::{Evaluator, Policy};

const POLICIES: usize = 500;
const CHAINS: usize = 5_000;

/// A small generator of numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    fn of<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        let at = self.below(values.len());
        values.get(at).expect("an index below the length")
    }
}

/// Makes policies like those of real organizations: everything is allowed, or a list of services,
/// or all but some; roles, trails and buckets are protected; Regions are closed by condition.
fn policies(catalog: &Catalog) -> Vec<Policy> {
    let namespaces: Vec<&str> =
        catalog.listed().iter().map(|it| catalog.service(it).namespace.as_str()).collect();
    let mut numbers = Numbers(7);
    (0..POLICIES)
        .map(|at| {
            let services: Vec<String> =
                (0..20).map(|_| format!("{}:*", numbers.of(&namespaces))).collect();
            let statements = match at % 6 {
                0 => json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
                1 => json!({"Effect": "Allow", "Action": services, "Resource": "*"}),
                2 => json!([{"Effect": "Allow", "NotAction": services, "Resource": "*"}]),
                3 => json!([
                    {"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "NotAction": services, "Resource": "*", "Condition":
                        {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}},
                ]),
                4 => json!([
                    {"Effect": "Allow", "Action": ["s3:*", "*:Describe*", "*:List*"],
                        "Resource": "*"},
                    {"Effect": "Deny", "Action": "*", "Resource": [
                        format!("arn:aws:iam::*:role/protected-{at}*"),
                        format!("arn:aws:cloudtrail:*:*:trail/*-{at}"),
                        format!("arn:aws:s3:::logs-{at}-*"),
                    ]},
                ]),
                _ => json!([
                    {"Effect": "Allow", "Action": services, "Resource": "*"},
                    {"Effect": "Allow", "Action": ["s3:Get*", "s3:Put*"],
                        "Resource": format!("arn:aws:s3:::team-{at}-*/*")},
                    {"Effect": "Deny", "Action": "s3:*",
                        "NotResource": format!("arn:aws:s3:::team-*/${{aws:username}}/{at}/*")},
                ]),
            };
            let document: Value = json!({"Version": "2012-10-17", "Statement": statements});
            Policy::from_value(&document).expect("the documents are well-formed")
        })
        .collect()
}

/// Makes the chains of accounts: the root, two units, the account, two policies each.
fn chains() -> Vec<Vec<Vec<usize>>> {
    let mut numbers = Numbers(11);
    (0..CHAINS)
        .map(|account| {
            let unit = account % 100;
            vec![
                vec![0],
                vec![unit % 10 * 6, unit % 10 * 6 + 3],
                vec![unit * 6 % POLICIES, (unit * 6 + 4) % POLICIES],
                vec![numbers.below(POLICIES), numbers.below(POLICIES)],
            ]
        })
        .collect()
}

fn organization(criterion: &mut Criterion) {
    let catalog = Catalog::embedded();
    let policies = policies(catalog);
    let chains = chains();
    let mut group = criterion.benchmark_group("policy");
    group.sample_size(10);
    group.bench_function("compile 500 policies", |bencher| {
        bencher.iter(|| {
            let mut evaluator = Evaluator::new(catalog);
            for policy in &policies {
                black_box(evaluator.add(policy));
            }
        });
    });
    group.bench_function("evaluate 5000 chains", |bencher| {
        let start = || {
            let mut evaluator = Evaluator::new(catalog);
            let indices: Vec<_> = policies.iter().map(|policy| evaluator.add(policy)).collect();
            let levels: Vec<Vec<Vec<_>>> = chains
                .iter()
                .map(|chain| {
                    let levels = chain.iter();
                    let index = |at: &usize| indices.get(*at).copied();
                    levels.map(|level| level.iter().filter_map(index).collect()).collect()
                })
                .collect();
            (evaluator, levels)
        };
        bencher.iter_batched(
            start,
            |(mut evaluator, levels)| {
                let services: usize =
                    levels.iter().map(|it| evaluator.allowed_services(it).services.len()).sum();
                black_box(services)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, organization);
criterion_main!(benches);
