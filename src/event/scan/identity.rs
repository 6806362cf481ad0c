//! Reads the `userIdentity` of a record: one loop over its members and those of what lies in it.

use std::borrow::Cow;

use super::super::{RawString, SessionIssuer, UserIdentity};
use super::Fault;
use super::cursor::{Cursor, Stride, Walk};

/// The object whose members come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    UserIdentity,
    SessionContext,
    SessionIssuer,
}

/// Reads the `userIdentity` that `bytes` are.
#[inline(always)]
pub(super) fn user_identity<S: Stride>(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    let mut cursor = Cursor::<S>::new(bytes, 0);
    let mut walk = cursor.open()?;
    let mut scope = Scope::UserIdentity;
    let mut identity = UserIdentity::default();
    loop {
        let Some(key) = cursor.key(&mut walk)? else {
            scope = match scope {
                Scope::UserIdentity => return Ok(identity),
                Scope::SessionContext => Scope::UserIdentity,
                Scope::SessionIssuer => Scope::SessionContext,
            };
            walk = Walk::BehindValue;
            continue;
        };
        let key = key.bytes();
        // Of duplicate members the last one stands (A26).
        match (scope, &*key) {
            (Scope::UserIdentity, b"sessionContext") => {
                identity.has_session_context = cursor.peek() == Some(b'{');
                identity.session_issuer = None;
                if identity.has_session_context {
                    walk = cursor.open()?;
                    scope = Scope::SessionContext;
                    continue;
                }
            }
            (Scope::SessionContext, b"sessionIssuer") => {
                identity.session_issuer = None;
                if cursor.peek() == Some(b'{') {
                    identity.session_issuer = Some(SessionIssuer::default());
                    walk = cursor.open()?;
                    scope = Scope::SessionIssuer;
                    continue;
                }
            }
            _ => {}
        }
        let value = cursor.optional_string()?;
        if let Some(member) = member(&mut identity, scope, &key) {
            *member = value.map(RawString::decode);
        }
    }
}

/// Returns the member of this key in an object.
fn member<'i, 'a>(
    identity: &'i mut UserIdentity<'a>,
    scope: Scope,
    key: &[u8],
) -> Option<&'i mut Option<Cow<'a, str>>> {
    let member = match scope {
        Scope::UserIdentity => match key {
            b"type" => &mut identity.identity_type,
            b"principalId" => &mut identity.principal_id,
            b"arn" => &mut identity.arn,
            b"accountId" => &mut identity.account_id,
            b"accessKeyId" => &mut identity.access_key_id,
            b"invokedBy" => &mut identity.invoked_by,
            _ => return None,
        },
        Scope::SessionContext => return None,
        Scope::SessionIssuer => {
            let issuer = identity.session_issuer.as_mut()?;
            match key {
                b"type" => &mut issuer.issuer_type,
                b"principalId" => &mut issuer.principal_id,
                b"arn" => &mut issuer.arn,
                b"accountId" => &mut issuer.account_id,
                _ => return None,
            }
        }
    };
    Some(member)
}
