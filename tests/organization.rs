//! Organization snapshots of every form.
