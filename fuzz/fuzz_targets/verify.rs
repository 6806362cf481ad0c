//! Any files as a dump with digests, as saved signatures and as public keys. With the true keys, what
//! is called proven is what was signed, to the byte, whatever the other files say; with any others,
//! files of keys and signatures are refused by name or used.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use trailfold::source::open::Reader;
use trailfold::source::{self, Source};
use trailfold::verify::{
    self, Document, Options, PublicKeys, SavedSignatures, Verification, VerifyError,
};
use trailfold_fuzz::{Place, fed, files, names_its_place, words};

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let place = Place::default();
    fs::create_dir(place.path().join("dump")).expect("there is room for folders");
    let (mut keys, mut has_signatures) = (None, false);
    for (name, content) in files(bytes) {
        if name.starts_with("keys") {
            keys = Some(place.write("keys.json", content));
        } else if name.starts_with("signature") {
            place.write(&format!("signatures/{name}"), content);
            has_signatures = true;
        } else {
            let kind = if name.contains("-Digest") { "CloudTrail-Digest" } else { "CloudTrail" };
            let folder = format!("dump/AWSLogs/111122223333/{kind}/us-east-1/2026/01/15");
            place.write(&format!("{folder}/{name}"), content);
        }
    }
    let signatures = place.path().join("signatures");
    let signatures = has_signatures.then(|| read(&signatures, SavedSignatures::read)).flatten();
    let signatures = signatures.unwrap_or_default();
    let sources = source::find(&[place.path().join("dump").into()]).expect("a directory is read");
    let sources = verify::sources(&sources);
    let bodies = bodies(&sources);

    let (true_keys, true_digests, true_logs) = truth();
    if let Some(verification) = verified(&sources, true_keys, &signatures) {
        tells_the_truth(&verification, &bodies, true_digests, true_logs);
        let of_sources =
            |sources: &[Source]| self::bodies(sources).into_values().collect::<Vec<_>>();
        assert!(of_sources(&verification.proven).iter().all(|it| true_logs.contains(it)));
    }
    if let Some(mut keys) = keys.and_then(|path| read(&path, PublicKeys::read)) {
        verified(&sources, &keys, &signatures);
        keys.extend(read(&testdata("keys.json"), PublicKeys::read).expect("the true keys"));
        verified(&sources, &keys, &signatures);
    }
});

/// Checks that what is called proven was signed.
fn tells_the_truth(
    verification: &Verification,
    bodies: &BTreeMap<String, Vec<u8>>,
    true_digests: &BTreeSet<Vec<u8>>,
    true_logs: &BTreeSet<Vec<u8>>,
) {
    let content = |path: &Option<String>| &bodies[path.as_ref().expect("what is proven is there")];
    for chain in &verification.chains {
        for digest in chain.digests.iter().filter(|it| it.status.proof().is_some()) {
            assert!(true_digests.contains(content(&digest.path)), "{digest:?}");
        }
        for log in chain.log_files.iter().filter(|it| it.status.is_proven()) {
            assert!(true_logs.contains(content(&log.path)), "{log:?}");
        }
    }
    assert!(verification.stray_digests.iter().all(|it| it.status.proof().is_none()));
    assert!(verification.copies.iter().all(|copy| true_logs.contains(&bodies[copy])));
}

/// Verifies the sources, writes what came of it as JSON, and does so again with the sources in
/// another order.
fn verified(
    sources: &[Source],
    keys: &PublicKeys,
    signatures: &SavedSignatures,
) -> Option<Verification> {
    let threads = NonZeroUsize::MIN;
    let options = Options { threads, here: Path::new("/"), progress: &|_| {} };
    let run = |sources: &[Source]| match verify::verify(sources, keys, signatures, &options) {
        Ok(verification) => Some(verification),
        Err(VerifyError::NoDigest) => None,
        Err(error) => panic!("{error}"),
    };
    let json = |verification: &Verification| {
        serde_json::to_string(&Document::new(verification)).expect("a document is JSON")
    };
    let verification = run(sources);
    let reversed: Vec<Source> = sources.iter().rev().cloned().collect();
    let other = run(&reversed);
    assert_eq!(verification.as_ref().map(json), other.as_ref().map(json), "in another order");
    verification
}

/// Reads saved replies; an error names the file.
fn read<T>(path: &Path, read: fn(&Path) -> Result<T, verify::ReplyError>) -> Option<T> {
    let error = match read(path) {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    names_its_place(&words(&error), &[path.to_str().expect("a plain name")]);
    None
}

/// Returns the contents of all bodies by name, as far as they can be read.
fn bodies(sources: &[Source]) -> BTreeMap<String, Vec<u8>> {
    let mut bodies = BTreeMap::new();
    for source in sources {
        Reader::default().read(&source.name(), source, &mut |name, body| {
            let mut content = Vec::new();
            let outcome = body.read_to_end(&mut content);
            bodies.insert(name.to_owned(), content);
            outcome.map(drop)
        });
    }
    bodies
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/verify").join(name)
}

/// Returns the true keys, and the contents of the digests and log files that were signed.
fn truth() -> &'static (PublicKeys, BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    static TRUTH: OnceLock<(PublicKeys, BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>)> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let keys = PublicKeys::read(&testdata("keys.json")).expect("the true keys");
        let found = source::find(&[testdata("dump").into()]).expect("a directory is read");
        let (digests, logs): (BTreeMap<_, _>, BTreeMap<_, _>) = bodies(&verify::sources(&found))
            .into_iter()
            .partition(|(name, _)| name.contains("-Digest_"));
        (keys, digests.into_values().collect(), logs.into_values().collect())
    })
}
