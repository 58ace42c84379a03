//! Paths in a boot loader's configuration.

/// A path's names: `.` and `..` are followed as written, and both kinds of slash divide.
pub(super) fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            // ISO 9660 names end without a dot here.
            part => parts.push(part),
        }
    }
    parts
}

/// A path below a directory, or one from the root as it is.
pub(super) fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{}/{path}", directory.trim_end_matches('/'))
    }
}

/// The directory that a path's file stands in.
pub(super) fn directory_of(path: &str) -> &str {
    path.rfind('/')
        .map_or("/", |at| if at == 0 { "/" } else { &path[..at] })
}

/// A path without `.`, `..` and repeated slashes.
pub(super) fn normal(path: &str) -> String {
    format!("/{}", parts(path).join("/"))
}
