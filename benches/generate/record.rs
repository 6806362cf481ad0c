//! Writes records: the members of a CloudTrail event in CloudTrail's order. Does not know files.

use std::fmt::Write as _;

use crate::calls::{Call, Kind};
use crate::draw::Draw;
use crate::session::{Agent, Session};
use crate::template::{Scene, Template, write_time};
use crate::world::World;

/// Error codes and messages; `{}` is the caller.
const ERRORS: &[(&str, &str)] = &[
    (
        "AccessDenied",
        "User: {} is not authorized to perform this action because no identity-based policy allows it",
    ),
    (
        "AccessDenied",
        "User: {} is not authorized to perform this action with an explicit deny in a service control policy",
    ),
    (
        "Client.UnauthorizedOperation",
        "You are not authorized to perform this operation. User: {}. Encoded authorization failure message: jZ8Rm2",
    ),
    ("ThrottlingException", "Rate exceeded"),
    ("ResourceNotFoundException", "Requested resource \\\"orders\\\" not found"),
    ("NoSuchEntityException", "The role with name missing cannot be found."),
    (
        "ValidationException",
        "1 validation error detected: Value '[]' at 'filters' failed to satisfy constraint: {\\\"eventSource\\\":\\\"error.amazonaws.com\\\"}",
    ),
    ("InvalidClientTokenId", "The security token included in the request is invalid."),
    ("Client.RequestLimitExceeded", "Request limit exceeded."),
];

/// The error code among them that says that nobody was authenticated.
const UNKNOWN_CALLER: &str = "InvalidClientTokenId";

/// What a record is made of.
pub(crate) struct Event<'a> {
    pub(crate) world: &'a World,
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) session: &'a Session,
    pub(crate) call: &'a Call,
}

/// How much of a record there is: members were added over the years.
#[derive(Clone, Copy)]
struct Version {
    number: &'static str,
    /// Whether it has `managementEvent`, `eventCategory` and what came with them.
    has_category: bool,
    /// Whether it has `readOnly`.
    has_read_only: bool,
}

impl Event<'_> {
    /// Appends the record. Returns whether it counts as an attempt of its caller.
    pub(crate) fn write(&self, out: &mut String, draw: &mut Draw) -> bool {
        let version = version(draw);
        write!(out, r#"{{"eventVersion":"{}","userIdentity":"#, version.number).expect("memory");
        out.push_str(&self.session.identity);
        out.push_str(r#","eventTime":""#);
        write_time(out, self.scene.time);
        let (source, name, region) = (self.scene.source, &self.call.name, self.scene.region);
        write!(
            out,
            r#"","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"{}","userAgent":""#,
            self.session.address
        )
        .expect("memory");
        match &self.session.agent {
            Agent::Service(name) => out.push_str(name),
            Agent::Known(at) => {
                self.world.agents.get(*at).expect("an index").fill(out, self.scene, draw);
            }
        }
        out.push('"');
        let failed = self.call.kind != Kind::Service && draw.per_mille(50);
        let unknown = failed && self.write_error(out, draw) == UNKNOWN_CALLER;
        self.write_call(out, failed, draw);
        out.push_str(r#","requestID":""#);
        draw.uuid(out);
        out.push_str(r#"","eventID":""#);
        draw.uuid(out);
        out.push('"');
        if version.has_read_only {
            write!(out, r#","readOnly":{}"#, self.call.kind.reads()).expect("memory");
        }
        self.member(out, "resources", self.call.resources.as_ref(), draw);
        self.write_end(out, version, draw);
        self.session.counts && !unknown
    }

    /// Appends code and message of an error. Returns the code.
    fn write_error(&self, out: &mut String, draw: &mut Draw) -> &'static str {
        let (code, message) = draw.pick(ERRORS);
        write!(out, r#","errorCode":"{code}""#).expect("memory");
        // Some services log a code without a message.
        if draw.per_mille(900) {
            let (before, behind) = message.split_once("{}").unwrap_or((message, ""));
            let name = if behind.is_empty() { "" } else { &self.session.name };
            write!(out, r#","errorMessage":"{before}{name}{behind}""#).expect("memory");
        }
        code
    }

    fn write_call(&self, out: &mut String, failed: bool, draw: &mut Draw) {
        out.push_str(r#","requestParameters":"#);
        self.call.request.fill(out, self.scene, draw);
        out.push_str(r#","responseElements":"#);
        if failed {
            out.push_str("null");
        } else {
            self.call.response.fill(out, self.scene, draw);
        }
        self.member(out, "additionalEventData", self.call.additional.as_ref(), draw);
    }

    fn member(&self, out: &mut String, name: &str, text: Option<&Template>, draw: &mut Draw) {
        if let Some(text) = text {
            write!(out, r#","{name}":"#).expect("memory");
            text.fill(out, self.scene, draw);
        }
    }

    fn write_end(&self, out: &mut String, version: Version, draw: &mut Draw) {
        let kind = self.call.kind;
        let account = &self.scene.account.id;
        write!(out, r#","eventType":"{}""#, kind.event_type()).expect("memory");
        if draw.per_mille(60) {
            out.push_str(r#","apiVersion":"2014-11-01""#);
        }
        if version.has_category {
            write!(out, r#","managementEvent":{}"#, !kind.is_data()).expect("memory");
        }
        write!(out, r#","recipientAccountId":"{account}""#).expect("memory");
        if kind == Kind::Service {
            out.push_str(r#","serviceEventDetails":{"state":"completed","jobId":""#);
            draw.uuid(out);
            out.push_str(r#""}"#);
        }
        if self.session.shared {
            out.push_str(r#","sharedEventID":""#);
            draw.uuid(out);
            out.push('"');
        }
        if draw.per_mille(100) {
            out.push_str(r#","vpcEndpointId":"vpce-0"#);
            draw.hex(out, 16);
            write!(out, r#"","vpcEndpointAccountId":"{account}""#).expect("memory");
        }
        if version.has_category {
            let category = if kind.is_data() { "Data" } else { "Management" };
            write!(out, r#","eventCategory":"{category}""#).expect("memory");
            self.write_connection(out);
        }
        out.push('}');
    }

    fn write_connection(&self, out: &mut String) {
        let (source, region) = (self.scene.source, self.scene.region);
        if matches!(self.session.agent, Agent::Known(_)) && self.call.kind != Kind::Console {
            write!(
                out,
                r#","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}.{region}.amazonaws.com"}}"#
            )
            .expect("memory");
        }
        if self.session.console {
            out.push_str(r#","sessionCredentialFromConsole":"true""#);
        }
    }
}

fn version(draw: &mut Draw) -> Version {
    let of = |number, has_category, has_read_only| Version { number, has_category, has_read_only };
    match draw.below(100) {
        0 => of("1.02", false, false),
        1..4 => of("1.05", false, true),
        4..50 => of("1.08", true, true),
        50..60 => of("1.09", true, true),
        60..65 => of("1.10", true, true),
        _ => of("1.11", true, true),
    }
}
