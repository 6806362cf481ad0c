//! Amazon Resource Names, taken apart; knows nothing of what they name.

/// The six fields of an ARN. Each may be empty but the first, which is always `arn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: &'a str,
    /// The service's namespace in ARNs, such as `iam`.
    pub service: &'a str,
    /// The Region; empty where the resource has none.
    pub region: &'a str,
    /// The account; empty where the resource has none.
    pub account: &'a str,
    /// All behind the fifth colon.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes `arn:partition:service:region:account:resource` apart.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next();
        if next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_keeps_its_colons() {
        let arn = Arn::parse("arn:aws:logs:eu-west-1:111122223333:log-group:a:b").unwrap();
        assert_eq!((arn.service, arn.account), ("logs", "111122223333"));
        assert_eq!(arn.resource, "log-group:a:b");
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in ["", "arn", "arn:aws:iam::1", "urn:aws:iam::1:root"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
