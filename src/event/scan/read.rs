//! Reads one object in the place of a record: one loop over all members that matter, those of
//! `userIdentity` and what lies in it included.
//!
//! There is one place that reads keys and one that reads values, whatever the member: small code
//! that stays in the CPU's cache is worth more here than code for each member.

use std::borrow::Cow;

use super::super::{Event, RawObject, SessionIssuer, UserIdentity};
use super::cursor::{Cursor, Stride, Walk};
use super::text::RawString;
use super::{CONTAINERS, Fault, Inner, OBJECT_WRAPPERS, Object, STRING_WRAPPERS};

/// The object whose members come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Record,
    UserIdentity,
    SessionContext,
    SessionIssuer,
}

/// A member that matters. Those before [`Field::Known`] keep their value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    EventTime,
    EventSource,
    EventName,
    AwsRegion,
    EventId,
    EventType,
    EventCategory,
    ErrorCode,
    ErrorMessage,
    UserIdentity,
    Timestamp,
    ManagementEvent,
    InsightDetails,
    RequestParameters,
    ResponseElements,
    IdentityType,
    PrincipalId,
    Arn,
    AccountId,
    AccessKeyId,
    InvokedBy,
    SessionContext,
    SessionIssuer,
    IssuerType,
    IssuerPrincipalId,
    IssuerArn,
    IssuerAccountId,
    /// One of an event's own, of no further interest.
    Known,
    Digest,
    Config,
    ObjectWrapper,
    StringWrapper,
    Container,
    Else,
}

const KEPT: usize = Field::Known as usize;

/// The value of a member, as it stands.
#[derive(Clone, Copy, Default)]
enum Value<'a> {
    #[default]
    Absent,
    Text(RawString<'a>),
    Object(&'a [u8]),
    /// An array, a number, `true`, `false`, `null`.
    Other(&'a [u8]),
}

impl<'a> Value<'a> {
    #[inline(always)]
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.decode()),
            Self::Absent | Self::Object(_) | Self::Other(_) => None,
        }
    }

    fn object(self) -> Option<RawObject<'a>> {
        match self {
            Self::Object(bytes) => Some(RawObject(bytes)),
            Self::Absent | Self::Text(_) | Self::Other(_) => None,
        }
    }

    fn boolean(self) -> Option<bool> {
        let text = self.text();
        match (self, text.as_deref()) {
            (Self::Other(b"true"), _) | (_, Some("true")) => Some(true),
            (Self::Other(b"false"), _) | (_, Some("false")) => Some(false),
            _ => None,
        }
    }
}

impl Field {
    /// Returns what a key means in an object.
    #[inline(always)]
    fn of(scope: Scope, key: &[u8]) -> Self {
        match scope {
            Scope::Record => Self::of_record(key),
            Scope::UserIdentity => match key {
                b"type" => Self::IdentityType,
                b"principalId" => Self::PrincipalId,
                b"arn" => Self::Arn,
                b"accountId" => Self::AccountId,
                b"accessKeyId" => Self::AccessKeyId,
                b"invokedBy" => Self::InvokedBy,
                b"sessionContext" => Self::SessionContext,
                _ => Self::Else,
            },
            Scope::SessionContext if key == b"sessionIssuer" => Self::SessionIssuer,
            Scope::SessionContext => Self::Else,
            Scope::SessionIssuer => match key {
                b"type" => Self::IssuerType,
                b"principalId" => Self::IssuerPrincipalId,
                b"arn" => Self::IssuerArn,
                b"accountId" => Self::IssuerAccountId,
                _ => Self::Else,
            },
        }
    }

    #[inline(always)]
    fn of_record(key: &[u8]) -> Self {
        match key {
            b"eventTime" => Self::EventTime,
            b"eventSource" => Self::EventSource,
            b"eventName" => Self::EventName,
            b"awsRegion" => Self::AwsRegion,
            b"eventID" => Self::EventId,
            b"eventType" => Self::EventType,
            b"eventCategory" => Self::EventCategory,
            b"errorCode" => Self::ErrorCode,
            b"errorMessage" => Self::ErrorMessage,
            b"userIdentity" => Self::UserIdentity,
            b"@timestamp" => Self::Timestamp,
            b"managementEvent" => Self::ManagementEvent,
            b"insightDetails" => Self::InsightDetails,
            b"requestParameters" => Self::RequestParameters,
            b"responseElements" => Self::ResponseElements,
            b"eventVersion" | b"recipientAccountId" | b"sourceIPAddress" | b"userAgent" => {
                Self::Known
            }
            b"digestStartTime" | b"digestS3Object" | b"previousDigestHashValue" => Self::Digest,
            b"configurationItemStatus"
            | b"configurationItemVersion"
            | b"configSnapshotId"
            | b"configRuleArn" => Self::Config,
            _ if OBJECT_WRAPPERS.contains(&key) => Self::ObjectWrapper,
            _ if STRING_WRAPPERS.contains(&key) => Self::StringWrapper,
            _ if CONTAINERS.contains(&key) => Self::Container,
            _ => Self::Else,
        }
    }

    /// Returns whether the member is one of an event's own.
    const fn is_an_events(self) -> bool {
        self as usize <= Self::UserIdentity as usize || matches!(self, Self::Known)
    }
}

/// The values of an object's members.
struct Values<'a> {
    kept: [Value<'a>; KEPT],
    object: Object<'a>,
}

impl<'a> Values<'a> {
    #[inline(always)]
    fn get(&self, field: Field) -> Value<'a> {
        self.kept.get(field as usize).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        self.get(field).text()
    }

    /// Keeps a value: of duplicate members the last one stands (A26).
    #[inline(always)]
    fn set(&mut self, field: Field, value: Value<'a>) {
        if let Some(kept) = self.kept.get_mut(field as usize) {
            *kept = value;
        } else if field > Field::Known && field < Field::Else {
            self.set_rare(field, value);
        }
    }

    #[cold]
    fn set_rare(&mut self, field: Field, value: Value<'a>) {
        match (field, value) {
            (Field::Digest, _) => self.object.is_digest = true,
            (Field::Config, _) => self.object.is_config = true,
            (Field::ObjectWrapper, Value::Object(bytes)) => {
                self.object.inner = Some(Inner::Object(bytes));
            }
            (Field::StringWrapper, Value::Text(text)) => {
                let text = text.decode();
                if text.trim_start().starts_with('{') {
                    self.object.inner = Some(Inner::Text(text));
                }
            }
            _ => {}
        }
    }

    /// Forgets what an earlier member of the same name held.
    fn forget(&mut self, from: Field, to: Field) {
        if let Some(kept) = self.kept.get_mut(from as usize..=to as usize) {
            kept.fill(Value::Absent);
        }
    }

    fn finish(self, end: usize) -> Object<'a> {
        let event_time = self.text(Field::EventTime);
        let event_time = if event_time.as_deref().is_none_or(str::is_empty) {
            self.text(Field::Timestamp).or(event_time)
        } else {
            event_time
        };
        let event = Event {
            event_time,
            event_source: self.text(Field::EventSource),
            event_name: self.text(Field::EventName),
            aws_region: self.text(Field::AwsRegion),
            event_id: self.text(Field::EventId),
            event_type: self.text(Field::EventType),
            event_category: self.text(Field::EventCategory),
            management_event: self.get(Field::ManagementEvent).boolean(),
            error_code: self.text(Field::ErrorCode),
            error_message: self.text(Field::ErrorMessage),
            user_identity: self.user_identity(),
            has_insight_details: self.get(Field::InsightDetails).object().is_some(),
            request_parameters: self.get(Field::RequestParameters).object(),
            response_elements: self.get(Field::ResponseElements).object(),
        };
        Object { event, end, ..self.object }
    }

    fn user_identity(&self) -> Option<UserIdentity<'a>> {
        self.get(Field::UserIdentity).object()?;
        let has_session_context = self.get(Field::SessionContext).object().is_some();
        Some(UserIdentity {
            identity_type: self.text(Field::IdentityType),
            principal_id: self.text(Field::PrincipalId),
            arn: self.text(Field::Arn),
            account_id: self.text(Field::AccountId),
            access_key_id: self.text(Field::AccessKeyId),
            invoked_by: self.text(Field::InvokedBy),
            has_session_context,
            session_issuer: if has_session_context { self.session_issuer() } else { None },
        })
    }

    fn session_issuer(&self) -> Option<SessionIssuer<'a>> {
        self.get(Field::SessionIssuer).object()?;
        Some(SessionIssuer {
            issuer_type: self.text(Field::IssuerType),
            principal_id: self.text(Field::IssuerPrincipalId),
            arn: self.text(Field::IssuerArn),
            account_id: self.text(Field::IssuerAccountId),
        })
    }
}

/// Reads the object whose `{` is at `start`.
#[inline(always)]
pub(super) fn object<S: Stride>(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    let mut cursor = Cursor::<S>::new(bytes, start);
    let mut walk = cursor.open()?;
    let mut scope = Scope::Record;
    let mut values = Values { kept: [Value::Absent; KEPT], object: Object::default() };
    loop {
        let Some(key) = cursor.key(&mut walk)? else {
            scope = match scope {
                Scope::Record => return Ok(values.finish(cursor.at)),
                Scope::UserIdentity => Scope::Record,
                Scope::SessionContext => Scope::UserIdentity,
                Scope::SessionIssuer => Scope::SessionContext,
            };
            walk = Walk::behind_a_value();
            continue;
        };
        let field =
            if key.escaped { Field::of(scope, &key.bytes()) } else { Field::of(scope, key.bytes) };
        let from = cursor.at;
        let value = match cursor.peek() {
            Some(b'"') => Value::Text(cursor.string()?),
            Some(b'{') => {
                let inner = match field {
                    Field::UserIdentity => Some((Scope::UserIdentity, Field::IdentityType)),
                    Field::SessionContext => Some((Scope::SessionContext, Field::SessionIssuer)),
                    Field::SessionIssuer => Some((Scope::SessionIssuer, Field::IssuerType)),
                    _ => None,
                };
                if let Some((inner, first)) = inner {
                    scope = inner;
                    values.object.event_members += u32::from(field == Field::UserIdentity);
                    values.forget(first, Field::IssuerAccountId);
                    values.set(field, Value::Object(&[]));
                    walk = cursor.open()?;
                    continue;
                }
                Value::Object(cursor.nested(from)?)
            }
            // What has an event's members is an event, whatever else it has.
            Some(b'[') if field == Field::Container && values.object.event_members < 2 => {
                let object = Object { is_envelope: true, ..values.object };
                return Ok(Values { object, ..values }.finish(from));
            }
            Some(b'[') => Value::Other(cursor.nested(from)?),
            _ => Value::Other(cursor.plain_value(from)?),
        };
        values.object.event_members += u32::from(field.is_an_events());
        values.set(field, value);
    }
}
