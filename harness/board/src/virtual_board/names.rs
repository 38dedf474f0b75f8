//! Names in the file system that a virtual board makes: sockets, and links to pseudo-terminals. What somebody else has
//! put there stays.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Where pseudo-terminals are (pty(7)).
const TERMINALS: &str = "/dev/pts/";

/// A socket that listens, under a name that goes with it.
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`, without blocking. A socket there at which nobody listens any more is replaced.
    pub(super) fn listen(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(there) if !there.file_type().is_socket() => return Err(taken(path, "is there already, and no socket")),
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(taken(path, "is another board's socket")),
            Ok(_) => fs::remove_file(path)?,
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.file_type().is_socket()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A link that leads to a pseudo-terminal, and goes when this is dropped.
pub(super) struct Symlink {
    path: PathBuf,
    target: PathBuf,
}

impl Symlink {
    /// Makes `path` lead to `target`. A link there that a board may have made is replaced.
    pub(super) fn new(path: &Path, target: &Path) -> io::Result<Self> {
        match fs::read_link(path) {
            Ok(there) if there.starts_with(TERMINALS) => fs::remove_file(path)?,
            Ok(_) => return Err(taken(path, "is there already, and leads to no pseudo-terminal")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // EINVAL: no link (readlink(2)).
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(taken(path, "is there already, and no link"));
            }
            Err(error) => return Err(error),
        }
        std::os::unix::fs::symlink(target, path)?;
        Ok(Self { path: path.to_owned(), target: target.to_owned() })
    }
}

impl Drop for Symlink {
    fn drop(&mut self) {
        if fs::read_link(&self.path).is_ok_and(|there| there == self.target) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn taken(path: &Path, words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, format!("{} {words}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that goes with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("board-names-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            Self(folder)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn nothing_is_replaced_but_what_a_board_has_left() {
        let place = Place::new("replaced");
        let (file, folder) = (place.0.join("file"), place.0.join("folder"));
        let (link, other) = (place.0.join("link"), place.0.join("other"));
        fs::write(&file, "mine").expect("a file");
        fs::create_dir(&folder).expect("a folder");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        for there in [&file, &folder, &link] {
            let why = Socket::listen(there).err().expect("it is somebody's").to_string();
            assert!(why.contains("no socket"), "{why}");
            assert!(Symlink::new(there, Path::new("/dev/pts/0")).is_err());
        }
        assert_eq!(fs::read_to_string(&link).expect("all is there"), "mine");
        assert!(folder.is_dir());
        // What a board has left that was killed.
        drop(UnixListener::bind(&other).expect("a socket"));
        let socket = Socket::listen(&other).expect("nobody listens there any more");
        assert!(Socket::listen(&other).err().expect("somebody does").to_string().contains("another board"));
        drop(socket);
        assert!(!other.exists());
        std::os::unix::fs::symlink("/dev/pts/99999", &other).expect("a link");
        drop(Symlink::new(&other, Path::new("/dev/pts/99998")).expect("a board's link"));
        assert!(fs::symlink_metadata(&other).is_err(), "it goes with its board");
    }

    #[test]
    fn what_somebody_else_put_in_its_place_stays_when_a_board_goes() {
        let place = Place::new("stays");
        let (socket, link) = (place.0.join("socket"), place.0.join("link"));
        let board =
            (Socket::listen(&socket).expect("a socket"), Symlink::new(&link, Path::new("/dev/pts/0")).expect("a link"));
        for path in [&socket, &link] {
            fs::remove_file(path).expect("it is there");
            fs::write(path, "mine").expect("a file");
        }
        drop(board);
        assert!(socket.is_file() && link.is_file());
    }
}
