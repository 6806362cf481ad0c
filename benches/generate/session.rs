//! Who makes calls: the `userIdentity` of records, with the agent and the address that go with it.
//! Does not know what is called.

use std::fmt::Write as _;

use crate::calls::{Call, Kind};
use crate::draw::Draw;
use crate::template::{Scene, word, write_time};
use crate::world::{AGENTS, Account, BROWSER, Role, World};

/// Someone who makes calls, for as long as the credentials last.
pub(crate) struct Session {
    /// The object of `userIdentity`.
    pub(crate) identity: String,
    /// The `accountId` in it.
    pub(crate) caller: Option<String>,
    /// The ARN of the user or role of the organization that it is.
    pub(crate) principal: Option<String>,
    /// Whether IAM's reports count what it does, as `docs/semantics.md` has it (A1 to A19).
    pub(crate) counts: bool,
    /// How a message of an error names it.
    pub(crate) name: String,
    pub(crate) agent: Agent,
    pub(crate) address: String,
    /// Whether the event is logged in more than one account.
    pub(crate) shared: bool,
    /// Whether the credentials are those of a session in the console.
    pub(crate) console: bool,
}

/// A `userAgent`.
pub(crate) enum Agent {
    /// One of the world's.
    Known(usize),
    /// A service of AWS.
    Service(String),
}

const CALLING: &[&str] = &[
    "autoscaling.amazonaws.com",
    "cloudformation.amazonaws.com",
    "config.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "lambda.amazonaws.com",
    "s3.amazonaws.com",
];

/// Of so many records of a thousand the caller is a role that is seldom used, where there are many.
const PASSING: u64 = 50;

/// Returns someone who makes calls in the account of the scene about the time of the scene.
pub(crate) fn session(world: &World, scene: &Scene<'_>, draw: &mut Draw) -> Session {
    match draw.below(1000) {
        0..100 => service(draw),
        100..130 => stranger(world, scene, draw),
        130..135 => root(scene, draw),
        135..140 => root_for_service(scene, draw),
        140..150 => federated(scene, draw),
        150..155 => identity_center(scene, draw),
        155..270 => user(scene, draw),
        _ => assumed_role(scene, draw),
    }
}

/// Returns the session of a role that is seldom used, in a few cases: it makes one call alone.
pub(crate) fn passing(scene: &Scene<'_>, draw: &mut Draw) -> Option<Session> {
    let spread = scene.account.spread.as_ref()?;
    if spread.used.is_empty() || !draw.per_mille(PASSING) {
        return None;
    }
    let role = scene.account.roles.get(*draw.pick(&spread.used)).expect("an index");
    Some(session_of(role, scene, draw))
}

/// Returns the identity of calls that are made by no session: sign-ins, federation, services.
pub(crate) fn caller_of(call: &Call, scene: &Scene<'_>, draw: &mut Draw) -> Option<Session> {
    let account = &scene.account.id;
    match (call.kind, call.name.as_str()) {
        (Kind::SignIn, _) => {
            let user = draw.pick(&scene.account.users);
            let (name, id) = (&user.name, &user.id);
            let arn = format!("arn:aws:iam::{account}:user/{name}");
            let identity = format!(
                r#"{{"type":"IAMUser","principalId":"{id}","arn":"{arn}","accountId":"{account}","userName":"{name}"}}"#
            );
            let mut session = person(identity, Some(account.clone()), arn, draw);
            session.agent = Agent::Known(BROWSER);
            session.counts = false;
            Some(session)
        }
        (Kind::Service, _) => {
            let service = format!("{}.amazonaws.com", scene.source);
            let identity = format!(r#"{{"accountId":"{account}","invokedBy":"{service}"}}"#);
            Some(Session { caller: Some(account.clone()), ..of_service(identity, service) })
        }
        (_, "AssumeRoleWithWebIdentity") => {
            let subject = format!("system:serviceaccount:{}:{}", word(draw), word(draw));
            let provider = "arn:aws:iam::".to_owned() + account + ":oidc-provider/oidc.example.com";
            let identity = format!(
                r#"{{"type":"WebIdentityUser","principalId":"{provider}:sts.amazonaws.com:{subject}","userName":"{subject}","identityProvider":"{provider}"}}"#
            );
            Some(Session { counts: false, ..person(identity, None, subject, draw) })
        }
        (_, "AssumeRoleWithSAML") => {
            let mut key = String::new();
            draw.token(&mut key, 27);
            let name = format!("{}@example.com", word(draw));
            let identity = format!(
                r#"{{"type":"SAMLUser","principalId":"{key}=:{name}","userName":"{name}","identityProvider":"{key}="}}"#
            );
            Some(Session { counts: false, ..person(identity, None, name, draw) })
        }
        _ => None,
    }
}

fn service(draw: &mut Draw) -> Session {
    let name = (*draw.pick(CALLING)).to_owned();
    let identity = format!(r#"{{"type":"AWSService","invokedBy":"{name}"}}"#);
    Session { shared: true, ..of_service(identity, name) }
}

/// A principal of another account, inside the organization or outside, as the owner of what is
/// called sees it.
fn stranger(world: &World, scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let other = draw.pick(&world.accounts);
    if draw.per_mille(700) && other.id != scene.account.id {
        return Session { shared: true, ..assumed_role(&Scene { account: other, ..*scene }, draw) };
    }
    if other.spread.is_some() && other.id != scene.account.id && draw.per_mille(500) {
        return copied(other, draw);
    }
    let account = format!("{:012}", 9_000 + draw.below(40));
    let mut principal = draw.pick(&["AIDA", "AROA"]).to_string();
    draw.id(&mut principal, 17);
    let identity = format!(
        r#"{{"type":"AWSAccount","principalId":"{principal}:{}","accountId":"{account}"}}"#,
        word(draw)
    );
    Session { shared: true, ..person(identity, Some(account.clone()), account, draw) }
}

/// A user or role of the organization of which the owner of what is called sees no more than the id.
fn copied(account: &Account, draw: &mut Draw) -> Session {
    let (id, arn) = if draw.per_mille(200) {
        let user = draw.pick(&account.users);
        (user.id.clone(), user.arn(&account.id))
    } else {
        let role = account.role(draw);
        (format!("{}:{}", role.id, word(draw)), role.arn(&account.id))
    };
    let account = &account.id;
    let identity =
        format!(r#"{{"type":"AWSAccount","principalId":"{id}","accountId":"{account}"}}"#);
    let session = person(identity, Some(account.clone()), account.clone(), draw);
    Session { principal: Some(arn), shared: true, ..session }
}

fn root(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let account = &scene.account.id;
    let arn = format!("arn:aws:iam::{account}:root");
    let key = key("ASIA", draw);
    let attributes = attributes(scene, true, draw);
    let identity = format!(
        r#"{{"type":"Root","principalId":"{account}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{}},"webIdFederationData":{{}},{attributes}}}}}"#
    );
    let session = person(identity, Some(account.clone()), arn, draw);
    Session { agent: Agent::Known(BROWSER), console: true, ..session }
}

fn root_for_service(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let account = &scene.account.id;
    let service = (*draw.pick(CALLING)).to_owned();
    let identity = format!(
        r#"{{"type":"Root","principalId":"{account}","arn":"arn:aws:iam::{account}:root","accountId":"{account}","invokedBy":"{service}"}}"#
    );
    Session { caller: Some(account.clone()), ..of_service(identity, service) }
}

fn federated(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let (account, user) = (&scene.account.id, draw.pick(&scene.account.users));
    let (name, id) = (&user.name, &user.id);
    let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
    let key = key("ASIA", draw);
    let attributes = attributes(scene, false, draw);
    let identity = format!(
        r#"{{"type":"FederatedUser","principalId":"{account}:{name}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"IAMUser","principalId":"{id}","arn":"arn:aws:iam::{account}:user/{name}","accountId":"{account}","userName":"{name}"}},{attributes}}}}}"#
    );
    let session = person(identity, Some(account.clone()), arn, draw);
    Session { principal: Some(user.arn(account)), ..session }
}

fn identity_center(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let account = &scene.account.id;
    let mut user = String::new();
    draw.uuid(&mut user);
    let identity = format!(
        r#"{{"type":"IdentityCenterUser","principalId":"{user}","arn":"","accountId":"{account}","onBehalfOf":{{"userId":"{user}","identityStoreArn":"arn:aws:identitystore::{account}:identitystore/d-{}"}},"credentialId":"{}"}}"#,
        draw.name(10),
        draw.name(40)
    );
    Session { counts: false, ..person(identity, Some(account.clone()), user, draw) }
}

fn user(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let (account, user) = (&scene.account.id, draw.pick(&scene.account.users));
    let (name, id) = (&user.name, &user.id);
    let arn = format!("arn:aws:iam::{account}:user/{name}");
    let console = draw.per_mille(300);
    let key = key(if console { "ASIA" } else { "AKIA" }, draw);
    let context = if console {
        format!(r#","sessionContext":{{{}}}"#, attributes(scene, true, draw))
    } else {
        String::new()
    };
    let identity = format!(
        r#"{{"type":"IAMUser","principalId":"{id}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","userName":"{name}"{context}}}"#
    );
    let principal = Some(user.arn(account));
    let session = Session { principal, ..person(identity, Some(account.clone()), arn, draw) };
    if console { Session { agent: Agent::Known(BROWSER), console, ..session } } else { session }
}

fn assumed_role(scene: &Scene<'_>, draw: &mut Draw) -> Session {
    session_of(scene.account.role(draw), scene, draw)
}

fn session_of(role: &Role, scene: &Scene<'_>, draw: &mut Draw) -> Session {
    let account = &scene.account.id;
    let (name, path, id) = (&role.name, role.path, &role.id);
    let label = session_name(scene, draw);
    let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{label}");
    let key = key("ASIA", draw);
    let attributes = attributes(scene, false, draw);
    let federation = match draw.below(4) {
        0 => format!(
            r#""webIdFederationData":{{"federatedProvider":"arn:aws:iam::{account}:oidc-provider/oidc.example.com","attributes":{{}}}},"#
        ),
        1 => r#""webIdFederationData":{},"#.to_owned(),
        _ => String::new(),
    };
    let delivery = if draw.per_mille(300) { r#","ec2RoleDelivery":"2.0""# } else { "" };
    let invoker = match draw.below(12) {
        0 => r#","invokedBy":"AWS Internal""#.to_owned(),
        1 => format!(r#","invokedBy":"{}""#, draw.pick(CALLING)),
        _ => String::new(),
    };
    let identity = format!(
        r#"{{"type":"AssumedRole","principalId":"{id}:{label}","arn":"{arn}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"{id}","arn":"arn:aws:iam::{account}:role/{path}{name}","accountId":"{account}","userName":"{name}"}},{federation}{attributes}{delivery}}}{invoker}}}"#
    );
    let session = person(identity, Some(account.clone()), arn, draw);
    Session { principal: Some(role.arn(account)), ..session }
}

fn session_name(scene: &Scene<'_>, draw: &mut Draw) -> String {
    let mut name = String::new();
    match draw.below(5) {
        0 => {
            name.push_str("i-0");
            draw.hex(&mut name, 16);
        }
        1 => write!(name, "botocore-session-{}", scene.time).expect("memory"),
        2 => write!(name, "aws-go-sdk-{}{:09}", scene.time, draw.below(1_000_000_000))
            .expect("memory"),
        3 => write!(name, "{}@example.com", word(draw)).expect("memory"),
        _ => name.push_str(word(draw)),
    }
    name
}

/// Returns the member `attributes` of a session that began in the last hours.
fn attributes(scene: &Scene<'_>, mfa: bool, draw: &mut Draw) -> String {
    let mut created = String::new();
    let before = i64::try_from(draw.below(6 * 3600)).expect("hours");
    write_time(&mut created, scene.time - 3600 - before);
    format!(r#""attributes":{{"creationDate":"{created}","mfaAuthenticated":"{mfa}"}}"#)
}

fn key(prefix: &str, draw: &mut Draw) -> String {
    let mut key = prefix.to_owned();
    draw.id(&mut key, 16);
    key
}

/// Somebody outside AWS, with an agent and an address.
fn person(identity: String, caller: Option<String>, name: String, draw: &mut Draw) -> Session {
    let address = if draw.per_mille(50) {
        format!("2001:db8:{:x}::{:x}", draw.below(65_536), draw.below(65_536))
    } else {
        format!("198.18.{}.{}", draw.below(256), draw.below(256))
    };
    let agent = Agent::Known(draw.index(AGENTS.len()));
    Session {
        identity,
        caller,
        principal: None,
        counts: true,
        name,
        agent,
        address,
        shared: false,
        console: false,
    }
}

fn of_service(identity: String, service: String) -> Session {
    Session {
        identity,
        caller: None,
        principal: None,
        counts: false,
        name: service.clone(),
        agent: Agent::Service(service.clone()),
        address: service,
        shared: false,
        console: false,
    }
}
