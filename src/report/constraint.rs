//! The constraints of IAM's model, and what IAM says of values that fail them (O8, O10, O11).

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::RequestError;

/// The most rows that a page can have (O8).
pub const MOST_ITEMS: usize = 1000;

/// What a request fails of the constraints of its members, each named as IAM names it: `jobId`.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    fn add(&mut self, member: &str, value: impl Display, demand: impl Display) {
        self.0.push(format!(
            "Value {value} at '{member}' failed to satisfy constraint: Member must {demand}"
        ));
    }

    /// A member without which there is no request.
    pub fn missing(&mut self, member: &str) {
        self.add(member, "null", "not be null");
    }

    /// So many characters at least, and at the most.
    pub fn length(&mut self, member: &str, value: &str, length: RangeInclusive<usize>) {
        let characters = value.chars().count();
        let mut fail = |bound: &str, than: usize| {
            let demand = format!("have length {bound} than or equal to {than}");
            self.add(member, format_args!("'{value}'"), demand);
        };
        if characters < *length.start() {
            fail("greater", *length.start());
        }
        if characters > *length.end() {
            fail("less", *length.end());
        }
    }

    /// A form that the value has or has not.
    pub fn pattern(&mut self, member: &str, value: &str, is_match: bool, pattern: &str) {
        if !is_match {
            let demand = format!("satisfy regular expression pattern: {pattern}");
            self.add(member, format_args!("'{value}'"), demand);
        }
    }

    /// One of a few names.
    pub fn one_of(&mut self, member: &str, value: &str, names: &[&str]) {
        if !names.contains(&value) {
            let demand = format!("satisfy enum value set: [{}]", names.join(", "));
            self.add(member, format_args!("'{value}'"), demand);
        }
    }

    /// `maxItems`: the rows of a page.
    pub fn max_items(&mut self, items: usize) {
        if items < 1 {
            self.add(
                "maxItems",
                format_args!("'{items}'"),
                "have value greater than or equal to 1",
            );
        }
        if items > MOST_ITEMS {
            let demand = format!("have value less than or equal to {MOST_ITEMS}");
            self.add("maxItems", format_args!("'{items}'"), demand);
        }
    }

    /// A list with more entries than the model allows.
    pub fn most_entries(&mut self, member: &str, most: usize) {
        self.add(member, "[…]", format_args!("have length less than or equal to {most}"));
    }

    /// A member that is no whole number.
    pub fn not_an_integer(&mut self, member: &str, value: &str) {
        self.add(member, format_args!("'{value}'"), "be an integer");
    }

    /// Returns what IAM answers: nothing where all is well.
    ///
    /// # Errors
    ///
    /// `ValidationError` with all that was found.
    pub fn result(self) -> Result<(), RequestError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let errors = if count == 1 { "error" } else { "errors" };
        let message = format!("{count} validation {errors} detected: {}", self.0.join("; "));
        Err(RequestError::validation(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o10_all_that_fails_is_named_at_once() {
        let mut violations = Violations::default();
        violations.missing("arn");
        violations.length("jobId", "abc", 36..=36);
        violations.one_of("granularity", "NONE", &["SERVICE_LEVEL", "ACTION_LEVEL"]);
        violations.max_items(0);
        let error = violations.result().unwrap_err();
        assert_eq!(error.code, "ValidationError");
        assert_eq!(
            error.message,
            "4 validation errors detected: Value null at 'arn' failed to satisfy constraint: Member \
             must not be null; Value 'abc' at 'jobId' failed to satisfy constraint: Member must have \
             length greater than or equal to 36; Value 'NONE' at 'granularity' failed to satisfy \
             constraint: Member must satisfy enum value set: [SERVICE_LEVEL, ACTION_LEVEL]; Value \
             '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or \
             equal to 1"
        );
    }

    #[test]
    fn o11_lengths_count_characters() {
        let mut violations = Violations::default();
        violations.length("arn", "ääää", 4..=4);
        assert!(violations.result().is_ok());
    }
}
