//! Where output goes: standard output, or a file that is written whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use anyhow::Context as _;
use tempfile::NamedTempFile;

use super::interrupt;

/// Where output goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination<'a> {
    /// Standard output.
    Stdout,
    /// A file, pipe or device.
    File(&'a Path),
}

impl<'a> Destination<'a> {
    /// Returns the file, or standard output if there is none.
    pub(super) fn new(file: Option<&'a Path>) -> Self {
        file.filter(|file| *file != Path::new("-")).map_or(Self::Stdout, Self::File)
    }

    /// Returns whether people read it directly.
    pub(super) fn is_terminal(self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Writes what `write` writes.
    pub(super) fn write(
        self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.stage(write)?.publish()
    }

    /// Writes what `write` writes to a place where nobody sees it yet. Standard output, pipes and
    /// devices have no such place and get it at once.
    pub(super) fn stage(
        self,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<Staged<'a>> {
        let Self::File(path) = self else {
            write_to(io::stdout().lock(), write)?;
            return Ok(Staged(None));
        };
        let file = || format!("{}", path.display());
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let device = File::options().write(true).open(path).with_context(file)?;
            write_to(device, write).with_context(file)?;
            return Ok(Staged(None));
        }
        let mut temporary = temporary_beside(path).with_context(file)?;
        write_to(temporary.as_file_mut(), write).with_context(file)?;
        temporary.as_file().sync_all().with_context(file)?;
        Ok(Staged(Some((temporary, path))))
    }
}

/// Output that is written but not yet seen under its name.
pub(super) struct Staged<'a>(Option<(NamedTempFile, &'a Path)>);

impl Staged<'_> {
    /// Lets it be seen.
    pub(super) fn publish(self) -> anyhow::Result<()> {
        if let Some((temporary, path)) = self.0 {
            let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            temporary
                .persist(target)
                .map_err(|error| error.error)
                .with_context(|| format!("{}", path.display()))?;
        }
        Ok(())
    }
}

/// Makes a file in the same directory, so that renaming it is one step.
fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trailfold-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As for any new file: what the user's umask leaves.
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

fn write_to(
    out: impl Write,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, Interruptible(out));
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Ends with an error when the user asks for an end, so that a temporary file is removed.
struct Interruptible<W>(W);

impl<W: Write> Write for Interruptible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupt::was_requested() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
