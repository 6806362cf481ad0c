//! Log files that digests list, found among the files of the dump: by their place, by their content
//! wherever that lies, and by their name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::Unlisted;
use super::body::{Body, Content, Hash, standing_of_key, stem};
use super::chain::Node;
use super::digest::S3Object;
use super::status::{DigestStatus, LogStatus};
use crate::source::key::file_name;

/// A log file as it is listed.
type Listed<'b> = (&'b S3Object, Hash);

/// What became of a listed log file, and which file it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) status: LogStatus,
    pub(super) body: Option<usize>,
}

/// What became of all of them.
pub(super) struct Matches<'b> {
    /// Of one log file mostly one; more if several files stand in its place.
    outcomes: HashMap<Listed<'b>, Vec<Outcome>>,
    /// Whether a file is spoken for, of every file.
    is_claimed: Vec<bool>,
    /// The hashes that proven digests list.
    proven: HashSet<Hash>,
}

/// Finds the log files that the digests list.
pub(super) fn find<'b>(nodes: &[Node<'b>], bodies: &'b [Body]) -> Matches<'b> {
    let listed = |is_listing: &dyn Fn(&Node<'b>) -> bool| -> BTreeSet<Listed<'b>> {
        let nodes = nodes.iter().filter(|node| is_listing(node));
        nodes.flat_map(|node| node.digest.log_files.iter().map(|it| (&it.place, it.hash))).collect()
    };
    let proven = listed(&Node::is_proven);
    let unproven = listed(&|node| node.status == DigestStatus::NotVerified);
    let mut matches = Matches {
        outcomes: HashMap::new(),
        is_claimed: vec![false; bodies.len()],
        proven: proven.iter().map(|(_, hash)| *hash).collect(),
    };
    let mut index = Index::of(bodies);
    let rest = unproven.difference(&proven).copied().collect();
    matches.find(proven, &mut index, LogStatus::Valid);
    matches.find(rest, &mut index, LogStatus::NotVerified);
    matches
}

/// The files of the dump by what they are found by. What was taken from a queue is spoken for.
struct Index<'b> {
    bodies: &'b [Body],
    standing: HashMap<&'b str, Vec<usize>>,
    hash: HashMap<Hash, VecDeque<usize>>,
    name: HashMap<&'b str, VecDeque<usize>>,
}

impl<'b> Index<'b> {
    fn of(bodies: &'b [Body]) -> Self {
        let (standing, hash, name) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut index = Self { bodies, standing, hash, name };
        for (number, body) in bodies.iter().enumerate() {
            if let Some(standing) = &body.standing {
                index.standing.entry(standing).or_default().push(number);
            }
            if let Some(hash) = body.hash.filter(|_| !body.followed) {
                index.hash.entry(hash).or_default().push_back(number);
            }
            index.name.entry(stem(file_name(&body.name))).or_default().push_back(number);
        }
        index
    }

    fn body(&self, number: usize) -> Option<&'b Body> {
        self.bodies.get(number)
    }
}

impl<'b> Matches<'b> {
    /// Finds log files; one that is as it is listed has this status.
    fn find(&mut self, listed: BTreeSet<Listed<'b>>, index: &mut Index<'b>, good: LogStatus) {
        let mut by_standing: BTreeMap<String, Vec<Listed<'b>>> = BTreeMap::new();
        for entry in listed {
            let key = &entry.0.key;
            let standing = standing_of_key(key).unwrap_or_else(|| key.to_string());
            by_standing.entry(standing).or_default().push(entry);
        }
        let mut missing = Vec::new();
        for (standing, listed) in by_standing {
            let here = index.standing.get(&*standing).map(Vec::as_slice).unwrap_or_default();
            missing.extend(self.in_place(&listed, here, index, good));
        }
        // Only now: what stands in the place of one log file is no other that was moved.
        let moved = if good == LogStatus::Valid { LogStatus::Moved } else { good };
        let missing = self.elsewhere(missing, &mut index.hash, |(_, hash)| *hash, |_| moved);
        let bodies = index.bodies;
        let missing = self.elsewhere(
            missing,
            &mut index.name,
            |(place, _)| stem(file_name(&place.key)),
            |number| status(bodies.get(number)),
        );
        for entry in missing {
            self.add(entry, Outcome { status: LogStatus::NotFound, body: None });
        }
    }

    /// Finds log files in the place in which all of these are listed; returns those that are not
    /// there.
    fn in_place(
        &mut self,
        listed: &[Listed<'b>],
        here: &[usize],
        index: &Index<'b>,
        good: LogStatus,
    ) -> Vec<Listed<'b>> {
        let mut hashes: BTreeMap<Hash, Option<usize>> =
            listed.iter().map(|(_, hash)| (*hash, None)).collect();
        let mut others = VecDeque::new();
        for number in here.iter().copied() {
            let Some(body) = index.body(number).filter(|_| !self.is_claimed(number)) else {
                continue;
            };
            match body.hash.filter(|_| !body.followed).and_then(|hash| hashes.get_mut(&hash)) {
                Some(found) => _ = found.get_or_insert(number),
                None => others.push_back(number),
            }
            self.claim(number);
        }
        let mut missing = Vec::new();
        for entry in listed {
            match hashes.get(&entry.1).copied().flatten() {
                Some(number) => self.add(*entry, Outcome { status: good, body: Some(number) }),
                None => match others.pop_front() {
                    Some(number) => self.add_wrong(*entry, number, index),
                    None => missing.push(*entry),
                },
            }
        }
        if let Some(first) = listed.first() {
            others.into_iter().for_each(|number| self.add_wrong(*first, number, index));
        }
        missing
    }

    /// Finds log files among the files that are not spoken for, by a key; returns those that are not
    /// there.
    fn elsewhere<K: Eq + std::hash::Hash>(
        &mut self,
        listed: Vec<Listed<'b>>,
        files: &mut HashMap<K, VecDeque<usize>>,
        key: impl Fn(&Listed<'b>) -> K,
        status: impl Fn(usize) -> LogStatus,
    ) -> Vec<Listed<'b>> {
        let mut missing = Vec::new();
        for entry in listed {
            let mut found = None;
            if let Some(files) = files.get_mut(&key(&entry)) {
                while found.is_none()
                    && let Some(number) = files.pop_front()
                {
                    found = Some(number).filter(|number| !self.is_claimed(*number));
                }
            }
            match found {
                Some(number) => {
                    self.claim(number);
                    self.add(entry, Outcome { status: status(number), body: Some(number) });
                }
                None => missing.push(entry),
            }
        }
        missing
    }

    fn add(&mut self, entry: Listed<'b>, outcome: Outcome) {
        self.outcomes.entry(entry).or_default().push(outcome);
    }

    /// Adds that something else stands where this log file should.
    fn add_wrong(&mut self, entry: Listed<'b>, number: usize, index: &Index<'b>) {
        self.add(entry, Outcome { status: status(index.body(number)), body: Some(number) });
    }

    fn claim(&mut self, number: usize) {
        if let Some(is_claimed) = self.is_claimed.get_mut(number) {
            *is_claimed = true;
        }
    }

    fn is_claimed(&self, number: usize) -> bool {
        self.is_claimed.get(number).copied().unwrap_or(true)
    }

    /// Returns what became of a log file as it is listed.
    pub(super) fn outcomes(&self, place: &'b S3Object, hash: Hash) -> &[Outcome] {
        self.outcomes.get(&(place, hash)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns whether a proven digest lists content of this hash.
    pub(super) fn is_proven(&self, body: &Body) -> bool {
        !body.followed && body.hash.is_some_and(|hash| self.proven.contains(&hash))
    }

    /// Returns the files that should be digests and are none, but for those in the place of a log file.
    pub(super) fn malformed_digests(&self, bodies: &'b [Body]) -> impl Iterator<Item = &'b Body> {
        let files = bodies.iter().enumerate();
        let files = files.filter(|(_, body)| matches!(body.content, Content::Digest(None)));
        files.filter(|(number, _)| !self.is_claimed(*number)).map(|(_, body)| body)
    }

    /// Returns the files that no digest speaks for: those that may be log files, and copies.
    pub(super) fn rest(&self, nodes: &[Node<'b>], bodies: &[Body]) -> (Vec<Unlisted>, Vec<String>) {
        let invalid = nodes
            .iter()
            .filter(|node| !node.is_proven() && node.status != DigestStatus::NotVerified);
        let listed: HashSet<&str> = invalid
            .flat_map(|node| node.digest.log_files.iter().map(|it| stem(file_name(&it.place.key))))
            .collect();
        let (mut unlisted, mut copies) = (Vec::new(), Vec::new());
        for (number, body) in bodies.iter().enumerate() {
            let may_be_log = match body.content {
                Content::Digest(_) => false,
                Content::Json => true,
                Content::Blank | Content::Other => body.name.contains("_CloudTrail_"),
            };
            if self.is_claimed(number) || !may_be_log {
                continue;
            }
            if self.is_proven(body) {
                copies.push(body.name.clone());
            } else {
                let is_listed_by_invalid = listed.contains(stem(file_name(&body.name)));
                unlisted.push(Unlisted { path: body.name.clone(), is_listed_by_invalid });
            }
        }
        (unlisted, copies)
    }
}

/// Returns what can be said of a file that is not as it is listed.
fn status(body: Option<&Body>) -> LogStatus {
    match body {
        Some(body) if body.followed => LogStatus::TrailingData,
        Some(body) if body.hash.is_none() => LogStatus::InvalidFormat,
        _ => LogStatus::HashMismatch,
    }
}
