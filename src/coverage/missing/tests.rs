//! Holes in the hours of log files.

use super::*;

/// Returns the hours that are missing, counted from the first of January of 2026, of the hours that
/// have files.
fn holes(hours: impl IntoIterator<Item = i64>) -> Vec<(i64, i64)> {
    let start = Time::parse(b"2026-01-01T00:00:00Z").unwrap().micros() / MICROS_PER_HOUR;
    let mut all = LogFileHours::default();
    for hour in hours {
        let time = Time::from_micros((start + hour) * MICROS_PER_HOUR + 300_000_000);
        let digits: String =
            time.to_string().chars().filter(|it| it.is_ascii_alphanumeric()).take(13).collect();
        all.add(&format!("111122223333_CloudTrail_eu-west-1_{digits}Z_0123456789abcdef.json.gz"));
    }
    let found = all.missing(Period::default());
    assert!(found.iter().all(|it| it.account_id == "111122223333" && it.region == "eu-west-1"));
    found
        .into_iter()
        .map(|it| [it.from, it.to].map(|time| time.micros() / MICROS_PER_HOUR - start))
        .map(|[from, to]| (from, to))
        .collect()
}

const MONTH: i64 = 30 * DAY;

fn is_office_hour(hour: &i64) -> bool {
    // The first of January of 2026 is a Thursday.
    let weekday = (hour / DAY + 3) % 7;
    weekday < 5 && (8..18).contains(&(hour % DAY))
}

#[test]
fn what_is_never_missing_is_no_hole() {
    assert_eq!(holes([]), []);
    assert_eq!(holes([5]), []);
    assert_eq!(holes(0..MONTH), []);
}

#[test]
fn a_hole_in_busy_hours_is_found_whatever_its_length() {
    for length in [1, 5, DAY, 2 * DAY, WEEK, 10 * DAY, 15 * DAY] {
        let hole = 8 * DAY + 3..8 * DAY + 3 + length;
        let hours = (0..2 * MONTH).filter(|hour| !hole.contains(hour));
        assert_eq!(holes(hours), [(hole.start, hole.end)], "{length}");
    }
}

#[test]
fn holes_beside_one_another_are_found() {
    let gone = [[200, 203], [205, 215], [216, 217], [224, 230]];
    let hours = (0..MONTH).filter(|hour| gone.iter().all(|[a, b]| !(*a..*b).contains(hour)));
    assert_eq!(holes(hours), gone.map(|[from, to]| (from, to)));
}

#[test]
fn nights_weekends_and_idle_regions_are_no_holes() {
    assert_eq!(holes((0..MONTH).filter(is_office_hour)), []);
    assert_eq!(holes((0..MONTH).filter(|hour| hour / DAY % 7 != 3)), [], "no Sundays");
    assert_eq!(holes([1, 50, 77, 300, 301, 302, 500]), []);
}

#[test]
fn a_day_without_files_among_working_days_is_a_hole() {
    // A Tuesday.
    let hours = (0..MONTH).filter(is_office_hour).filter(|hour| hour / DAY != 12);
    assert_eq!(holes(hours), [(12 * DAY + 8, 12 * DAY + 18)]);
    let nightly = (0..MONTH).filter(|hour| hour % DAY == 3 && hour / DAY != 12);
    assert_eq!(holes(nightly), [(12 * DAY + 3, 12 * DAY + 4)]);
}

#[test]
fn what_lies_more_than_a_year_apart_is_two_dumps() {
    let apart = |days: i64| holes((0..MONTH).chain(days * DAY..days * DAY + MONTH));
    assert_eq!(apart(390), [(MONTH, 390 * DAY)]);
    assert_eq!(apart(400), []);
}

#[test]
fn the_order_of_names_does_not_matter() {
    let hours: Vec<i64> = (0..MONTH).filter(|hour| !(100..103).contains(hour)).collect();
    let mut turned: Vec<i64> = hours.iter().rev().chain(&hours).copied().collect();
    turned.rotate_left(333);
    assert_eq!(holes(turned), [(100, 103)]);
}

#[test]
fn p2_only_hours_of_the_period_count() {
    let name = |hour: i64| {
        format!(
            "111122223333_CloudTrail_eu-west-1_202601{:02}T{:02}05Z_x.json",
            1 + hour / DAY,
            hour % DAY
        )
    };
    let missing = |since: &str, until: &str| {
        let mut all = LogFileHours::default();
        (0..MONTH).filter(|hour| *hour != 250).for_each(|hour| all.add(&name(hour)));
        let bound = |text: &str| Time::parse(text.as_bytes());
        all.missing(Period { since: bound(since), until: bound(until) }).len()
    };
    // It is that from ten to eleven o'clock on the eleventh.
    assert_eq!(missing("", ""), 1);
    assert_eq!(missing("2026-01-11T10:30:00Z", ""), 1);
    assert_eq!(missing("2026-01-11T11:00:00Z", ""), 0);
    assert_eq!(missing("", "2026-01-11T10:00:00Z"), 1);
    assert_eq!(missing("", "2026-01-11T09:59:59Z"), 0);
}
