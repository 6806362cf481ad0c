//! Words for people: texts of unknown origin, numbers, instants and their ages.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::printable::{grouped, visible};
use crate::serve::Facts;
use crate::time::Time;

/// Characters of a text, at most: an entity path has 427 at most, and nobody reads more.
const LONGEST_TEXT: usize = 512;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Returns a text with nothing in it that acts, and what is too long cut off, with a remark.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => visible(text),
        Some((end, _)) => {
            let start = visible(text.get(..end).unwrap_or_default());
            Cow::Owned(format!("{start}… ({} bytes in all)", text.len()))
        }
    }
}

/// Returns `1 account`, `2,000 accounts`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{} {noun}", grouped(count as u64))
}

/// Returns whether `text` has `wanted` in it, whatever the case.
pub(super) fn has(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.to_lowercase().contains(&wanted.to_lowercase())
}

/// What ages are counted back from: the end of the period, or now.
#[derive(Clone, Copy)]
pub(super) struct Reference {
    time: Time,
    is_end_of_period: bool,
}

impl Reference {
    pub(super) fn new(facts: &Facts<'_>, now: Time) -> Self {
        let until = facts.coverage.period.until;
        Self { time: until.unwrap_or(now), is_end_of_period: until.is_some() }
    }

    /// Returns how long before it `time` was: `3 days before the end`, `3 days ago`.
    pub(super) fn age(self, time: Time) -> String {
        let seconds = self.time.seconds().saturating_sub(time.seconds());
        if seconds < 0 {
            return "in the future".to_owned();
        }
        let (count, one, many) = match seconds {
            ..MINUTE => (seconds, "second", "seconds"),
            MINUTE..HOUR => (seconds / MINUTE, "minute", "minutes"),
            HOUR..DAY => (seconds / HOUR, "hour", "hours"),
            _ => (seconds / DAY, "day", "days"),
        };
        let length = counted(usize::try_from(count).unwrap_or(usize::MAX), one, many);
        format!("{length} {}", if self.is_end_of_period { "before the end" } else { "ago" })
    }

    /// Returns whether `time` is more than so many days before it.
    pub(super) fn is_older(self, time: Time, days: u32) -> bool {
        self.time.seconds().saturating_sub(time.seconds()) > i64::from(days) * DAY
    }

    /// Returns the sentence that says what ages are relative to.
    pub(super) fn sentence(self) -> Markup {
        html! {
            @if self.is_end_of_period {
                "Ages are counted back from the end of the period, " (instant(self.time)) "."
            } @else {
                "Ages are counted back from the moment this page was made, " (instant(self.time)) "."
            }
        }
    }
}

/// Returns an instant, to the second.
pub(super) fn instant(time: Time) -> Markup {
    let machine = time.to_string();
    html! { time datetime=(machine) { (civil(&machine)) " UTC" } }
}

/// Returns an instant where a heading says that it is UTC.
pub(super) fn instant_in_utc(time: Time) -> Markup {
    let machine = time.to_string();
    html! { time datetime=(machine) { (civil(&machine)) } }
}

/// Returns a day.
pub(super) fn day(time: Time) -> Markup {
    let day = time.day().to_string();
    html! { time datetime=(day) { (day) } }
}

/// Returns `2026-01-31 23:59:59` of `2026-01-31T23:59:59Z`.
fn civil(machine: &str) -> String {
    machine.trim_end_matches('Z').replacen('T', " ", 1)
}

/// Returns an instant with its age.
pub(super) fn aged(reference: Reference, time: Time) -> Markup {
    html! { span.age { (reference.age(time)) } " " (instant_in_utc(time)) }
}

/// Returns the cell of an access: its age and its time, or that there was none.
pub(super) fn access(reference: Reference, time: Option<Time>) -> Markup {
    match time {
        Some(time) => aged(reference, time),
        None => html! { span.never { "never in this period" } },
    }
}

/// Returns remarks that change what a report says, if there are any.
pub(super) fn remarks(remarks: &[Markup]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            section.remarks aria-label="Remarks on this report" {
                ul { @for remark in remarks { li { (remark) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str, is_end_of_period: bool) -> Reference {
        Reference { time: Time::parse(text.as_bytes()).unwrap(), is_end_of_period }
    }

    fn age(text: &str) -> String {
        reference("2026-02-01T00:00:00Z", true).age(Time::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn ages_are_whole_units_and_say_what_they_are_relative_to() {
        assert_eq!(age("2026-02-01T00:00:00Z"), "0 seconds before the end");
        assert_eq!(age("2026-01-31T23:59:01Z"), "59 seconds before the end");
        assert_eq!(age("2026-01-31T23:58:59Z"), "1 minute before the end");
        assert_eq!(age("2026-01-31T00:00:01Z"), "23 hours before the end");
        assert_eq!(age("2026-01-31T00:00:00Z"), "1 day before the end");
        assert_eq!(age("2023-01-01T00:00:00Z"), "1,127 days before the end");
        let now = reference("2026-02-01T00:00:00Z", false);
        assert_eq!(now.age(Time::parse(b"2026-01-29T00:00:00Z").unwrap()), "3 days ago");
        assert_eq!(now.age(Time::parse(b"2026-02-01T00:00:01Z").unwrap()), "in the future");
        assert_eq!(
            now.age(Time::from_micros(i64::MIN)),
            "106,771,991 days ago".replace("106,771,991", &{
                let seconds = now.time.seconds() - Time::from_micros(i64::MIN).seconds();
                grouped(u64::try_from(seconds / DAY).unwrap())
            })
        );
    }

    #[test]
    fn older_than_some_days_means_more_than_these() {
        let now = reference("2026-02-01T00:00:00Z", false);
        let at = |text: &[u8]| Time::parse(text).unwrap();
        assert!(!now.is_older(at(b"2026-01-29T00:00:00Z"), 3));
        assert!(now.is_older(at(b"2026-01-28T23:59:59Z"), 3));
        assert!(!now.is_older(at(b"2027-01-01T00:00:00Z"), 0));
    }

    #[test]
    fn long_and_hostile_texts_are_cut_and_made_visible() {
        assert_eq!(shown("a\u{202e}b\n"), "a\\u{202e}b\\n");
        let long = shown(&"ä".repeat(600)).into_owned();
        assert!(long.ends_with("ä… (1200 bytes in all)") && long.chars().count() < 540, "{long}");
    }

    #[test]
    fn an_instant_says_the_same_to_people_and_programs() {
        let time = Time::parse(b"2026-01-31T23:59:59Z").unwrap();
        assert_eq!(
            instant(time).into_string(),
            "<time datetime=\"2026-01-31T23:59:59Z\">2026-01-31 23:59:59 UTC</time>"
        );
    }
}
