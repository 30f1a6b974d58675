//! Sockets in the file system.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;

/// The file of a socket that this process listens on; removed when dropped.
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

/// Listens at `path`, and takes the place of a socket on which nobody listens.
///
/// It is made beside its place and moved there with its permissions: nobody finds it without them, and whoever replaces a
/// stale one leaves no moment without any.
pub(super) fn bind(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile)> {
    refuse_if_in_use(path)?;
    let beside = beside(path);
    // Left over from a process that had the same id.
    let _ = fs::remove_file(&beside);
    let listener = UnixListener::bind(&beside)?;
    let placed = place(&beside, path, mode);
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    Ok((listener, SocketFile { path: path.to_owned(), inode: placed? }))
}

fn refuse_if_in_use(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Error::new(ErrorKind::AddrInUse, "another process listens there")),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", process::id()));
    PathBuf::from(name)
}

fn place(beside: &Path, path: &Path, mode: u32) -> Result<u64> {
    fs::set_permissions(beside, fs::Permissions::from_mode(mode))?;
    let inode = fs::symlink_metadata(beside)?.ino();
    fs::rename(beside, path)?;
    Ok(inode)
}

impl SocketFile {
    /// Removes the file, unless another process has put its own there.
    pub(super) fn remove(&self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("krp-{}-{name}.sock", process::id()))
    }

    #[test]
    fn a_live_socket_is_left_alone_and_a_stale_one_replaced() {
        let path = path("live");
        let (listener, file) = bind(&path, 0o600).unwrap();
        assert_eq!(bind(&path, 0o600).err().unwrap().kind(), ErrorKind::AddrInUse);
        drop(listener);

        let (_second, second_file) = bind(&path, 0o640).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        drop(file);
        assert!(path.exists(), "it is another one's by now");
        drop(second_file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_never_replaced() {
        let path = path("file");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path, 0o600).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
    }
}
