//! Sort keys, pages and markers (O7, O8).

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::RequestError;
use super::constraint::Violations;

/// `SortKey` (O7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// `SERVICE_NAMESPACE_ASCENDING`: namespaces in byte order.
    #[default]
    ServiceNamespaceAscending,
    /// `SERVICE_NAMESPACE_DESCENDING`.
    ServiceNamespaceDescending,
    /// `LAST_AUTHENTICATED_TIME_ASCENDING`: never accessed first, ties by namespace.
    LastAuthenticatedTimeAscending,
    /// `LAST_AUTHENTICATED_TIME_DESCENDING`: the exact reverse.
    LastAuthenticatedTimeDescending,
}

impl SortKey {
    /// Every sort key.
    pub const ALL: [Self; 4] = [
        Self::ServiceNamespaceAscending,
        Self::ServiceNamespaceDescending,
        Self::LastAuthenticatedTimeAscending,
        Self::LastAuthenticatedTimeDescending,
    ];

    /// Returns AWS's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceNamespaceAscending => "SERVICE_NAMESPACE_ASCENDING",
            Self::ServiceNamespaceDescending => "SERVICE_NAMESPACE_DESCENDING",
            Self::LastAuthenticatedTimeAscending => "LAST_AUTHENTICATED_TIME_ASCENDING",
            Self::LastAuthenticatedTimeDescending => "LAST_AUTHENTICATED_TIME_DESCENDING",
        }
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which rows of a report are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page<'a> {
    /// `MaxItems`, 1 to 1000; none asks for all rows.
    pub max_items: Option<usize>,
    /// `Marker` of the page before.
    pub marker: Option<&'a str>,
    /// `JobId` of the job whose report it is, where there are jobs: its markers are for no other.
    pub job_id: Option<&'a str>,
}

impl Page<'_> {
    /// Returns the fingerprint and the place that the marker holds, if there is one.
    ///
    /// # Errors
    ///
    /// `ValidationError` if `max_items` is out of range or the marker is none of ours (O8).
    pub(crate) fn read(&self) -> Result<Option<(u64, usize)>, RequestError> {
        let mut violations = Violations::default();
        self.max_items.inspect(|items| violations.max_items(*items));
        violations.result()?;
        let invalid = || RequestError::validation("Invalid Marker.");
        self.marker.map(|marker| read_marker(marker).ok_or_else(invalid)).transpose()
    }
}

/// Puts rows into the order of a report: by namespace, or by whole seconds of their latest attempt.
pub(crate) fn sort<T>(rows: &mut [T], key: SortKey, place: impl Fn(&T) -> (Option<i64>, &str)) {
    rows.sort_unstable_by(|one, other| {
        let ((time, namespace), (other_time, other_namespace)) = (place(one), place(other));
        let by_namespace = namespace.cmp(other_namespace);
        match key {
            SortKey::ServiceNamespaceAscending => by_namespace,
            SortKey::ServiceNamespaceDescending => by_namespace.reverse(),
            SortKey::LastAuthenticatedTimeAscending => time.cmp(&other_time).then(by_namespace),
            SortKey::LastAuthenticatedTimeDescending => {
                time.cmp(&other_time).then(by_namespace).reverse()
            }
        }
    });
}

/// Cuts `rows`, sorted, down to the page asked for, and returns the marker of the next one.
///
/// A marker holds the place of the next row and a fingerprint of the report it came from:
/// `bound_to`, its job and every row. It fits no other report and no other order.
///
/// # Errors
///
/// `ValidationError` if `max_items` is out of range or the marker is none of ours, `InvalidInput`
/// if it belongs to another report or another sort key (O8).
pub(crate) fn cut<T>(
    rows: &mut Vec<T>,
    page: &Page<'_>,
    bound_to: impl std::hash::Hash,
    place: impl Fn(&T) -> (Option<i64>, &str),
) -> Result<Option<String>, RequestError> {
    let marker = page.read()?;
    if marker.is_none() && page.max_items.is_none() {
        return Ok(None);
    }
    let mut hasher = DefaultHasher::new();
    bound_to.hash(&mut hasher);
    page.job_id.inspect(|id| id.hash(&mut hasher));
    rows.iter().for_each(|row| place(row).hash(&mut hasher));
    let fingerprint = hasher.finish();
    let start = match marker {
        None => 0,
        Some((of, start)) => {
            // No page ends before the first row.
            if of != fingerprint || start == 0 || start >= rows.len() {
                return Err(RequestError::invalid_input(
                    "The marker passed in the request was invalid.",
                ));
            }
            start
        }
    };
    rows.drain(..start);
    let end = page.max_items.filter(|items| *items < rows.len());
    Ok(end.map(|items| {
        rows.truncate(items);
        format!("{fingerprint:016x}{:08x}", start + items)
    }))
}

/// Reads the fingerprint and the place out of a marker.
fn read_marker(marker: &str) -> Option<(u64, usize)> {
    let is_ours =
        marker.len() == 24 && marker.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (fingerprint, start) = is_ours.then(|| marker.split_at_checked(16))??;
    Some((u64::from_str_radix(fingerprint, 16).ok()?, usize::from_str_radix(start, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (Option<i64>, &'static str);

    const ROWS: [Row; 5] =
        [(Some(2), "iam"), (None, "s3"), (Some(1), "ec2"), (None, "acm"), (Some(2), "a2c")];

    fn place(row: &Row) -> (Option<i64>, &str) {
        *row
    }

    fn sorted(key: SortKey) -> Vec<&'static str> {
        let mut rows = ROWS;
        sort(&mut rows, key, place);
        rows.iter().map(|row| row.1).collect()
    }

    #[test]
    fn o7_rows_without_a_time_are_the_oldest_and_ties_go_by_namespace() {
        assert_eq!(sorted(SortKey::ServiceNamespaceAscending), ["a2c", "acm", "ec2", "iam", "s3"]);
        assert_eq!(
            sorted(SortKey::LastAuthenticatedTimeAscending),
            ["acm", "s3", "ec2", "a2c", "iam"]
        );
    }

    #[test]
    fn o7_descending_is_the_exact_reverse_of_ascending() {
        for (ascending, descending) in [
            (SortKey::ServiceNamespaceAscending, SortKey::ServiceNamespaceDescending),
            (SortKey::LastAuthenticatedTimeAscending, SortKey::LastAuthenticatedTimeDescending),
        ] {
            let mut reversed = sorted(descending);
            reversed.reverse();
            assert_eq!(sorted(ascending), reversed);
        }
    }

    fn page(
        max_items: usize,
        marker: Option<&str>,
        of: u8,
    ) -> Result<(Vec<Row>, Option<String>), RequestError> {
        let mut rows = ROWS.to_vec();
        let page = Page { max_items: Some(max_items), marker, job_id: None };
        let next = cut(&mut rows, &page, of, place)?;
        Ok((rows, next))
    }

    #[test]
    fn o8_pages_join_up_to_the_whole_report_whatever_their_size() {
        for size in 1..=6 {
            let (mut all, mut marker) = page(size, None, 7).unwrap();
            while let Some(next) = marker {
                let (rows, following) = page(size, Some(&next), 7).unwrap();
                assert!(!rows.is_empty() && rows.len() <= size);
                all.extend(rows);
                marker = following;
            }
            assert_eq!(all, ROWS);
        }
    }

    #[test]
    fn o8_a_marker_of_another_report_is_invalid_input_and_garbage_a_validation_error() {
        let marker = page(2, None, 7).unwrap().1.unwrap();
        assert!((1..=320).contains(&marker.len()));
        assert_eq!(page(2, Some(&marker), 8).unwrap_err().code, "InvalidInput");
        let first = format!("{}00000000", marker.strip_suffix("00000002").unwrap());
        assert_eq!(page(2, Some(&first), 7).unwrap_err().code, "InvalidInput");
        for garbage in ["", "x", "0123", &marker.to_uppercase(), &format!("{marker}0")] {
            if garbage != marker {
                assert_eq!(page(2, Some(garbage), 7).unwrap_err().code, "ValidationError");
            }
        }
    }

    #[test]
    fn o8_a_marker_of_one_job_is_invalid_for_another_with_the_same_rows() {
        let of_job = |job_id, marker| {
            cut(&mut ROWS.to_vec(), &Page { max_items: Some(2), marker, job_id }, 7, place)
        };
        let marker = of_job(Some("one"), None).unwrap().unwrap();
        assert!(of_job(Some("one"), Some(&marker)).is_ok());
        for other in [Some("other"), None] {
            assert_eq!(of_job(other, Some(&marker)).unwrap_err().code, "InvalidInput");
        }
    }

    #[test]
    fn o8_max_items_goes_from_1_to_1000() {
        assert_eq!(page(0, None, 7).unwrap_err().code, "ValidationError");
        assert_eq!(page(1001, None, 7).unwrap_err().code, "ValidationError");
        assert!(page(1000, None, 7).is_ok());
    }
}
