//! What was found out about the callers met last.

use crate::event::RawIdentity;
use crate::event::scan::Sighting;

/// What was found out about each `userIdentity` that the scanner remembers.
pub(super) struct Callers<C> {
    known: Vec<Option<(Sighting, C)>>,
}

impl<C: Copy> Default for Callers<C> {
    fn default() -> Self {
        Self { known: vec![None; Sighting::PLACES] }
    }
}

impl<C: Copy> Callers<C> {
    /// Returns what `find_out` said of this `userIdentity`, or says of it now.
    #[inline]
    pub(super) fn get(&mut self, identity: RawIdentity<'_>, find_out: impl FnOnce() -> C) -> C {
        let place = identity.sighting.and_then(|sighting| self.known.get_mut(sighting.place()));
        if let Some(Some((sighting, caller))) = &place
            && identity.sighting == Some(*sighting)
        {
            return *caller;
        }
        let caller = find_out();
        if let (Some(place), Some(sighting)) = (place, identity.sighting) {
            *place = Some((sighting, caller));
        }
        caller
    }
}

#[cfg(test)]
mod tests;
