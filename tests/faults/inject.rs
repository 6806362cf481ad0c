//! Runs of the program in which one system call fails, falls short or is the last one: `inject.c` is
//! compiled, and preloaded.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Run;

/// No run takes a hundredth of it.
const LIMIT: Duration = Duration::from_secs(60);

/// What happens to which calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault<'a> {
    /// The kind of calls, as `inject.c` names them.
    pub(super) kind: &'a str,
    /// What happens, as `inject.c` reads it.
    pub(super) effect: &'a str,
    /// To which of the calls, from 1.
    pub(super) at: usize,
    /// Whether it happens to all calls behind that one, too.
    pub(super) lasts: bool,
    /// Whether the call is made first.
    pub(super) is_behind: bool,
    /// The beginning of the paths whose calls count.
    pub(super) under: &'a Path,
}

/// A run, and where the fault hit it.
pub(super) struct Injected {
    pub(super) run: Run,
    /// The path of the last call that was hit.
    pub(super) hit: Option<PathBuf>,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
}

/// Returns the library that makes calls fail; none where it cannot be made or does not work, which
/// is said.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub(super) fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let found = compile();
        if let Err(reason) = &found {
            eprintln!("no fault was injected: {reason}");
        }
        found.ok()
    });
    if library.is_none() {
        eprintln!("did not run: no fault can be injected here");
    }
    library.as_deref()
}

fn compile() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (made, library) =
        (folder.join(format!("inject-{}.so", std::process::id())), folder.join("inject.so"));
    let output = Command::new("cc")
        .args(["-O1", "-fPIC", "-shared", "-o"])
        .arg(&made)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/inject.c"))
        .output()
        .map_err(|error| format!("cc: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    fs::rename(made, &library).unwrap();
    let none = Fault {
        kind: "read",
        effect: "errno:5",
        at: 0,
        lasts: false,
        is_behind: false,
        under: folder,
    };
    let mut command = super::program();
    preload(command.arg("--version"), &none, &library, &folder.join("inject-hits"));
    match command.output().unwrap().status.code() {
        Some(0) => Ok(library),
        // A container may forbid what is needed.
        code => Err(format!("system calls cannot be trapped here: {code:?}")),
    }
}

fn preload(command: &mut Command, fault: &Fault<'_>, library: &Path, hits: &Path) {
    command
        .env("LD_PRELOAD", library)
        .env("INJECT_KIND", fault.kind)
        .env("INJECT_EFFECT", fault.effect)
        .env("INJECT_AT", format!("{}{}", fault.at, if fault.lasts { "+" } else { "" }))
        .env("INJECT_UNDER", fault.under)
        .env("INJECT_HITS", hits);
    if fault.is_behind {
        command.env("INJECT_BEHIND", "1");
    }
}

/// Faults that hit a run of any test of this process.
static HITS: AtomicUsize = AtomicUsize::new(0);

/// Says how many faults hit something so far.
#[expect(clippy::print_stderr, reason = "docs/trust.md has the number")]
pub(super) fn tell_count() {
    eprintln!("faults injected so far: {}", HITS.load(Ordering::Relaxed));
}

/// Runs the program to its end with a fault. Standard output goes to a file, `stdout` in `folder`,
/// where faults may meet it too.
#[track_caller]
pub(super) fn inject(command: &mut Command, fault: &Fault<'_>, folder: &Path) -> Injected {
    preload_of(command, fault, folder);
    let injected = end(command, folder);
    let hits = fs::read_to_string(folder.join("hits")).unwrap_or_default();
    let hit = hits.lines().last().map(PathBuf::from);
    if hit.is_some() {
        HITS.fetch_add(1, Ordering::Relaxed);
    }
    Injected { hit, ..injected }
}

/// Prepares a program that is started and ended by others; a hit shows in `hits` in `folder`.
pub(super) fn preload_of(command: &mut Command, fault: &Fault<'_>, folder: &Path) {
    let hits = folder.join("hits");
    let _ = fs::remove_file(&hits);
    preload(command, fault, library().expect("is asked for before"), &hits);
}

/// Runs the program to its end, with standard output and error in files of `folder`.
#[track_caller]
pub(super) fn end(command: &mut Command, folder: &Path) -> Injected {
    use std::os::unix::process::ExitStatusExt as _;
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let run = Run {
        code: status.code(),
        stdout: fs::read(&stdout).unwrap(),
        stderr: fs::read_to_string(&stderr).unwrap(),
    };
    Injected { run, hit: None, signal: status.signal() }
}

/// A kind of calls, with what may happen to them.
pub(super) type Kind = (&'static str, &'static [&'static str]);

/// All that may happen to reading and writing. 4 is EINTR, 5 EIO, 12 ENOMEM, 24 EMFILE, 28 ENOSPC,
/// 37 ENOLCK, 122 EDQUOT.
pub(super) const KINDS: [Kind; 12] = [
    ("read", &["short:1", "short:0", "errno:4", "errno:5"]),
    ("open", &["errno:4", "errno:5", "errno:24"]),
    ("stat", &["errno:5"]),
    ("list", &["errno:5"]),
    ("map", &["errno:12"]),
    ("write", &["short:1", "short:0", "errno:4", "errno:28"]),
    ("sync", &["errno:5"]),
    ("rename", &["errno:5"]),
    ("close", &["errno:5"]),
    ("mode", &["errno:5"]),
    ("lock", &["errno:37"]),
    ("make", &["errno:28"]),
];

/// Hands one fault after the other to `run`: each effect on each kind of calls, at the first call,
/// the second and so on, until `run` says that it hit nothing; and what lasts from the first or
/// second call on.
pub(super) fn each_fault(kinds: &[Kind], under: &Path, run: &mut dyn FnMut(&Fault<'_>) -> bool) {
    for (kind, effects) in kinds {
        for effect in *effects {
            let fault = Fault { kind, effect, at: 0, lasts: false, is_behind: false, under };
            for at in 1.. {
                if !run(&Fault { at, ..fault }) {
                    break;
                }
            }
            // What is interrupted is done again, for ever.
            if *effect != "errno:4" {
                run(&Fault { at: 1, lasts: true, ..fault });
                run(&Fault { at: 2, lasts: true, ..fault });
            }
        }
    }
}

/// Returns a folder for what a run says, apart from what it reads and writes.
pub(super) fn aside() -> TempDir {
    TempDir::new().unwrap()
}
