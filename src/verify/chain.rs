//! Digests, their signatures, and what they come to one behind the other.
//!
//! A signature proves the digest that it fits, wherever it was found; so digests are checked each
//! for itself, in any order, and the chain is looked at afterwards.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;

use super::body::{Body, Content, Hash, bytes_of_hex, standing_of_key, stem};
use super::digest::{Digest, S3Object, Trail};
use super::key::{Found, PublicKeys, is_signed};
use super::log::Matches;
use super::signature::SavedSignatures;
use super::status::{DigestStatus, Proof};
use super::{Chain, DigestResult, Gap, LogResult, Span};
use crate::ingest::{self, IngestError};
use crate::source::key::file_name;
use crate::time::Time;

/// How many files a signature is tried on if nothing tells whose it is.
const MOST_GUESSES: usize = 16;

/// A digest, and the files that hold it.
#[derive(Debug)]
pub(super) struct Node<'b> {
    pub(super) digest: &'b Digest,
    hash: Hash,
    /// By name.
    bodies: Vec<&'b Body>,
    /// What is known of its content; that it was moved is found out later.
    pub(super) status: DigestStatus,
}

impl Node<'_> {
    /// Returns whether what it says is true.
    pub(super) const fn is_proven(&self) -> bool {
        self.status.proof().is_some()
    }

    /// Returns whether it may be true: there are reasons against others.
    fn may_be_true(&self) -> bool {
        self.is_proven() || self.status == DigestStatus::NotVerified
    }

    /// Returns what nodes are sorted by.
    fn order(&self) -> (&Trail, Time, Time, &S3Object, Hash) {
        let Digest { trail, start, end, place, .. } = self.digest;
        (trail, *end, *start, place, self.hash)
    }

    /// Returns what was signed.
    fn signed_text(&self) -> String {
        let Digest { place: S3Object { bucket, key }, end_text, .. } = self.digest;
        let previous = self.digest.previous_signature.as_deref().unwrap_or("null");
        format!("{end_text}\n{bucket}/{key}\n{}\n{previous}", self.hash)
    }
}

/// Returns the digests among the files, by trail and time, the same content once.
pub(super) fn nodes(bodies: &[Body]) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node<'_>> = bodies
        .iter()
        .filter_map(|body| match (&body.content, body.hash) {
            (Content::Digest(Some(digest)), Some(hash)) => {
                Some(Node { digest, hash, bodies: vec![body], status: DigestStatus::NotVerified })
            }
            _ => None,
        })
        .collect();
    // Stable: the files stay in the order of their names.
    nodes.sort_by(|one, other| one.order().cmp(&other.order()));
    nodes.dedup_by(|next, kept| {
        let is_same = (&next.digest.place, next.hash) == (&kept.digest.place, kept.hash);
        if is_same {
            kept.bodies.append(&mut next.bodies);
        }
        is_same
    });
    nodes
}

/// Checks the signature of each.
pub(super) fn check(
    nodes: &mut [Node<'_>],
    keys: &PublicKeys,
    saved: &SavedSignatures,
    threads: NonZeroUsize,
) -> Result<(), IngestError> {
    let mut by_place: HashMap<&S3Object, Vec<usize>> = HashMap::new();
    let mut by_content: HashMap<(&S3Object, Hash), usize> = HashMap::new();
    for (number, Node { digest, hash, .. }) in nodes.iter().enumerate() {
        by_place.entry(&digest.place).or_default().push(number);
        by_content.insert((&digest.place, *hash), number);
    }
    let mut of_successors: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); nodes.len()];
    for node in &*nodes {
        let Digest { previous: Some(previous), previous_signature: Some(signature), .. } =
            node.digest
        else {
            continue;
        };
        // Of several files that pass for it the hash tells which is meant, so that a digest mostly
        // costs one check, however many pass for each other.
        let place = &previous.place;
        let meant = previous.hash.and_then(|hash| by_content.get(&(place, hash)));
        let guesses = by_place.get(place).filter(|_| meant.is_none());
        let guesses = guesses.into_iter().flatten().take(MOST_GUESSES);
        for number in meant.into_iter().chain(guesses) {
            if let Some(signatures) = of_successors.get_mut(*number) {
                signatures.insert(signature);
            }
        }
    }
    let work: Vec<(&Node<'_>, BTreeSet<&str>)> = nodes.iter().zip(of_successors).collect();
    let found = ingest::in_parallel(&work, threads, |(node, of_successors)| {
        signature(node, of_successors, keys, saved)
    })?;
    for (node, status) in nodes.iter_mut().zip(found) {
        node.status = status;
    }
    contradict(nodes);
    Ok(())
}

/// Returns what the signatures say that somebody has for a digest.
fn signature(
    node: &Node<'_>,
    of_successors: &BTreeSet<&str>,
    keys: &PublicKeys,
    saved: &SavedSignatures,
) -> DigestStatus {
    let digest = node.digest;
    let named = saved.of(digest.file_name());
    let generated = named.iter().find_map(|saved| saved.generated);
    let fingerprint = || digest.fingerprint.to_string();
    let key = match keys.find(digest, generated) {
        Found::Key(key) => key,
        Found::Unreadable => return DigestStatus::KeyUnreadable { fingerprint: fingerprint() },
        Found::Missing(validity) => {
            let region = digest.trail.home_region.clone();
            return DigestStatus::KeyNotFound { region, fingerprint: fingerprint(), validity };
        }
    };
    let text = node.signed_text();
    let fits = |signature: &[u8]| is_signed(key, text.as_bytes(), signature);
    if of_successors.iter().any(|it| bytes_of_hex(it).is_some_and(|it| fits(&it))) {
        DigestStatus::Valid(Proof::Successor)
    } else if named.iter().chain(saved.nameless()).any(|saved| fits(&saved.signature)) {
        DigestStatus::Valid(Proof::Saved)
    } else if named.is_empty() {
        DigestStatus::NotVerified
    } else {
        DigestStatus::SignatureFailed
    }
}

/// Makes invalid what is known to have had a signature: where a proven successor holds one, and it does
/// not fit.
fn contradict<'b>(nodes: &mut [Node<'b>]) {
    let proven = nodes.iter().filter(|node| node.is_proven());
    let proven = proven.map(|node| node.digest).filter(|it| it.previous_signature.is_some());
    let named: HashSet<&'b S3Object> =
        proven.filter_map(|digest| Some(&digest.previous.as_ref()?.place)).collect();
    for node in nodes {
        if node.status == DigestStatus::NotVerified && named.contains(&node.digest.place) {
            node.status = DigestStatus::SignatureFailed;
        }
    }
}

/// What results are made from, beside the digests.
pub(super) struct Around<'a, 'b> {
    pub(super) bodies: &'b [Body],
    pub(super) matches: &'a Matches<'b>,
    pub(super) saved: &'a SavedSignatures,
}

/// Returns the results by trail, and those of files of which nothing tells what digests they are.
pub(super) fn results(
    nodes: &[Node<'_>],
    around: &Around<'_, '_>,
) -> (Vec<Chain>, Vec<DigestResult>) {
    let mut malformed: HashMap<Trail, Vec<&Body>> = HashMap::new();
    let mut trails: BTreeSet<Trail> = nodes.iter().map(|node| node.digest.trail.clone()).collect();
    let mut stray = Vec::new();
    for body in around.matches.malformed_digests(around.bodies) {
        match Trail::of_key(&body.name.replace('\\', "/")) {
            Some(trail) => {
                trails.insert(trail.clone());
                malformed.entry(trail).or_default().push(body);
            }
            None => stray.push(malformed_digest(body, None)),
        }
    }
    let chains = trails.into_iter().map(|trail| {
        let from = nodes.partition_point(|node| node.digest.trail < trail);
        let to = nodes.partition_point(|node| node.digest.trail <= trail);
        let nodes = nodes.get(from..to).unwrap_or_default();
        let malformed = malformed.remove(&trail).unwrap_or_default();
        chain(trail, nodes, &malformed, around)
    });
    (chains.collect(), stray)
}

fn malformed_digest(body: &Body, place: Option<&S3Object>) -> DigestResult {
    let status =
        if body.followed { DigestStatus::TrailingData } else { DigestStatus::InvalidFormat };
    DigestResult { place: place.cloned(), path: Some(body.name.clone()), span: None, status }
}

/// Returns the results of one trail.
fn chain(trail: Trail, nodes: &[Node<'_>], malformed: &[&Body], around: &Around<'_, '_>) -> Chain {
    let mut digests: Vec<DigestResult> = nodes.iter().flat_map(of_node).collect();
    let (missing, begins_after) = missing(nodes, malformed, &digests);
    digests.extend(missing);
    let names = around.saved.names(&trail);
    let gone = gone(names, nodes, malformed, &digests, begins_after.as_ref());
    digests.extend(gone);
    digests.sort_by_cached_key(|result| {
        let place = result.place.as_ref().map(|place| place.key.to_string());
        let name = place.or_else(|| result.path.clone()).unwrap_or_default();
        (time_of_name(&name).to_owned(), name, result.path.clone())
    });
    let mut log_files = Vec::new();
    let mut whole = Vec::new();
    for node in nodes.iter().filter(|node| node.may_be_true()) {
        let before = log_files.len();
        for log_file in &node.digest.log_files {
            for outcome in around.matches.outcomes(&log_file.place, log_file.hash) {
                let path = outcome.body.and_then(|number| around.bodies.get(number));
                log_files.push(LogResult {
                    place: log_file.place.clone(),
                    path: path.map(|body| body.name.clone()),
                    status: outcome.status,
                });
            }
        }
        let its_own = log_files.get(before..).unwrap_or_default();
        if node.is_proven() && its_own.iter().all(|it: &LogResult| it.status.is_proven()) {
            whole.push(node);
        }
    }
    let proven: Vec<&Node<'_>> = nodes.iter().filter(|node| node.is_proven()).collect();
    Chain {
        digests,
        log_files,
        gaps: if trail.backfill { Vec::new() } else { gaps(&proven) },
        found: span(&proven),
        proven: if trail.backfill { Vec::new() } else { spans(&whole) },
        begins_after,
        trail,
    }
}

/// Returns the results of a digest: one, and one more for every file in which it passes for another.
fn of_node<'n>(node: &'n Node<'_>) -> impl Iterator<Item = DigestResult> + use<'n> {
    let Digest { place, start, end, .. } = node.digest;
    let standing = standing_of_key(&place.key);
    let in_place =
        node.bodies.iter().find(|body| body.standing.is_some() && body.standing == standing);
    let named = |body: &&Body| stem(file_name(&body.name)) == stem(node.digest.file_name());
    let first = in_place.or_else(|| node.bodies.iter().find(|body| named(body)));
    let first = first.or(node.bodies.first()).copied();
    let result = move |body: Option<&Body>, is_moved: bool| DigestResult {
        place: Some(place.clone()),
        path: body.map(|body| body.name.clone()),
        span: Some((*start, *end)),
        status: match &node.status {
            DigestStatus::Valid(proof) if is_moved => DigestStatus::Moved(*proof),
            status => status.clone(),
        },
    };
    let others = node.bodies.iter().copied().filter(move |body| {
        let is_first = first.is_some_and(|first| std::ptr::eq(first, *body));
        !is_first && !named(body)
    });
    std::iter::once(result(first, in_place.is_none()))
        .chain(others.map(move |body| result(Some(body), true)))
}

/// Returns the digests that others name and that are not there, and those files that should be
/// digests. The one before all others is no missing one: a dump begins somewhere.
fn missing(
    nodes: &[Node<'_>],
    malformed: &[&Body],
    found: &[DigestResult],
) -> (Vec<DigestResult>, Option<S3Object>) {
    let places: HashSet<&S3Object> = nodes.iter().map(|node| &node.digest.place).collect();
    let mut malformed: Vec<(&Body, bool)> = malformed.iter().map(|body| (*body, false)).collect();
    let standing: HashMap<&str, usize> = malformed
        .iter()
        .enumerate()
        .filter_map(|(number, (body, _))| Some((body.standing.as_deref()?, number)))
        .collect();
    let times = found.iter().filter_map(|result| result.place.as_ref());
    let times = times.map(|place| time_of_name(&place.key));
    let names = malformed.iter().map(|(body, _)| time_of_name(&body.name));
    let earliest = times.chain(names).min().map(str::to_owned);
    let (mut results, mut begins_after, mut known) = (Vec::new(), None, HashSet::new());
    for node in nodes.iter().filter(|node| node.may_be_true()) {
        let Some(previous) = &node.digest.previous else { continue };
        let place = &previous.place;
        if places.contains(place) || !known.insert(place) {
            continue;
        }
        let number = standing_of_key(&place.key).and_then(|it| standing.get(&*it).copied());
        if let Some((body, is_placed)) = number.and_then(|number| malformed.get_mut(number)) {
            *is_placed = true;
            results.push(malformed_digest(body, Some(place)));
        } else if Some(time_of_name(&node.digest.place.key)) == earliest.as_deref() {
            begins_after = Some(place.clone());
        } else {
            let status = DigestStatus::NotFound;
            results.push(DigestResult {
                place: Some(place.clone()),
                path: None,
                span: None,
                status,
            });
        }
    }
    let rest = malformed.iter().filter(|(_, is_placed)| !is_placed);
    results.extend(rest.map(|(body, _)| malformed_digest(body, None)));
    (results, begins_after)
}

/// Returns the digests whose signatures were saved and that are not there, though the chain begins before
/// them. Where the last ones of a chain were taken away, nothing else tells of them.
fn gone(
    names: &BTreeSet<String>,
    nodes: &[Node<'_>],
    malformed: &[&Body],
    found: &[DigestResult],
    begins_after: Option<&S3Object>,
) -> Vec<DigestResult> {
    let Some(first) = nodes.first().map(|node| &node.digest.place) else { return Vec::new() };
    let places = found.iter().filter_map(|result| result.place.as_ref()).chain(begins_after);
    let known: HashSet<&str> = places
        .map(|place| stem(file_name(&place.key)))
        .chain(malformed.iter().map(|body| stem(file_name(&body.name))))
        .collect();
    // `…/REGION/YYYY/MM/DD/NAME`.
    let Some(region) = first.key.rsplitn(5, '/').nth(4) else { return Vec::new() };
    let is_gone = |name: &&String| {
        !known.contains(stem(name)) && time_of_name(name) > time_of_name(&first.key)
    };
    let result = |name: &String| {
        let time = time_of_name(name);
        let [year, month, day] = [0..4, 4..6, 6..8].map(|part| time.get(part).unwrap_or_default());
        let key = format!("{region}/{year}/{month}/{day}/{name}").into();
        let place = S3Object { bucket: first.bucket.clone(), key };
        DigestResult { place: Some(place), path: None, span: None, status: DigestStatus::NotFound }
    };
    names.iter().filter(is_gone).map(result).collect()
}

/// Returns the times between digests of which none says anything.
fn gaps(proven: &[&Node<'_>]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut until = None;
    for node in proven {
        let Digest { start, end, previous, .. } = node.digest;
        if let Some(from) = until.filter(|until| until < start) {
            gaps.push(Gap { from, to: *start, is_restart: previous.is_none() });
        }
        until = until.max(Some(*end));
    }
    gaps
}

/// Returns from where to where digests reach.
fn span(nodes: &[&Node<'_>]) -> Option<Span> {
    let start = nodes.iter().map(|node| node.digest.start).min()?;
    let end = nodes.iter().map(|node| node.digest.end).max()?;
    Some((start, end))
}

/// Returns the times that digests cover one behind the other.
fn spans(nodes: &[&Node<'_>]) -> Vec<Span> {
    let places: HashSet<&S3Object> = nodes.iter().map(|node| &node.digest.place).collect();
    let mut spans: Vec<Span> = Vec::new();
    for node in nodes {
        let Digest { start, end, previous, .. } = node.digest;
        let is_joined = previous.as_ref().is_none_or(|previous| places.contains(&previous.place));
        match spans.last_mut() {
            Some((_, until)) if is_joined && start <= until => *until = (*until).max(*end),
            _ => spans.push((*start, *end)),
        }
    }
    spans
}

/// Returns the time in the name of a digest, which sorts as text.
fn time_of_name(name: &str) -> &str {
    let name = stem(file_name(name));
    let name = name.strip_suffix(".json").unwrap_or(name);
    let name = name.strip_suffix("_backfill").unwrap_or(name);
    name.rsplit('_').next().unwrap_or_default()
}
