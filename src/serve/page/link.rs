//! Addresses of pages: readable, the same for the same page, and safe whatever is in them.

use maud::Render;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Visit;

/// What is encoded in a value. Entity paths and ARNs stay as they are known.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b',');

/// What is encoded in a part of a path.
const PART: &AsciiSet = &VALUE.add(b'/').add(b':');

/// The address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    path: String,
    parameters: Vec<(&'static str, String)>,
}

impl Link {
    /// Returns the address of a path.
    pub(super) fn to(path: &str) -> Self {
        Self { path: path.to_owned(), parameters: Vec::new() }
    }

    /// Returns the address of a path whose last part is any text.
    pub(super) fn below(path: &str, name: &str) -> Self {
        Self::to(&format!("{path}{}", utf8_percent_encode(name, PART)))
    }

    /// Returns the report of an entity.
    pub(super) fn entity(path: &str) -> Self {
        Self::to("/").with("entity", path)
    }

    /// Returns the report of a user, group, role or policy.
    pub(super) fn identity(arn: &str) -> Self {
        Self::to("/identity").with("arn", arn)
    }

    /// Returns the address with a parameter; an empty value leaves it out.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.retain(|(its_name, _)| *its_name != name);
        if !value.is_empty() {
            self.parameters.push((name, value.to_owned()));
        }
        self
    }

    /// Returns the address with those of `names` that the visit has.
    pub(super) fn keeping(self, visit: &Visit, names: &[&'static str]) -> Self {
        names.iter().fold(self, |link, name| link.with(name, visit.parameter(name).unwrap_or("")))
    }

    /// Returns the path, for a form to lead to.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the parameters, for a form to keep.
    pub(super) fn parameters(&self) -> &[(&'static str, String)] {
        &self.parameters
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        for (place, (name, value)) in self.parameters.iter().enumerate() {
            let mark = if place == 0 { '?' } else { '&' };
            write!(f, "{mark}{name}={}", utf8_percent_encode(value, VALUE))?;
        }
        Ok(())
    }
}

impl Render for Link {
    fn render_to(&self, buffer: &mut String) {
        self.to_string().render_to(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_readable_and_nothing_breaks_out_of_them() {
        let link = Link::entity("o-1/r-2/ou-3").with("sort", "last-access");
        assert_eq!(link.to_string(), "/?entity=o-1/r-2/ou-3&sort=last-access");
        let link = Link::identity("arn:aws:iam::1:role/a+b=c&d#\"<\u{202e}é");
        assert_eq!(
            link.to_string(),
            "/identity?arn=arn:aws:iam::1:role/a%2Bb%3Dc%26d%23%22%3C%E2%80%AE%C3%A9"
        );
        assert_eq!(Link::below("/policy/", "p-1/../x?y").to_string(), "/policy/p-1%2F..%2Fx%3Fy");
    }

    #[test]
    fn a_parameter_stands_once_and_an_empty_one_not_at_all() {
        let link = Link::to("/").with("page", "2").with("find", "x").with("page", "3");
        assert_eq!(link.to_string(), "/?find=x&page=3");
        assert_eq!(link.with("find", "").with("page", "").to_string(), "/");
    }
}
