//! The columns of a row's attempts, the same in every kind of report: what AWS does not have.
//!
//! What a column of AWS says of the latest attempt (its time, Region and entity) is not said again.

use super::{Column, Group, Kind};

/// The columns of the kind `K`.
struct OfAttempts<K>(std::marker::PhantomData<K>);

/// Returns the columns, in order.
pub(super) fn columns<K: Kind>() -> &'static Group<K> {
    OfAttempts::<K>::GROUP
}

impl<K: Kind> OfAttempts<K> {
    const GROUP: &'static Group<K> = &Group {
        // Most rows have no attempts, which is a null in each column.
        repeats: |one, other| K::attempts(one).is_none() && K::attempts(other).is_none(),
        columns: Self::COLUMNS,
    };

    const COLUMNS: &'static [Column<K>] = &[
        Column::text("LatestAttemptPrincipal", |row| row.latest()?.principal),
        Column::text("LatestAttemptEventSource", |row| Some(row.latest()?.event_source)),
        Column::text("LatestAttemptEventName", |row| Some(row.latest()?.event_name)),
        Column::event_id("LatestAttemptEventId", |row| row.latest()?.event_id),
        Column::text("LatestAttemptSource", |row| row.latest()?.source),
        Column::time("LatestSuccessTime", |row| Some(row.success()?.time)),
        Column::text("LatestSuccessRegion", |row| row.success()?.region),
        Column::text(K::ENTITY_COLUMNS[0], |row| Some(row.success()?.entity)),
        Column::text("LatestSuccessPrincipal", |row| row.success()?.principal),
        Column::text("LatestSuccessEventSource", |row| Some(row.success()?.event_source)),
        Column::text("LatestSuccessEventName", |row| Some(row.success()?.event_name)),
        Column::event_id("LatestSuccessEventId", |row| row.success()?.event_id),
        Column::text("LatestSuccessSource", |row| row.success()?.source),
        Column::time("LatestDenialTime", |row| Some(row.denial()?.time)),
        Column::text("LatestDenialRegion", |row| row.denial()?.region),
        Column::text(K::ENTITY_COLUMNS[1], |row| Some(row.denial()?.entity)),
        Column::text("LatestDenialPrincipal", |row| row.denial()?.principal),
        Column::text("LatestDenialEventSource", |row| Some(row.denial()?.event_source)),
        Column::text("LatestDenialEventName", |row| Some(row.denial()?.event_name)),
        Column::event_id("LatestDenialEventId", |row| row.denial()?.event_id),
        Column::text("LatestDenialSource", |row| row.denial()?.source),
        Column::time("FirstAttemptTime", |row| Some(row.first()?.time)),
        Column::text("FirstAttemptRegion", |row| row.first()?.region),
        Column::text(K::ENTITY_COLUMNS[2], |row| Some(row.first()?.entity)),
        Column::text("FirstAttemptPrincipal", |row| row.first()?.principal),
        Column::text("FirstAttemptEventSource", |row| Some(row.first()?.event_source)),
        Column::text("FirstAttemptEventName", |row| Some(row.first()?.event_name)),
        Column::event_id("FirstAttemptEventId", |row| row.first()?.event_id),
        Column::text("FirstAttemptSource", |row| row.first()?.source),
    ];
}
