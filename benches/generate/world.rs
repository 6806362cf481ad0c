//! Who is there: accounts with their roles, users, resources, Regions and services. Does not know
//! how a record looks.

use std::collections::BTreeSet;

use crate::calls::{Service, services};
use crate::draw::Draw;
use crate::template::{Template, word};

const REGIONS: &[&str] = &[
    "us-east-1",
    "eu-central-1",
    "us-west-2",
    "eu-west-1",
    "us-east-2",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-north-1",
    "ca-central-1",
    "sa-east-1",
    "ap-south-1",
    "us-west-1",
];

const ROLE_NAMES: &[&str] = &[
    "app",
    "ci",
    "eks-node",
    "lambda",
    "terraform",
    "batch",
    "glue",
    "karpenter",
    "etl-worker",
    "OrganizationAccountAccessRole",
    "security-audit",
    "stacksets-exec",
    "data-pipeline",
];

const USER_NAMES: &[&str] =
    &["deploy", "backup", "alice@example.com", "bob", "ci-runner", "legacy.app", "smtp+billing"];

/// The agents of sessions; `<source>` is the called service.
pub(crate) const AGENTS: &[&str] = &[
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#arm64 api/<source>#1.77.0 m/E,g",
    "Boto3/1.37.18 md/Botocore#1.37.18 ua/2.1 os/linux#6.1.129-138.220.amzn2023.aarch64 md/arch#aarch64 lang/python#3.13.2 md/pyimpl#CPython exec-env/AWS_Lambda_python3.13 cfg/retry-mode#standard Botocore/1.37.18",
    "aws-cli/2.25.5 md/awscrt#0.23.8 ua/2.1 os/macos#24.3.0 md/arch#arm64 lang/python#3.12.9 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#<source>.describe",
    "aws-sdk-java/2.31.1 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.234 lang/java#21.0.6 md/OpenJDK_64-Bit_Server_VM#21.0.6+7-LTS md/vendor#Amazon.com_Inc. md/en exec-env/AWS_ECS_FARGATE m/D,N",
    "APN/1.0 HashiCorp/1.0 Terraform/1.11.2 (+https://www.terraform.io) terraform-provider-aws/5.91.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 api/<source>#1.40.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.782 Linux/5.10.234 OpenJDK_64-Bit_Server_VM/25.442 cfg/retry-mode/standard \\\"console\\\"]",
    "scanner/2.0 (\\\"eventSource\\\":\\\"agent.amazonaws.com\\\",\\\"eventTime\\\":\\\"2034-04-04T04:04:04Z\\\") path C:\\\\tools\\\\",
    "aws-sdk-rust/1.3.5 ua/2.1 api/<source>/1.80.0 os/linux lang/rust/1.85.0 m/E",
];

/// Of so many roles of a thousand there is no event, where there are very many.
const UNUSED: u64 = 120;

/// Where the browser stands in `AGENTS`.
pub(crate) const BROWSER: usize = 5;

/// An organization that is logged.
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
    pub(crate) services: Vec<Service>,
    pub(crate) agents: Vec<Template>,
    /// How busy each account is, added up.
    pub(crate) account_sums: Vec<u64>,
}

/// An account of the organization.
pub(crate) struct Account {
    /// Twelve digits, of which the first may be zero.
    pub(crate) id: String,
    /// At least one.
    pub(crate) roles: Vec<Role>,
    /// How its sessions are spread over its roles; without, evenly.
    pub(crate) spread: Option<Spread>,
    pub(crate) users: Vec<User>,
    pub(crate) buckets: Vec<String>,
    pub(crate) functions: Vec<String>,
    pub(crate) tables: Vec<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) regions: Vec<&'static str>,
    pub(crate) region_sums: Vec<u64>,
    /// The services it uses: indices into those of the world.
    pub(crate) services: Vec<usize>,
    pub(crate) service_sums: Vec<u64>,
}

/// How the sessions of an account are spread over very many roles: the first make most of the
/// events, most make a handful, some make none.
pub(crate) struct Spread {
    /// How busy each role is, added up.
    sums: Vec<u64>,
    /// The roles that make events: indices.
    pub(crate) used: Vec<usize>,
}

/// A role.
pub(crate) struct Role {
    pub(crate) name: String,
    /// Between the slashes behind `role/`.
    pub(crate) path: &'static str,
    pub(crate) id: String,
}

/// A user.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: String,
}

impl World {
    /// Makes an organization of so many accounts. With a number of roles it has so many, but at
    /// least one an account; without, each account has a few dozen.
    pub(crate) fn new(seed: u64, accounts: u64, roles: Option<u64>) -> Self {
        let services = services();
        let mut draw = Draw::new(seed, u64::MAX);
        let mut ids = BTreeSet::new();
        while (ids.len() as u64) < accounts {
            ids.insert(draw.below(1_000_000_000_000));
        }
        let mut accounts: Vec<Account> =
            ids.iter().map(|id| Account::new(&mut draw, *id, &services)).collect();
        if let Some(count) = roles {
            share_roles(&mut accounts, count, &mut Draw::new(seed, u64::MAX - 4));
        }
        // A few accounts make most of the events.
        let account_sums = sums((1..=accounts.len() as u64).map(|rank| 1_000_000 / rank));
        let agents = AGENTS.iter().map(|agent| Template::read(agent, "agent")).collect();
        Self { accounts, services, agents, account_sums }
    }
}

impl Account {
    fn new(draw: &mut Draw, number: u64, services: &[Service]) -> Self {
        let id = format!("{number:012}");
        let kept = 300 + draw.below(650);
        let used: Vec<usize> =
            (0..services.len()).filter(|at| *at < 4 || draw.per_mille(kept)).collect();
        let service_sums = sums(used.iter().map(|at| {
            let weight = services.get(*at).expect("an index").weight;
            weight * (50 + draw.below(150))
        }));
        let mut regions = vec!["us-east-1"];
        regions.extend(REGIONS.iter().skip(1).filter(|_| draw.per_mille(300)));
        let region_sums = sums((1..=regions.len() as u64).map(|rank| 1000 / rank));
        let buckets = (0..6).map(|_| format!("{}-{id}-{}", word(draw), draw.name(4))).collect();
        Self {
            roles: (0..8 + draw.below(50)).map(|at| role(draw, at)).collect(),
            users: (0..1 + draw.below(14)).map(|at| user(draw, at)).collect(),
            spread: None,
            buckets,
            functions: (0..8).map(|at| format!("{}-{at}", word(draw))).collect(),
            tables: (0..8).map(|at| format!("{}_{at}", word(draw))).collect(),
            keys: (0..5).map(|_| uuid(draw)).collect(),
            regions,
            region_sums,
            services: used,
            service_sums,
            id,
        }
    }
}

impl Account {
    /// Returns one of the roles.
    pub(crate) fn role(&self, draw: &mut Draw) -> &Role {
        match &self.spread {
            Some(spread) if !spread.used.is_empty() => {
                self.roles.get(draw.weighted(&spread.sums)).expect("an index")
            }
            _ => draw.pick(&self.roles),
        }
    }
}

impl Role {
    /// Returns the ARN of the role in its account.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:role/{}{}", self.path, self.name)
    }
}

impl User {
    /// Returns the ARN of the user in its account.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:user/{}", self.name)
    }
}

/// Gives the accounts so many roles in all, the first ones more, and says how busy each is.
fn share_roles(accounts: &mut [Account], count: u64, draw: &mut Draw) {
    let left = count.saturating_sub(accounts.len() as u64);
    let shares = sums((0..accounts.len() as u64).map(|rank| 1_000_000 / (rank + 20)));
    let whole = shares.last().copied().unwrap_or(1);
    let mut before = 0;
    for (account, share) in accounts.iter_mut().zip(shares) {
        let upto = left * share / whole;
        let own = 1 + upto - before;
        before = upto;
        account.roles.truncate(usize::try_from(own).expect("a number of roles"));
        let known = account.roles.len() as u64;
        account.roles.extend((known..own).map(|at| role(draw, at)));
        let busy: Vec<u64> = (1..=own)
            .map(|rank| if draw.per_mille(UNUSED) { 0 } else { 1_000_000 / rank })
            .collect();
        let used = (0..).zip(&busy).filter(|(_, busy)| **busy > 0).map(|(at, _)| at).collect();
        account.spread = Some(Spread { sums: sums(busy.into_iter()), used });
    }
}

fn role(draw: &mut Draw, at: u64) -> Role {
    let mut id = "AROA".to_owned();
    draw.id(&mut id, 17);
    let (name, path) = match draw.below(10) {
        0 => (format!("AWSServiceRoleForService{at}"), "aws-service-role/service.amazonaws.com/"),
        1 => {
            let mut name = format!("AWSReservedSSO_Permissions{at}_");
            draw.hex(&mut name, 16);
            (name, "aws-reserved/sso.amazonaws.com/")
        }
        2 => (format!("{}-{at}", draw.pick(ROLE_NAMES)), "service-role/"),
        _ => (format!("{}-{at}", draw.pick(ROLE_NAMES)), ""),
    };
    Role { name, path, id }
}

fn user(draw: &mut Draw, at: u64) -> User {
    let mut id = "AIDA".to_owned();
    draw.id(&mut id, 17);
    User { name: format!("{}{at}", draw.pick(USER_NAMES)), id }
}

fn uuid(draw: &mut Draw) -> String {
    let mut out = String::new();
    draw.uuid(&mut out);
    out
}

fn sums(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    weights
        .scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
