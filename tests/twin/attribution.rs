//! The attribution table A1–A26 as one plain walk over a JSON value; knows no file and no tree.

#![expect(clippy::string_slice, reason = "a test may panic")]

use serde_json::{Map, Value};

/// What becomes of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It counts.
    Counted(Access),
    /// It counts for nobody, for this reason.
    SetAside(&'static str),
    /// It would count, but lacks a readable time or its event source.
    Malformed,
}

/// A record that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) account: String,
    pub(crate) principal: Option<String>,
    pub(crate) source: String,
    pub(crate) region: Option<String>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub(crate) time: i64,
    pub(crate) event_id: Option<String>,
    /// The unique id of who acted: `AIDA…`, `AROA…`; whatever stands in its place in the record.
    pub(crate) unique_id: Option<String>,
    /// `eventName`, empty if there is none.
    pub(crate) event_name: String,
    /// Whether it is a data event (A20).
    pub(crate) is_data_event: bool,
    /// `requestParameters.serviceNamespace` (C2).
    pub(crate) service_namespace: Option<String>,
}

/// A7, as they are without the suffix `Exception`.
const NOT_AUTHENTICATED: [&str; 10] = [
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "AuthFailure",
    "RequestExpired",
    "TokenRefreshRequired",
    "InvalidIdentityToken",
];

/// Members of which a CloudTrail record has at least one.
const MARKS: [&str; 7] = [
    "eventVersion",
    "eventSource",
    "eventName",
    "eventTime",
    "eventType",
    "eventID",
    "userIdentity",
];

/// Returns what the rules A1–A26 make of a record, with the default switches.
pub(crate) fn attribution(record: &Value) -> Decision {
    let Some(object) = record.as_object() else {
        return Decision::Malformed;
    };
    if let Some(reason) = kind_without_caller(object) {
        return Decision::SetAside(reason);
    }
    let (account, principal) = match caller(object) {
        Err(reason) => return Decision::SetAside(reason),
        Ok(caller) => caller,
    };
    let time = ["eventTime", "@timestamp"].iter().find_map(|name| text(object, name));
    let (Some(time), Some(source)) = (time.and_then(parse_time), text(object, "eventSource"))
    else {
        return Decision::Malformed;
    };
    Decision::Counted(Access {
        account,
        principal,
        source: source.to_owned(),
        region: text(object, "awsRegion").map(str::to_owned),
        time,
        event_id: text(object, "eventID").map(str::to_owned),
        unique_id: unique_id(object),
        event_name: text(object, "eventName").unwrap_or_default().to_owned(),
        is_data_event: is_data_event(object),
        service_namespace: object
            .get("requestParameters")
            .and_then(Value::as_object)
            .and_then(|parameters| text(parameters, "serviceNamespace"))
            .map(str::to_owned),
    })
}

/// Returns the unique id of who acted (I7): that of the user that issued a federated session or of
/// the role behind a session, else the `principalId` up to its colon. The root user has none.
fn unique_id(object: &Map<String, Value>) -> Option<String> {
    let identity = object.get("userIdentity")?.as_object()?;
    let issuer = identity
        .get("sessionContext")
        .and_then(|context| context.get("sessionIssuer"))
        .and_then(Value::as_object);
    let of_issuer = issuer.and_then(|issuer| text(issuer, "principalId"));
    let own = text(identity, "principalId").and_then(|id| id.split(':').next());
    let id = match text(identity, "type") {
        Some("Root") => None,
        Some("FederatedUser") => {
            let is_user =
                issuer.and_then(|it| text(it, "arn")).is_some_and(|a| a.contains(":user/"));
            of_issuer.filter(|_| is_user)
        }
        Some("AWSAccount") => own.filter(|id| Some(*id) != text(identity, "accountId")),
        Some("IAMUser") => own,
        _ => of_issuer.or(own),
    };
    id.filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Tells a data event by its category, and where there is none by not being a management event.
fn is_data_event(object: &Map<String, Value>) -> bool {
    text(object, "eventCategory").map_or_else(
        || {
            matches!(object.get("managementEvent"), Some(Value::Bool(false)))
                || text(object, "managementEvent") == Some("false")
        },
        |category| category.eq_ignore_ascii_case("Data"),
    )
}

/// Reads a member as a string; one that is no string, or is empty, is absent (A26).
fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Returns why the object holds no request at all: A22, and what is no CloudTrail record.
fn kind_without_caller(object: &Map<String, Value>) -> Option<&'static str> {
    let category = text(object, "eventCategory");
    let event_type = text(object, "eventType");
    if event_type == Some("AwsCloudTrailInsight") || category == Some("Insight") {
        return Some("insight");
    }
    if event_type == Some("AwsAggregatedEvent") || category == Some("Aggregated") {
        return Some("aggregated");
    }
    if object.contains_key("digestStartTime") && object.contains_key("logFiles") {
        return Some("digest");
    }
    let foreign = text(object, "eventSource").is_some_and(|source| source.starts_with("aws:"));
    let marked = MARKS.iter().any(|mark| object.contains_key(*mark));
    (foreign || !marked).then_some("not CloudTrail")
}

/// Returns the account and the principal that the record counts for, or why it counts for nobody.
fn caller(object: &Map<String, Value>) -> Result<(String, Option<String>), &'static str> {
    let none = Map::new();
    let identity = object.get("userIdentity").and_then(Value::as_object).unwrap_or(&none);
    let event_type = text(object, "eventType");
    if event_type == Some("AwsServiceEvent") {
        return Err("AWS service event");
    }
    if event_type == Some("AwsConsoleSignIn") || is_console_login(object) {
        return Err(if sign_in_failed(object) {
            "failed console sign-in"
        } else {
            "console sign-in"
        });
    }
    if text(object, "errorCode").is_some_and(is_authentication_failure) {
        return Err("authentication failed");
    }
    let kind = text(identity, "type").unwrap_or("");
    match kind {
        "AWSService" => return Err("AWS service"),
        "SAMLUser" | "WebIdentityUser" => return Err("web or SAML identity"),
        _ => {}
    }
    let account = text(identity, "accountId");
    let arn = text(identity, "arn");
    let nobody = |value: Option<&str>| matches!(value, Some("anonymous" | "ANONYMOUS_PRINCIPAL"));
    if nobody(account)
        || nobody(text(identity, "principalId"))
        || (account.is_none() && arn.is_none())
    {
        return Err("anonymous");
    }
    let principal = principal(kind, identity)?;
    let account = account.or_else(|| arn?.split(':').nth(4).filter(|field| !field.is_empty()));
    account.map(|account| (account.to_owned(), principal)).ok_or("no IAM principal")
}

/// A18: old records lack the type.
fn is_console_login(object: &Map<String, Value>) -> bool {
    text(object, "eventName") == Some("ConsoleLogin")
        && text(object, "eventSource") == Some("signin.amazonaws.com")
}

/// A19: the sign-in page answers a failure without an error code.
fn sign_in_failed(object: &Map<String, Value>) -> bool {
    let name = text(object, "eventName").unwrap_or_default();
    let answer = object.get("responseElements").and_then(|elements| elements.get(name));
    answer.and_then(Value::as_str) == Some("Failure")
        || text(object, "errorCode").is_some()
        || text(object, "errorMessage").is_some()
}

/// A7.
fn is_authentication_failure(code: &str) -> bool {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let plain = code.strip_suffix("Exception").unwrap_or(code);
    NOT_AUTHENTICATED.contains(&plain) || code.starts_with("ExpiredToken")
}

/// Returns the principal by the type of the identity: A1–A5, A8, A12, A13, A15, A21.
fn principal(kind: &str, identity: &Map<String, Value>) -> Result<Option<String>, &'static str> {
    let arn = text(identity, "arn");
    let unique_id = text(identity, "principalId").and_then(|id| id.split(':').next());
    let context = identity.get("sessionContext").filter(|value| !value.is_null());
    let issuer = context
        .and_then(|context| context.get("sessionIssuer"))
        .and_then(Value::as_object)
        .and_then(|issuer| text(issuer, "arn"));
    let found = match kind {
        "IAMUser" => arn.or(unique_id).map(str::to_owned),
        "AssumedRole" | "Role" => issuer
            .map(str::to_owned)
            .or_else(|| role_of(arn?))
            .or_else(|| unique_id.map(str::to_owned)),
        "FederatedUser" => issuer.filter(|arn| arn.contains(":user/")).map(str::to_owned),
        "Root" => {
            let keyed = text(identity, "accessKeyId").is_some();
            if text(identity, "invokedBy").is_some() && !keyed && context.is_none() {
                return Err("root service call");
            }
            arn.map(str::to_owned)
        }
        "AWSAccount" if text(identity, "accountId").is_some() => {
            unique_id.filter(|id| Some(*id) != text(identity, "accountId")).map(str::to_owned)
        }
        "AWSAccount" => return Err("no IAM principal"),
        _ => match arn.and_then(iam_principal) {
            Some(arn) => Some(arn),
            None => return Err("no IAM principal"),
        },
    };
    Ok(found)
}

/// Turns `arn:aws:sts::1:assumed-role/Name/session` into `arn:aws:iam::1:role/Name`.
fn role_of(arn: &str) -> Option<String> {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = fields[..] else {
        return None;
    };
    if service == "iam" && resource.starts_with("role/") {
        return Some(arn.to_owned());
    }
    let name = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    (service == "sts").then(|| format!("arn:{partition}:iam::{account}:role/{name}"))
}

/// A15: an ARN of a user, a role or the root user makes up for a missing type.
fn iam_principal(arn: &str) -> Option<String> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let of_iam = arn.split(':').nth(2) == Some("iam");
    let direct = of_iam && (resource == "root" || resource.starts_with("user/"));
    if direct { Some(arn.to_owned()) } else { role_of(arn) }
}

/// Reads an event time as microseconds since 1970-01-01T00:00:00Z.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mark = |at: usize, any: &str| text.get(at..=at).is_some_and(|mark| any.contains(mark));
    if ![(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")].iter().all(|(at, m)| mark(*at, m)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?.min(59));
    if hour > 23 || minute > 59 || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let days = day_number(year, month, day);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    if days >= day_number(next.0, next.1, 1) {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&length) {
            return None;
        }
        micros = format!("{:0<6}", &fraction[..length])[..6].parse().ok()?;
        rest = &fraction[length..];
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - seconds_east(rest)?;
    Some(seconds * 1_000_000 + micros)
}

/// Reads the zone behind a time.
fn seconds_east(zone: &str) -> Option<i64> {
    if ["", "Z", "z", " UTC"].contains(&zone) {
        return Some(0);
    }
    let sign = if zone.starts_with('+') { 1 } else { -1 };
    let digits = zone.strip_prefix(['+', '-'])?.replacen(':', "", 1);
    let ok = [2, 4].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let hours: i64 = ok.then(|| digits[..2].parse().ok())??;
    let minutes: i64 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Counts the days from 1970-01-01 to a civil date, year by year and month by month.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |year: i64| if leap(year) { 366 } else { 365 };
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = if year >= 1970 {
        (1970..year).map(days_of).sum()
    } else {
        -(year..1970).map(days_of).sum::<i64>()
    };
    let months: i64 = lengths.iter().take(usize::try_from(month - 1).unwrap()).sum();
    years + months + day - 1
}

/// Prints whole seconds, as IAM prints the time of an attempt (O12).
pub(crate) fn print_time(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (day, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut year = 1970 + day / 366;
    while day_number(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|month| day_number(year, *month, 1) <= day).unwrap();
    let date = day - day_number(year, month, 1) + 1;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}
