//! Plain text that AWS delivers and that holds no CloudTrail event, told by its first line.
//!
//! It knows the line formats of other services, and no JSON: what might be JSON is not its business.

use super::SourceReason;

/// Returns what a text is when it is certain from its first bytes that it holds no CloudTrail
/// event; none for JSON and for whatever is unknown, which the reader of events judges.
///
/// `prefix` is the beginning of a body; a kilobyte is plenty.
pub fn text_kind(prefix: &[u8]) -> Option<SourceReason> {
    if prefix.starts_with(b"\x00\x05\x16\x07") || prefix.starts_with(b"\0\0\0\x01Bud1") {
        // What macOS keeps beside files: `._name`, in archives `__MACOSX/._name`, and `.DS_Store`.
        return Some(SourceReason::NotJson);
    }
    let text = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix).trim_ascii_start();
    match text.first()? {
        b'{' | b'[' | b'"' => return None,
        b'<' => return Some(SourceReason::NotJson),
        b'#' => {
            let edge = text.starts_with(b"#Version:") && contains(text, b"x-edge-location");
            return edge.then_some(SourceReason::CloudFrontLog);
        }
        _ => {}
    }
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let line = line.utf8_chunks().next()?.valid();
    let fields: Vec<&str> = line.split([' ', '\t']).filter(|field| !field.is_empty()).collect();
    if is_flow_header(&fields) || is_flow_line(&fields) {
        Some(SourceReason::VpcFlowLog)
    } else if is_server_access_line(&fields) {
        Some(SourceReason::S3AccessLog)
    } else if is_load_balancer_line(&fields) {
        Some(SourceReason::LoadBalancerLog)
    } else {
        None
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Recognises `version account-id interface-id …` in any order of the user's choosing.
fn is_flow_header(fields: &[&str]) -> bool {
    const TELLING: [&str; 9] = [
        "account-id",
        "interface-id",
        "srcaddr",
        "dstaddr",
        "srcport",
        "dstport",
        "log-status",
        "tgw-id",
        "flow-direction",
    ];
    let plain =
        |field: &&str| field.bytes().all(|b| b.is_ascii_lowercase() || b"-0123456789".contains(&b));
    fields.iter().all(plain) && fields.iter().filter(|field| TELLING.contains(field)).count() >= 2
}

/// Recognises `2 111122223333 eni-… … ACCEPT OK`.
fn is_flow_line(fields: &[&str]) -> bool {
    matches!(fields, [version, account, interface, .., "OK" | "NODATA" | "SKIPDATA"]
        if version.len() <= 2
            && version.bytes().all(|byte| byte.is_ascii_digit())
            && (*account == "unknown" || account.bytes().all(|byte| byte.is_ascii_digit()))
            && interface.starts_with("eni-"))
}

/// Recognises `canonical-id bucket [06/Feb/2019:00:00:38 +0000] …`.
fn is_server_access_line(fields: &[&str]) -> bool {
    matches!(fields, [owner, _, date, zone, ..]
        if owner.len() == 64
            && owner.bytes().all(|byte| byte.is_ascii_hexdigit())
            && date.starts_with('[')
            && zone.ends_with(']'))
}

/// Recognises application (`https 2018-…T… app/…`), network (`tls 2.0 2018-…T… net/…`), and
/// classic (`2015-…T… name client:port backend:port`) load balancers.
fn is_load_balancer_line(fields: &[&str]) -> bool {
    match fields {
        ["http" | "https" | "h2" | "grpcs" | "ws" | "wss", time, balancer, ..] => {
            is_time(time) && balancer.starts_with("app/")
        }
        ["tls", _, time, balancer, ..] => is_time(time) && balancer.starts_with("net/"),
        [time, _, client, backend, a, b, c, ..] => {
            is_time(time)
                && is_endpoint(client)
                && (*backend == "-" || is_endpoint(backend))
                && [a, b, c].iter().all(|seconds| seconds.parse::<f64>().is_ok())
        }
        _ => false,
    }
}

fn is_time(field: &str) -> bool {
    matches!(field.as_bytes(), [y, _, _, _, b'-', _, _, b'-', _, _, b'T', ..] if y.is_ascii_digit())
}

fn is_endpoint(field: &str) -> bool {
    field
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests;
