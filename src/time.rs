//! Instants, days and periods of CloudTrail events; knows no clock.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days from 0000-02-29 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_469;

/// Days of four hundred years, whichever they are.
const DAYS_OF_400_YEARS: i64 = 146_097;

/// 0000-01-01.
const FIRST_DAY: Day = Day(-719_528);

/// 9999-12-31.
const LAST_DAY: Day = Day(2_932_896);

/// An instant in UTC, in whole microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// Returns the instant `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, rounded towards the past.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Returns the instant so much later.
    pub fn plus(self, length: TimeDelta) -> Self {
        Self(self.0.saturating_add(length.num_microseconds().unwrap_or(i64::MAX)))
    }

    /// Returns the day this instant lies in.
    pub const fn day(self) -> Day {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an i64 of microseconds spans 107 million days either way"
        )]
        Day(self.0.div_euclid(MICROS_PER_DAY) as i32)
    }

    /// Reads the forms in which `eventTime` occurs in practice: `2026-01-31T23:59:59Z`, a fraction
    /// of up to nine digits, a blank in place of the `T`, a numeric offset, no zone at all (UTC).
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().and_then(parse_usual).or_else(|| Self::parse_any(bytes))
    }

    fn parse_any(bytes: &[u8]) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let digits = bytes.get(range)?;
            digits.iter().try_fold(0u32, |value, byte| {
                byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
            })
        };
        let mark = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
        let separated =
            mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":");
        if !separated {
            return None;
        }
        let year = i32::try_from(number(0..4)?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?;
        // A leap second has no place of its own on the POSIX scale.
        let clock =
            NaiveTime::from_hms_opt(number(11..13)?, number(14..16)?, number(17..19)?.min(59))?;
        let seconds = date.and_time(clock).and_utc().timestamp();
        let (micros, zone) = fraction(bytes.get(19..)?)?;
        let instant = seconds * MICROS_PER_SECOND + micros;
        let time = Self(instant - offset(zone)? * MICROS_PER_SECOND);
        // Beyond these the zone has led to a year that four digits cannot tell.
        let is_told = (FIRST_DAY.start()..=LAST_DAY.end()).contains(&time);
        is_told.then_some(time)
    }

    /// Returns this instant as IAM prints a job date: milliseconds and `Z` (O12).
    pub fn to_milliseconds_string(self) -> String {
        self.civil().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Returns this instant with its microseconds and `Z`.
    pub fn to_microseconds_string(self) -> String {
        self.civil().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    fn civil(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }
}

/// Reads `2026-01-31T23:59:59Z`, the form of nearly every event, eight characters at a time.
#[inline]
fn parse_usual(text: &[u8; 20]) -> Option<Time> {
    const DATE: Form = Form::new(*b"0000-00-");
    const CLOCK: Form = Form::new(*b"00T00:00");
    const SECONDS: Form = Form::new(*b":00Z\0\0\0\0");
    let (date, rest) = text.split_first_chunk::<8>()?;
    let (clock, rest) = rest.split_first_chunk::<8>()?;
    let [a, b, c, d] = *rest.first_chunk::<4>()?;
    let [century, _, year, _, _, month, ..] = DATE.pairs(*date)?.map(u32::from);
    let [day, _, _, hour, _, _, minute, _] = CLOCK.pairs(*clock)?.map(u32::from);
    let [_, second, ..] = SECONDS.pairs([a, b, c, d, 0, 0, 0, 0])?.map(u32::from);
    // From August on the even months are the long ones. Leap days and leap seconds are left to others.
    let last_day = if month == 2 { 28 } else { 30 + (month ^ month >> 3) % 2 };
    let is_usual = (1..=12).contains(&month)
        && (1..=last_day).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_usual {
        return None;
    }
    // With years from March on, leap days come last, and the days before a month are a line
    // through integers. Four hundred years more keep January of the year 0 above zero.
    let year = century * 100 + year + 400 - u32::from(month < 3);
    let months = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = i64::from(year * 365 + leap_days + (153 * months + 2) / 5 + day);
    let days = days - DAYS_BEFORE_1970 - DAYS_OF_400_YEARS;
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(Time(seconds * MICROS_PER_SECOND))
}

/// Where eight characters are digits, and what the others are.
struct Form {
    characters: u64,
    /// In the place of each what makes the highest bit of all that is too large for it.
    room: u64,
}

impl Form {
    const HIGHEST_BITS: u64 = 0x8080_8080_8080_8080;

    /// Makes one of a text that has zeros where there are digits.
    #[expect(clippy::indexing_slicing, reason = "eight places of eight characters")]
    const fn new(text: [u8; 8]) -> Self {
        let mut room = [0x80 - 1; 8];
        let mut at = 0;
        while at < 8 {
            if text[at] == b'0' {
                room[at] = 0x80 - 10;
            }
            at += 1;
        }
        Self { characters: u64::from_le_bytes(text), room: u64::from_le_bytes(room) }
    }

    /// Returns at each place the number that the digit there and the one behind it make, if `text` is
    /// of this form.
    #[inline(always)]
    fn pairs(&self, text: [u8; 8]) -> Option<[u8; 8]> {
        let values = u64::from_le_bytes(text) ^ self.characters;
        let wrong = values.wrapping_add(self.room) | values;
        // A number is 99 at most, so that none touches the next.
        let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
        (wrong & Self::HIGHEST_BITS == 0).then(|| pairs.to_le_bytes())
    }
}

/// Splits `.123456789Z` into microseconds and the zone behind them.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', digits_and_zone)) = rest.split_first() else {
        return Some((0, rest));
    };
    let digits = digits_and_zone.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (digits, zone) = digits_and_zone.split_at(digits);
    let micros = (0..6).fold(0, |value, place| {
        value * 10 + digits.get(place).map_or(0, |digit| i64::from(digit - b'0'))
    });
    Some((micros, zone))
}

/// Returns the seconds east of UTC of `Z`, nothing, ` UTC`, `+02:00` or `+0200`.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [] | b"Z" | b"z" | b" UTC" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let two = |tens: &u8, ones: &u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (hours, minutes) = match digits {
        [a, b, b':', c, d] | [a, b, c, d] => (two(a, b)?, two(c, d)?),
        [a, b] => (two(a, b)?, 0),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Prints whole seconds and `Z`, as CloudTrail and IAM's attempts do (O12).
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.civil().to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// A calendar day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// Returns the day `number` days after 1970-01-01.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Returns the days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Returns the first instant of the day.
    pub fn start(self) -> Time {
        Time(i64::from(self.0) * MICROS_PER_DAY)
    }

    /// Returns the last instant of the day, one microsecond before the next one starts.
    pub fn end(self) -> Time {
        Time((i64::from(self.0) + 1) * MICROS_PER_DAY - 1)
    }

    /// Reads `2026-01-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let date = plain.then(|| text.parse::<NaiveDate>().ok())??;
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        i32::try_from(days).ok().map(Self)
    }
}

/// Prints `2026-01-31`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = Days::new(u64::from(self.0.unsigned_abs()));
        let epoch = NaiveDate::default();
        let date =
            if self.0 < 0 { epoch.checked_sub_days(days) } else { epoch.checked_add_days(days) };
        write!(f, "{}", date.unwrap_or(epoch))
    }
}

/// The half-open period `(since, until]` of a report (P2); an absent bound does not bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The latest instant that is too early.
    pub since: Option<Time>,
    /// The latest instant that counts.
    pub until: Option<Time>,
}

impl Period {
    /// Returns whether an attempt at `time` counts.
    pub fn contains(&self, time: Time) -> bool {
        self.since.is_none_or(|since| since < time) && self.until.is_none_or(|until| time <= until)
    }

    /// Returns how much of a day it takes in.
    pub fn share(&self, day: Day) -> Share {
        let ends = self.contains(day.start()) && self.contains(day.end());
        let is_apart = self.since.is_some_and(|since| day.end() <= since)
            || self.until.is_some_and(|until| until < day.start());
        match (ends, is_apart) {
            (true, _) => Share::All,
            (false, true) => Share::None,
            (false, false) => Share::Some,
        }
    }

    /// Returns whether the period bounds nothing.
    pub const fn is_everything(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    /// Returns the period of `length` up to and with `until`.
    pub const fn ending(until: Time, length: TimeDelta) -> Self {
        let micros = length.num_seconds().saturating_mul(MICROS_PER_SECOND);
        Self { since: Some(Time(until.0.saturating_sub(micros))), until: Some(until) }
    }
}

/// How much of a day a period takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    All,
    /// An instant of it at least, and not all.
    Some,
    /// Nothing.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        Time::parse(text.as_bytes()).map(Time::seconds)
    }

    #[test]
    fn event_times_are_read_in_every_form_that_occurs() {
        let expected = Some(1_136_214_245);
        for text in [
            "2006-01-02T15:04:05Z",
            "2006-01-02T15:04:05.123Z",
            "2006-01-02 15:04:05.999999999",
            "2006-01-02 15:04:05 UTC",
            "2006-01-02T17:04:05+02:00",
            "2006-01-02T10:34:05-0430",
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn the_usual_form_is_read_as_a_calendar_reads_it() {
        let mut days = 0;
        for number in (0..4000 * 366).step_by(7) {
            let Some(date) =
                NaiveDate::from_ymd_opt(0, 1, 1).unwrap().checked_add_days(Days::new(number))
            else {
                continue;
            };
            let text = format!("{date}T12:34:56Z");
            let Ok(bytes) = text.as_bytes().try_into() else { continue };
            if let Some(time) = parse_usual(bytes) {
                assert_eq!(Some(time), Time::parse_any(text.as_bytes()), "{text}");
                days += 1;
            }
        }
        assert!(days > 208_000, "{days}");
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-09-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
        ] {
            assert_eq!(Time::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            seconds("2024-02-29T00:00:00Z"),
            seconds("2024-02-28T00:00:00Z").map(|s| s + 86_400)
        );
    }

    #[test]
    fn no_byte_of_the_usual_form_is_taken_for_another() {
        let usual = *b"2026-01-27T19:48:56Z";
        for (at, byte) in (0..usual.len()).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            let mut text = usual;
            text[at] = byte;
            let time = parse_usual(&text);
            let is_digit = byte.is_ascii_digit() && usual[at].is_ascii_digit();
            assert!(time.is_none() || is_digit || byte == usual[at], "{text:?}");
            assert!(time.is_none() || time == Time::parse_any(&text), "{text:?}");
        }
        assert!(parse_usual(&usual).is_some());
    }

    #[test]
    fn fractions_are_kept_to_the_microsecond() {
        let time = Time::parse(b"2006-01-02T15:04:05.123456789Z").unwrap();
        assert_eq!(time.micros() % 1_000_000, 123_456);
        assert_eq!(time.to_string(), "2006-01-02T15:04:05Z");
        assert_eq!(time.to_milliseconds_string(), "2006-01-02T15:04:05.123Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2006-01-02",
            "2006-13-02T15:04:05Z",
            "2006-02-30T15:04:05Z",
            "2006-01-02T25:04:05Z",
            "2006-01-02T15:04:05.Z",
            "2006-01-02T15:04:05Q",
            "2006-01-02T15:04:05+99:00",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+006-01-02T15:04:05Z",
            "2006-01-02T15:04:0éZ",
        ] {
            assert_eq!(Time::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn p2_periods_are_open_at_since_and_closed_at_until() {
        let period =
            Period { since: Some(Time::from_micros(10)), until: Some(Time::from_micros(20)) };
        let inside: Vec<i64> =
            (9..=21).filter(|t| period.contains(Time::from_micros(*t))).collect();
        assert_eq!(inside, (11..=20).collect::<Vec<_>>());
        assert!(Period::default().contains(Time::from_micros(i64::MIN)));
    }

    #[test]
    fn days_print_and_read_back() {
        for text in ["0000-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"] {
            let day = Day::parse(text).unwrap();
            assert_eq!(day.to_string(), text);
            assert_eq!(day.start().day(), day);
            assert_eq!(day.end().day(), day);
        }
        assert_eq!(Day::parse("2026-1-31"), None);
        assert_eq!(Day::parse("0000-01-01"), Some(FIRST_DAY));
        assert_eq!(Day::parse("9999-12-31"), Some(LAST_DAY));
    }
}
