//! What keeps a disc in its machine, should its code break out of the guest: QEMU runs with no more than it needs.
//!
//! - Its own sandbox (seccomp) lets it start no process and gain no right ([`MachineSpec::argv`]).
//! - It writes below the machine's folder only, and connects nowhere (Landlock, where the kernel has it).
//! - Started by root it runs as a user that nobody is, whom nothing belongs to but that folder. What it reads it gets as open files.
//! - Memory, processor time, open files and the length of a file have limits; it leaves no core.
//! - It ends with the thread that started it.

use std::{
    fs, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use landlock::RulesetCreated;
use nix::{
    sys::signal::{self, SigHandler},
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};
use rustix::{
    io::Errno,
    process::{
        Resource, Rlimit, Signal, geteuid, getpid, getppid, set_parent_process_death_signal,
        setrlimit,
    },
};

use super::spec::{MachineSpec, Origin};
use crate::{accelerator::Accelerator, confine};

/// The longest file that QEMU may write. A picture of the screen has a few MiB; the trace log of a guest that reads for ever grows until here.
const LONGEST_FILE: u64 = 64 << 20;
/// What QEMU needs besides the guest's memory: 1 GiB is for translated code.
const OWN_MEMORY: u64 = 2 << 30;
/// QEMU opens a few dozen.
const OPEN_FILES: u64 = 256;
/// Users that no distribution gives to anybody for long: those that systemd makes up and forgets (`DynamicUser=`).
const FIRST_USER: u32 = 61_184;
const USERS: u32 = 4_336;

/// What QEMU is held to.
pub(super) struct Isolation {
    limits: [(Resource, u64); 6],
    user: Option<User>,
    rules: RulesetCreated,
}

/// What keeps a disc in its machine on this host, in a line.
#[must_use]
pub fn isolation_here(qemu: &Path, accelerator: Accelerator) -> String {
    let landlock = match confine::kernel_holds() {
        (true, true) => {
            "QEMU writes below a folder of its own only and connects nowhere (Landlock)"
        }
        (true, false) => {
            "QEMU writes below a folder of its own only (Landlock; this kernel's is too old to forbid connections)"
        }
        (false, _) => "this kernel has no Landlock, and QEMU may write wherever its user may",
    };
    let user = if !geteuid().is_root() {
        "it runs as you: only root can give it a user of its own"
    } else if User::for_machine(qemu, kvm(accelerator)).is_some() {
        "it has a user of its own"
    } else {
        "it runs as root, because no other user can reach it"
    };
    format!("{landlock}; {user}")
}

/// The host's virtualisation, where it is used.
fn kvm(accelerator: Accelerator) -> Option<&'static Path> {
    (accelerator == Accelerator::Kvm).then_some(Path::new("/dev/kvm"))
}

/// A user for one machine.
#[derive(Clone, Copy, Debug)]
struct User {
    uid: Uid,
    gid: Gid,
    /// Lets it open the host's virtualisation.
    kvm: Option<Gid>,
}

impl Isolation {
    /// Prepares it for a machine, whose folder becomes its user's.
    pub(super) fn of(spec: &MachineSpec, folder: &Path) -> io::Result<Self> {
        let kvm = kvm(spec.accelerator);
        let user = match User::for_machine(&spec.program, kvm) {
            Some(user) if user.takes(folder)? => Some(user),
            _ => None,
        };
        let writable: Vec<&Path> = [folder, Path::new("/dev/null")]
            .into_iter()
            .chain(kvm)
            .collect();
        let memory = u64::from(spec.memory_mib) << 20;
        let longest = match spec.origin {
            Origin::ToCheckpoint(_) => LONGEST_FILE.max(memory),
            Origin::PowerOn | Origin::Checkpoint(_) => LONGEST_FILE,
        };
        Ok(Self {
            limits: [
                (Resource::Fsize, longest),
                (Resource::Data, memory + OWN_MEMORY),
                (Resource::As, 2 * memory + 2 * OWN_MEMORY),
                (Resource::Cpu, seconds(spec.processor_time)),
                (Resource::Nofile, OPEN_FILES),
                (Resource::Core, 0),
            ],
            user,
            rules: confine::rules(&writable).map_err(io::Error::other)?,
        })
    }

    /// Holds a command to it.
    #[expect(
        unsafe_code,
        reason = "all of it is the child's alone, and can only be done between fork and exec: another user's parent-death signal \
                  is forgotten with the change, and none survives a fork"
    )]
    pub(super) fn hold(self, command: &mut Command) {
        let Self {
            limits,
            user,
            rules,
        } = self;
        let parent = getpid();
        let mut rules = Some(rules);
        let prepare = move || {
            for (resource, limit) in limits {
                let limit = Rlimit {
                    current: Some(limit),
                    maximum: Some(limit),
                };
                setrlimit(resource, limit)?;
            }
            // A log that is too long goes no further, and the machine does.
            // SAFETY: no handler is set.
            unsafe { signal::signal(signal::Signal::SIGXFSZ, SigHandler::SigIgn)? };
            if let Some(user) = user {
                user.become_it()?;
            }
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died before the signal was asked for.
            if getppid() != Some(parent) {
                return Err(Errno::SRCH.into());
            }
            if let Some(rules) = rules.take() {
                rules
                    .restrict_self()
                    .map_err(|_| io::ErrorKind::PermissionDenied)?;
            }
            Ok(())
        };
        // SAFETY: the closure makes only system calls; where they succeed it neither allocates nor takes a lock.
        unsafe {
            command.pre_exec(prepare);
        }
    }
}

impl User {
    /// A user for the next machine, if we are root and can give something up: whom no other machine has now, who can reach QEMU, and the host's
    /// virtualisation where it is used.
    fn for_machine(qemu: &Path, kvm: Option<&Path>) -> Option<Self> {
        static MACHINES: AtomicU32 = AtomicU32::new(0);
        if !geteuid().is_root() || !others_can_run(qemu) {
            return None;
        }
        let group = match kvm.map(fs::metadata) {
            None => None,
            Some(Ok(device)) if device.mode() & 0o060 == 0o060 => Some(Gid::from_raw(device.gid())),
            // Root's alone, or not there.
            Some(_) => return None,
        };
        let ours = getpid().as_raw_nonzero().get().unsigned_abs();
        let number = ours.wrapping_add(MACHINES.fetch_add(1, Ordering::Relaxed)) % USERS;
        Some(Self {
            uid: Uid::from_raw(FIRST_USER + number),
            gid: Gid::from_raw(FIRST_USER + number),
            kvm: group,
        })
    }

    /// Gives it a folder and what is in it; says whether there is such a user here, as there is not where root itself is of a
    /// name space with no other.
    fn takes(&self, folder: &Path) -> io::Result<bool> {
        let give = |path: &Path| {
            std::os::unix::fs::lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
        };
        match give(folder) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
            given => given?,
        }
        for file in fs::read_dir(folder)? {
            give(&file?.path())?;
        }
        Ok(true)
    }

    fn become_it(&self) -> io::Result<()> {
        match self.kvm {
            Some(group) => setgroups(&[group])?,
            None => setgroups(&[])?,
        }
        setresgid(self.gid, self.gid, self.gid)?;
        setresuid(self.uid, self.uid, self.uid)?;
        Ok(())
    }
}

/// Whether a user to whom nothing belongs can run a program: a QEMU in somebody's private folder is not for others.
fn others_can_run(program: &Path) -> bool {
    const READ_AND_RUN: u32 = 0o005;
    const PASS: u32 = 0o001;
    let Some(program) = found(program).and_then(|program| program.canonicalize().ok()) else {
        return false;
    };
    let allows = |path: &Path, wanted| {
        fs::metadata(path).is_ok_and(|metadata| metadata.mode() & wanted == wanted)
    };
    allows(&program, READ_AND_RUN)
        && program
            .ancestors()
            .skip(1)
            .all(|folder| allows(folder, PASS))
}

/// A program as it is found: one that is named without a slash is looked up in `$PATH`.
fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return Some(program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|program| program.is_file())
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_program_is_not_for_others() {
        assert!(others_can_run(Path::new("sh")));
        assert!(others_can_run(Path::new("/bin/sh")));
        assert!(!others_can_run(Path::new("no-such-program")));
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("qemu");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(others_can_run(&program));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!others_can_run(&program), "its folder is private");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(!others_can_run(&program));
    }
}
