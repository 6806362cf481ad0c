//! `--since`, `--until`, `--tracking-period` (P2).

use anyhow::bail;
use chrono::TimeDelta;

use super::args::InputArgs;
use crate::time::{Day, Period, Time};

/// Which period a report covers, as far as the arguments say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// This one.
    Fixed(Period),
    /// So much time up to the newest event, which only reading tells.
    UpToNewest(TimeDelta),
}

/// Reads the arguments.
pub(super) fn asked(args: &InputArgs) -> anyhow::Result<Asked> {
    let since =
        args.since.as_deref().map(|text| bound("--since", text, Bound::Since)).transpose()?;
    let until =
        args.until.as_deref().map(|text| bound("--until", text, Bound::Until)).transpose()?;
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        bail!("--until is not later than --since: no event can lie between them");
    }
    Ok(match (args.tracking_period.as_deref(), until) {
        (None, until) => Asked::Fixed(Period { since, until }),
        (Some(text), Some(until)) => Asked::Fixed(Period::ending(until, length(text)?)),
        (Some(text), None) => Asked::UpToNewest(length(text)?),
    })
}

#[derive(Clone, Copy)]
enum Bound {
    Since,
    Until,
}

/// Reads an instant, or a day: `--since` takes in its first instant, `--until` its last.
fn bound(option: &str, text: &str, bound: Bound) -> anyhow::Result<Time> {
    if let Some(day) = Day::parse(text) {
        return Ok(match bound {
            Bound::Since => Time::from_micros(day.start().micros() - 1),
            Bound::Until => day.end(),
        });
    }
    match Time::parse(text.as_bytes()) {
        Some(time) => Ok(time),
        None => bail!(
            "{option}: `{text}` is neither a day (2026-01-31) nor an instant \
            (2026-01-31T23:59:59Z)"
        ),
    }
}

/// Reads `400d`, `36h`, `8w`.
fn length(text: &str) -> anyhow::Result<TimeDelta> {
    let unit_at = text.len().saturating_sub(1);
    let parsed = text.split_at_checked(unit_at).and_then(|(number, unit)| {
        let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
        match unit {
            "h" => TimeDelta::try_hours(number),
            "d" => TimeDelta::try_days(number),
            "w" => TimeDelta::try_weeks(number),
            _ => None,
        }
    });
    match parsed {
        Some(length) => Ok(length),
        None => bail!("--tracking-period: `{text}` is no length such as 400d, 36h or 8w"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(since: Option<&str>, until: Option<&str>, tracking: Option<&str>) -> Period {
        let args = InputArgs {
            inputs: Vec::new(),
            files_from: None,
            since: since.map(str::to_owned),
            until: until.map(str::to_owned),
            tracking_period: tracking.map(str::to_owned),
            attribution: Default::default(),
            integrity: Default::default(),
            catalog: None,
            threads: None,
            memory: "4GB".to_owned(),
            allow_empty: false,
        };
        match asked(&args).unwrap() {
            Asked::Fixed(period) => period,
            Asked::UpToNewest(_) => panic!("not fixed"),
        }
    }

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn p2_a_day_is_taken_in_whole_at_either_end() {
        let period = fixed(Some("2026-01-30"), Some("2026-01-31"), None);
        assert!(!period.contains(time("2026-01-29T23:59:59Z")));
        assert!(period.contains(time("2026-01-30T00:00:00Z")));
        assert!(period.contains(time("2026-01-31T23:59:59.999999Z")));
        assert!(!period.contains(time("2026-02-01T00:00:00Z")));
    }

    #[test]
    fn p2_an_instant_is_open_at_since_and_closed_at_until() {
        let period = fixed(Some("2026-01-30T12:00:00Z"), Some("2026-01-31T12:00:00Z"), None);
        assert!(!period.contains(time("2026-01-30T12:00:00Z")));
        assert!(period.contains(time("2026-01-30T12:00:01Z")));
        assert!(period.contains(time("2026-01-31T12:00:00Z")));
    }

    #[test]
    fn p2_the_tracking_period_counts_back_from_until() {
        let period = fixed(None, Some("2026-01-31T12:00:00Z"), Some("2d"));
        assert_eq!(period.since, Some(time("2026-01-29T12:00:00Z")));
    }

    #[test]
    fn p2_lengths_are_positive_and_have_a_unit() {
        for text in ["", "d", "0d", "-1d", "400", "4é", "1.5d", "99999999999999999999d"] {
            assert!(length(text).is_err(), "{text}");
        }
        assert_eq!(length("8w").unwrap(), TimeDelta::days(56));
    }
}
