//! Where output goes: standard output, or a file that is written whole or not at all.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use tempfile::NamedTempFile;

use super::interrupt;
use crate::emit::EmitError;
use crate::rollup::{self, RollupError};
use crate::source::{Found, Input, Source, UNFINISHED, is_rollup};

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination<'a> {
    /// Standard output.
    Stdout,
    /// A file, pipe or device.
    File(&'a Path),
}

/// What stands where output goes.
enum Target {
    /// A pipe or device, which is written to as it is.
    Stream,
    /// A file, or the place of a new one; of one that exists, what is known of it.
    File(PathBuf, Option<Metadata>),
}

impl<'a> Destination<'a> {
    /// Returns the file, or standard output if there is none.
    pub(super) fn new(file: Option<&'a Path>) -> Self {
        let is_stdout = |file: &Path| file == Path::new("-") || file == Path::new("/dev/stdout");
        file.filter(|file| !is_stdout(file)).map_or(Self::Stdout, Self::File)
    }

    /// Returns whether people read it directly.
    pub(super) fn is_terminal(self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Returns the file that it replaces or makes, every link resolved.
    pub(super) fn file(self) -> Option<PathBuf> {
        match self {
            Self::Stdout => None,
            Self::File(path) => match target(path) {
                Ok(Target::File(file, _)) => Some(file),
                Ok(Target::Stream) | Err(_) => None,
            },
        }
    }

    /// Returns whether both would be written to one place.
    pub(super) fn is_same_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::Stdout, Self::Stdout) => true,
            _ => self.file().is_some_and(|file| other.file() == Some(file)),
        }
    }

    /// Refuses what cannot be written to, before any work is done for it.
    pub(super) fn probe(self) -> anyhow::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        match target(path)? {
            Target::Stream => Ok(()),
            Target::File(file, existing) => {
                Temporary::beside(&file, existing.as_ref()).map(drop).map_err(|it| self.at(it))
            }
        }
    }

    /// Refuses to replace a file that is read, and to write into a rollup.
    pub(super) fn refuse_inputs(self, found: &Found) -> anyhow::Result<()> {
        let Some(file) = self.file() else { return Ok(()) };
        if let Some(rollup) = file.ancestors().find(|folder| is_rollup(folder)) {
            bail!(
                "{}: lies in the rollup {}: write to another place",
                file.display(),
                rollup.display()
            );
        }
        let size = match file.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.at(error)),
        };
        let is_replaced = |path: &Path| path.canonicalize().is_ok_and(|path| path == file);
        // Of many inputs few have the size, and only those are looked at.
        let is_input = |source: &Source| {
            source.size == Some(size)
                && matches!(&source.input, Input::File(path) if is_replaced(&path.to_path_buf()))
        };
        if found.sources.iter().any(is_input) {
            bail!("{}: is one of the inputs: write to another file", file.display());
        }
        Ok(())
    }

    /// Writes what `write` writes.
    pub(super) fn write(
        self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        publish([self.stage(write)?])
    }

    /// Writes what `write` writes to a place where nobody sees it yet. Standard output, pipes and
    /// devices have no such place and get it at once; that their reader goes away is no error.
    pub(super) fn stage(
        self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<Staged> {
        let written = match self {
            Self::Stdout => write_to(io::stdout().lock(), write),
            Self::File(path) => match target(path)? {
                Target::Stream => File::options()
                    .write(true)
                    .open(path)
                    .map_err(anyhow::Error::from)
                    .and_then(|stream| write_to(stream, write)),
                Target::File(file, existing) => {
                    let staged = Temporary::beside(&file, existing.as_ref())
                        .map_err(anyhow::Error::from)
                        .and_then(|temporary| {
                            write_to(temporary.file.as_file(), write)?;
                            temporary.file.as_file().sync_all()?;
                            Ok(temporary)
                        });
                    return match staged {
                        Ok(temporary) => Ok(Staged(Some((temporary, file)))),
                        Err(error) => Err(self.at(error)),
                    };
                }
            },
        };
        match written {
            Err(error) if !is_closed_pipe(&error) => Err(self.at(error)),
            _ => Ok(Staged(None)),
        }
    }

    /// Says of an error that it is this place that cannot be written to, if so it is.
    fn at(self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let error = error.into();
        let place = match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File(path) => path.display().to_string(),
        };
        match system_error(&error) {
            Some(system) => anyhow!("{place}: cannot be written: {}", words(system)),
            None => error.context(place),
        }
    }
}

/// Returns what stands at `path`; refuses what output cannot replace.
fn target(path: &Path) -> anyhow::Result<Target> {
    let name = path.display();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => bail!("{name}: is a directory: name a file in it"),
        Ok(found) if !found.is_file() => Ok(Target::Stream),
        // Renaming would replace it all the same.
        Ok(found) if found.permissions().readonly() => {
            bail!("{name}: is write-protected: name another file, or let it be written")
        }
        Ok(found) => {
            let file = path.canonicalize().map_err(|error| Destination::File(path).at(error))?;
            Ok(Target::File(file, Some(found)))
        }
        Err(_) if path.is_symlink() => {
            bail!("{name}: symbolic link to something that does not exist")
        }
        // What cannot be looked at may be there, and not be ours to replace.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Destination::File(path).at(error)),
        Err(_) => {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            let parent = parent.unwrap_or(Path::new(".")).canonicalize();
            let parent = parent.map_err(|error| Destination::File(path).at(error))?;
            match path.file_name() {
                Some(name) => Ok(Target::File(parent.join(name), None)),
                None => bail!("{name}: is no name of a file"),
            }
        }
    }
}

/// Output that is written but not yet seen under its name.
pub(super) struct Staged(Option<(Temporary, PathBuf)>);

/// Lets all of it be seen.
pub(super) fn publish(staged: impl IntoIterator<Item = Staged>) -> anyhow::Result<()> {
    let mut traces = interrupt::traces();
    for (temporary, file) in staged.into_iter().filter_map(|staged| staged.0) {
        let name = temporary.file.path().to_owned();
        let published = temporary.file.persist(&file);
        traces.temporary.retain(|other| *other != name);
        published.map_err(|error| Destination::File(&file).at(error.error))?;
    }
    Ok(())
}

/// A file that goes away with the value, and when the user asks for an end.
struct Temporary {
    file: NamedTempFile,
}

impl Temporary {
    /// Makes one in the directory of `file`, so that renaming it is one step, with the permissions
    /// that `file` has.
    fn beside(file: &Path, existing: Option<&Metadata>) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As for any new file: what the user's umask leaves.
            let mode = if existing.is_some() { 0o600 } else { 0o666 };
            builder.permissions(Permissions::from_mode(mode));
        }
        let mut traces = interrupt::traces();
        let file = builder.tempfile_in(file.parent().unwrap_or(Path::new(".")))?;
        traces.temporary.push(file.path().to_owned());
        if let Some(existing) = existing {
            file.as_file().set_permissions(existing.permissions())?;
        }
        Ok(Self { file })
    }
}

fn write_to(
    out: impl Write,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Returns the error of the operating system that an error rests on.
fn system_error(error: &anyhow::Error) -> Option<&io::Error> {
    // What a rollup could not read, or put away meanwhile, is not the output.
    if let Some(error) = error.downcast_ref::<RollupError>() {
        return match error {
            RollupError::Write(path, error) if path == Path::new(rollup::STREAM) => Some(error),
            _ => None,
        };
    }
    error.chain().find_map(|cause| match cause.downcast_ref::<EmitError>() {
        Some(EmitError::Write(error)) => Some(error),
        _ => cause.downcast_ref::<io::Error>(),
    })
}

/// Returns whether whoever read our output went away.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    system_error(error).is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Returns what an error of writing says, in this program's words where it has some.
fn words(error: &io::Error) -> String {
    let known = match error.kind() {
        ErrorKind::NotFound => "its directory does not exist",
        ErrorKind::NotADirectory => "a part of its path is not a directory",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::StorageFull => "no space left on the device",
        ErrorKind::QuotaExceeded => "the disk quota is exceeded",
        ErrorKind::FileTooLarge => "larger than the system lets a file grow",
        _ => return error.to_string().split(" (os error ").next().unwrap_or_default().to_owned(),
    };
    known.to_owned()
}
