//! From an event to an access (who used what, when), or the reason why it is none: rules A1–A24.
//!
//! One decision table, one function. It looks at one record alone: neither the name of its file
//! (A25) nor the organization (A9) nor the catalogue (A23) has a say.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;
use crate::event::{Event, Lookalike, RawIdentity, RawString, UserIdentity};
use crate::time::Time;

/// What an authenticated principal of an account attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access<'e> {
    /// `eventSource` as logged.
    pub event_source: RawString<'e>,
    /// `eventName` as logged; empty if the record has none.
    pub event_name: RawString<'e>,
    /// Whether it is a data event, which never counts at action level (A20).
    pub is_data_event: bool,
    /// `requestParameters.serviceNamespace` of a call to Auto Scaling, which tells Application
    /// Auto Scaling from EC2 Auto Scaling (C2).
    pub service_namespace: Option<Cow<'e, str>>,
    /// `eventTime`.
    pub time: Time,
    /// `awsRegion`.
    pub region: Option<RawString<'e>>,
    /// `eventID`.
    pub event_id: Option<RawString<'e>>,
    /// How AWS answered.
    pub answer: Answer,
}

/// Whose access it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor<'i> {
    /// The acting account, an opaque string: `userIdentity.accountId`.
    pub account: &'i str,
    /// Who acted, as far as the record tells.
    pub principal: Principal<'i>,
}

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal<'e> {
    /// The ARN of the user, of the role behind a session, or of the root user.
    pub arn: Option<Cow<'e, str>>,
    /// The unique id: `AIDA…` of a user, `AROA…` of a role.
    pub id: Option<&'e str>,
}

/// How AWS answered an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Without an error.
    Success,
    /// With an error that says the principal lacks the permission.
    Denied,
    /// With any other error.
    Failed,
}

/// Whether a kind of record counts, where a user may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// It counts as an access.
    #[serde(rename = "COUNTED")]
    Count,
    /// It is set aside.
    #[serde(rename = "SET_ASIDE")]
    SetAside,
}

/// The kinds of records for which a user may decide whether they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Switches {
    /// Calls of AWS services logged as the root user (A5).
    pub root_service_calls: Choice,
    /// Calls that a service makes with a role's permissions (A12).
    pub forward_access: Choice,
    /// Calls by service-linked roles (A13).
    pub service_linked_roles: Choice,
    /// Console actions (A17).
    pub console_actions: Choice,
    /// Successful console sign-ins, under the namespace `signin` (A18).
    pub console_sign_ins: Choice,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            root_service_calls: Choice::SetAside,
            forward_access: Choice::Count,
            service_linked_roles: Choice::Count,
            console_actions: Choice::Count,
            console_sign_ins: Choice::SetAside,
        }
    }
}

/// Why a record is no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Skip {
    /// A5.
    RootServiceCall,
    /// A7.
    AuthenticationFailed,
    /// A10.
    Anonymous,
    /// A11.
    AwsService,
    /// A12, where the user set it aside.
    ForwardAccess,
    /// A13, where the user set it aside.
    ServiceLinkedRole,
    /// A14.
    WebOrSamlIdentity,
    /// A15.
    NoIamPrincipal,
    /// A16.
    AwsServiceEvent,
    /// A17, where the user set it aside.
    ConsoleAction,
    /// A18.
    ConsoleSignIn,
    /// A19.
    FailedConsoleSignIn,
    /// A22.
    Insight,
    /// A22.
    Aggregated,
    /// A22.
    Digest,
    /// An AWS Config item or notification.
    Config,
    /// JSON that is none of CloudTrail's events.
    NotCloudTrail,
    /// An access outside the period of the report (P2).
    OutsidePeriod,
}

impl Skip {
    /// Every reason, in the order of the rules.
    pub const ALL: [Self; 18] = [
        Self::RootServiceCall,
        Self::AuthenticationFailed,
        Self::Anonymous,
        Self::AwsService,
        Self::ForwardAccess,
        Self::ServiceLinkedRole,
        Self::WebOrSamlIdentity,
        Self::NoIamPrincipal,
        Self::AwsServiceEvent,
        Self::ConsoleAction,
        Self::ConsoleSignIn,
        Self::FailedConsoleSignIn,
        Self::Insight,
        Self::Aggregated,
        Self::Digest,
        Self::Config,
        Self::NotCloudTrail,
        Self::OutsidePeriod,
    ];
}

/// Prints the reason in words.
impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RootServiceCall => "root service call",
            Self::AuthenticationFailed => "authentication failed",
            Self::Anonymous => "anonymous",
            Self::AwsService => "AWS service",
            Self::ForwardAccess => "forward access session",
            Self::ServiceLinkedRole => "service-linked role",
            Self::WebOrSamlIdentity => "web or SAML identity",
            Self::NoIamPrincipal => "no IAM principal",
            Self::AwsServiceEvent => "AWS service event",
            Self::ConsoleAction => "console action",
            Self::ConsoleSignIn => "console sign-in",
            Self::FailedConsoleSignIn => "failed console sign-in",
            Self::Insight => "insight",
            Self::Aggregated => "aggregated",
            Self::Digest => "digest",
            Self::Config => "Config",
            Self::NotCloudTrail => "not CloudTrail",
            Self::OutsidePeriod => "outside the period",
        })
    }
}

impl From<Lookalike> for Skip {
    fn from(lookalike: Lookalike) -> Self {
        match lookalike {
            Lookalike::Digest => Self::Digest,
            Lookalike::Config => Self::Config,
            Lookalike::Other => Self::NotCloudTrail,
        }
    }
}

/// Why an event yields no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAccess {
    /// It is none, and the rules say so.
    Skip(Skip),
    /// It would be one, but lacks what every event has.
    Malformed(&'static str),
}

impl From<Skip> for NoAccess {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

/// Decides whether `event` is an access, and whose.
///
/// `actor` tells whose by its `userIdentity`: [`actor()`] itself, or whoever remembers what that
/// said.
///
/// # Errors
///
/// [`NoAccess`] says why it is none.
#[inline]
pub fn access<'e, A>(
    event: &Event<'e>,
    switches: &Switches,
    actor: impl FnOnce(RawIdentity<'e>) -> Result<A, NoAccess>,
) -> Result<(A, Access<'e>), NoAccess> {
    kind_of_event(event, switches)?;
    if event.error_code().is_some_and(|code| is_authentication_failure(&code.decode())) {
        return Err(Skip::AuthenticationFailed.into());
    }
    let actor = actor(event.user_identity().ok_or(Skip::Anonymous)?)?;
    let time = event
        .event_time()
        .and_then(time)
        .ok_or(NoAccess::Malformed("eventTime is missing or no time"))?;
    let event_source =
        present(event.event_source()).ok_or(NoAccess::Malformed("eventSource is missing"))?;
    let access = Access {
        event_source,
        event_name: event.event_name().unwrap_or_else(|| "".into()),
        is_data_event: is_data_event(event),
        service_namespace: service_namespace(event, event_source),
        time,
        region: present(event.aws_region()),
        event_id: present(event.event_id()),
        answer: answer(event),
    };
    Ok((actor, access))
}

/// Tells whose access an event with this `userIdentity` is, should it be one, and hands it to
/// `of`.
///
/// # Errors
///
/// [`NoAccess`] says why it is none.
pub fn actor<A>(
    identity: RawIdentity<'_>,
    switches: &Switches,
    of: impl FnOnce(&Actor<'_>) -> A,
) -> Result<A, NoAccess> {
    let identity = identity.read().map_err(|_| NoAccess::Malformed("userIdentity is not JSON"))?;
    let (account, principal) = acting(&identity, switches)?;
    Ok(of(&Actor { account, principal }))
}

/// Reads an `eventTime`.
fn time(text: RawString<'_>) -> Option<Time> {
    match text.plain() {
        Some(plain) => Time::parse(plain),
        None => Time::parse(text.decode().as_bytes()),
    }
}

/// Sets aside what is no request by a principal, whoever it names.
fn kind_of_event(event: &Event<'_>, switches: &Switches) -> Result<(), Skip> {
    let is_usual = event.event_type().is_none_or(|it| it.is("AwsApiCall"))
        && event.event_category().is_none_or(|it| it.is("Management"))
        && !event.has_insight_details()
        && !event.event_name().is_some_and(|it| it.is("ConsoleLogin"));
    if is_usual {
        return Ok(());
    }
    let is_type = |name| event.event_type().is_some_and(|it| it.is_ignoring_case(name));
    let is_category = |name| event.event_category().is_some_and(|it| it.is_ignoring_case(name));
    if event.has_insight_details() || is_type("AwsCloudTrailInsight") || is_category("Insight") {
        return Err(Skip::Insight);
    }
    if is_type("AwsAggregatedEvent") || is_category("Aggregated") {
        return Err(Skip::Aggregated);
    }
    if is_type("AwsServiceEvent") {
        return Err(Skip::AwsServiceEvent);
    }
    if is_type("AwsConsoleAction") && switches.console_actions == Choice::SetAside {
        return Err(Skip::ConsoleAction);
    }
    let is_console_login = event.event_name().is_some_and(|it| it.is("ConsoleLogin"))
        && event.event_source().is_some_and(|it| it.is("signin.amazonaws.com"));
    if is_type("AwsConsoleSignIn") || is_console_login {
        if sign_in_failed(event) {
            return Err(Skip::FailedConsoleSignIn);
        }
        if switches.console_sign_ins == Choice::SetAside {
            return Err(Skip::ConsoleSignIn);
        }
    }
    Ok(())
}

/// A failed sign-in often has no `errorCode`, only its answer or a message.
fn sign_in_failed(event: &Event<'_>) -> bool {
    let answer = event
        .response_elements()
        .and_then(|elements| event.event_name().and_then(|name| elements.string(&name.decode())));
    present(event.error_code()).is_some()
        || present(event.error_message()).is_some()
        || answer.is_some_and(|answer| answer.eq_ignore_ascii_case("Failure"))
}

/// Returns whether an error says that the request was not authenticated (A7).
fn is_authentication_failure(error_code: &str) -> bool {
    let code = error_code.strip_prefix("Client.").unwrap_or(error_code);
    code.starts_with("ExpiredToken")
        || matches!(
            code.strip_suffix("Exception").unwrap_or(code),
            "InvalidClientTokenId"
                | "UnrecognizedClient"
                | "SignatureDoesNotMatch"
                | "InvalidSignature"
                | "IncompleteSignature"
                | "MissingAuthenticationToken"
                | "AuthFailure"
                | "RequestExpired"
                | "TokenRefreshRequired"
                | "InvalidIdentityToken"
        )
}

/// Returns whose access it is: the acting account and, as far as it is known, the principal.
fn acting<'e>(
    identity: &'e UserIdentity<'_>,
    switches: &Switches,
) -> Result<(&'e str, Principal<'e>), Skip> {
    let is_anonymous = [&identity.account_id, &identity.principal_id]
        .into_iter()
        .filter_map(text)
        .any(|id| matches!(id, "anonymous" | "ANONYMOUS_PRINCIPAL"));
    if is_anonymous {
        return Err(Skip::Anonymous);
    }
    let arn = text(&identity.arn);
    let account = account(identity).ok_or(Skip::Anonymous);
    let id = text(&identity.principal_id).map(unique_id);
    match identity.identity_type.as_deref().unwrap_or_default() {
        "AWSService" => Err(Skip::AwsService),
        "SAMLUser" | "WebIdentityUser" => Err(Skip::WebOrSamlIdentity),
        "IAMUser" => Ok((account?, Principal { arn: arn.map(Cow::Borrowed), id })),
        "AssumedRole" | "Role" => Ok((account?, role(identity, switches)?)),
        "FederatedUser" => Ok((account?, federated_by(identity))),
        "Root" => {
            let is_service_call = text(&identity.invoked_by).is_some()
                && text(&identity.access_key_id).is_none()
                && !identity.has_session_context;
            if is_service_call && switches.root_service_calls == Choice::SetAside {
                return Err(Skip::RootServiceCall);
            }
            let account = account?;
            let arn = arn
                .map_or_else(|| Cow::Owned(format!("arn:aws:iam::{account}:root")), Cow::Borrowed);
            Ok((account, Principal { arn: Some(arn), id: None }))
        }
        "AWSAccount" => {
            let account = text(&identity.account_id).ok_or(Skip::Anonymous)?;
            Ok((account, Principal { arn: None, id: id.filter(|id| *id != account) }))
        }
        _ => other_type(identity, account, switches),
    }
}

/// `IdentityCenterUser`, `Directory`, `Unknown`, a type yet unknown, none at all: only the ARN of
/// an IAM user, a role, a role's session or the root user makes it a principal (A15).
fn other_type<'e>(
    identity: &'e UserIdentity<'_>,
    account: Result<&'e str, Skip>,
    switches: &Switches,
) -> Result<(&'e str, Principal<'e>), Skip> {
    let text_of_arn = text(&identity.arn);
    let arn = text_of_arn.and_then(Arn::parse);
    let kind = arn.map(|arn| (arn.service, arn.resource));
    let principal = match kind {
        Some(("iam", "root")) => Principal { arn: text_of_arn.map(Cow::Borrowed), id: None },
        Some(("iam", resource)) if resource.starts_with("user/") => Principal {
            arn: text_of_arn.map(Cow::Borrowed),
            id: text(&identity.principal_id).map(unique_id),
        },
        Some(("iam", resource)) if resource.starts_with("role/") => role(identity, switches)?,
        Some(("sts", resource)) if resource.starts_with("assumed-role/") => {
            role(identity, switches)?
        }
        _ => {
            let has_type = text(&identity.identity_type).is_some_and(|kind| kind != "Unknown");
            return Err(if account.is_err() && text_of_arn.is_none() && !has_type {
                Skip::Anonymous
            } else {
                Skip::NoIamPrincipal
            });
        }
    };
    Ok((account?, principal))
}

/// Returns the acting account: `accountId`, else the one that an ARN of the identity names.
fn account<'e>(identity: &'e UserIdentity<'_>) -> Option<&'e str> {
    let of_arn = |arn: &'e Option<Cow<'_, str>>| {
        text(arn).and_then(Arn::parse).map(|arn| arn.account).filter(|account| !account.is_empty())
    };
    text(&identity.account_id).or_else(|| of_arn(&identity.arn)).or_else(|| {
        let issuer = identity.session_issuer.as_ref()?;
        text(&issuer.account_id).or_else(|| of_arn(&issuer.arn))
    })
}

/// Returns the role behind a session (A2, A12, A13).
fn role<'e>(identity: &'e UserIdentity<'_>, switches: &Switches) -> Result<Principal<'e>, Skip> {
    if text(&identity.invoked_by).is_some() && switches.forward_access == Choice::SetAside {
        return Err(Skip::ForwardAccess);
    }
    let issuer = identity.session_issuer.as_ref();
    let arn = issuer
        .and_then(|issuer| text(&issuer.arn))
        .map(Cow::Borrowed)
        .or_else(|| text(&identity.arn).map(role_of_session));
    let is_service_linked = arn
        .as_deref()
        .and_then(Arn::parse)
        .is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"));
    if is_service_linked && switches.service_linked_roles == Choice::SetAside {
        return Err(Skip::ServiceLinkedRole);
    }
    let id = issuer
        .and_then(|issuer| text(&issuer.principal_id))
        .or_else(|| text(&identity.principal_id).map(unique_id));
    Ok(Principal { arn, id })
}

/// Returns the role's ARN of `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, which lacks the
/// role's path; any other ARN stays as it is.
fn role_of_session(text: &str) -> Cow<'_, str> {
    let session = Arn::parse(text).filter(|arn| arn.service == "sts").and_then(|arn| {
        let name = arn.resource.strip_prefix("assumed-role/")?.split('/').next()?;
        Some(format!("arn:{}:iam::{}:role/{name}", arn.partition, arn.account))
    });
    session.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns the user who federated; a root issuer, or none, counts for the account alone (A3).
fn federated_by<'e>(identity: &'e UserIdentity<'_>) -> Principal<'e> {
    let issuer = identity.session_issuer.as_ref();
    let user = issuer.and_then(|issuer| {
        let arn = text(&issuer.arn)?;
        let is_user = Arn::parse(arn)
            .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("user/"));
        is_user.then(|| Principal { arn: Some(Cow::Borrowed(arn)), id: text(&issuer.principal_id) })
    });
    user.unwrap_or_default()
}

/// Returns `AROA…` of `AROA…:session`.
fn unique_id(principal_id: &str) -> &str {
    principal_id.split(':').next().unwrap_or(principal_id)
}

fn is_data_event(event: &Event<'_>) -> bool {
    match present(event.event_category()) {
        Some(category) => category.is_ignoring_case("Data"),
        None => event.management_event() == Some(false),
    }
}

fn service_namespace<'e>(event: &Event<'e>, event_source: RawString<'_>) -> Option<Cow<'e, str>> {
    if !event_source.is("autoscaling.amazonaws.com") {
        return None;
    }
    event.request_parameters()?.string("serviceNamespace").filter(|namespace| !namespace.is_empty())
}

fn answer(event: &Event<'_>) -> Answer {
    match present(event.error_code()) {
        Some(code) if is_denial(&code.decode()) => Answer::Denied,
        Some(_) => Answer::Failed,
        None if present(event.error_message()).is_some() => Answer::Failed,
        None => Answer::Success,
    }
}

/// Returns whether an error says that the principal lacks the permission. Services spell it in
/// many ways: `AccessDenied`, `AccessDeniedException`, `Client.UnauthorizedOperation`,
/// `NotAuthorizedException`, `AuthorizationError`, `Access Denied`.
fn is_denial(error_code: &str) -> bool {
    let code: String =
        error_code.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    ["accessdenied", "unauthorized", "notauthorized", "authorizationerror", "forbidden"]
        .iter()
        .any(|word| code.contains(word))
}

/// Returns a member; an empty one says as little as an absent one.
fn present(member: Option<RawString<'_>>) -> Option<RawString<'_>> {
    member.filter(|text| !text.is_empty())
}

/// Returns a member's text; an empty one says as little as an absent one.
#[expect(clippy::ref_option, reason = "every caller has the member of an identity, borrowed")]
fn text<'e>(member: &'e Option<Cow<'_, str>>) -> Option<&'e str> {
    member.as_deref().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
