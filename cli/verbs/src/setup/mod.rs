//! Brings onto this machine what is missing: with leave, or by saying which commands would.

pub mod need;
pub mod package;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::{Command, Stdio},
};

use harness::{
    attachment::Attachment,
    emulator::EmulatorError,
    firmware::NoMachine,
    master::{FoundTool, Tool},
};
use rustix::process::geteuid;
use scenarios::{
    cell::Cell,
    master::Masters,
    toolbox::{NoPlatform, Toolbox},
};
use xshell::{Cmd, Shell};

use crate::{
    options::Tooling,
    place::{cache, is_ci, is_installed, temporary},
    setup::{
        need::{Need, QemuProblem, Source},
        package::{Manager, on_path},
    },
    stop::Stop,
    terminal,
};

/// Who says yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consent {
    Given,
    Ask,
    Missing,
}

/// Provides what some cells need, and finds it.
///
/// # Errors
/// Something is missing and may not or cannot be installed. A mastering tool that is not there is none, unless it is
/// required.
pub(crate) fn provide_for_cells(
    cells: &[Cell],
    masters: &Masters,
    require: &[String],
    tooling: &Tooling,
) -> anyhow::Result<Toolbox> {
    let look = || {
        let mut found = find(tooling);
        if let Ok(toolbox) = &mut found {
            toolbox.find_masters(cells, masters);
            toolbox.find_emulators(cells);
        }
        let mut needs = need::for_cells(cells, &found);
        needs.extend(need::for_masters(cells, masters, require, &found));
        (found, needs)
    };
    let (found, needs) = look();
    if let Err(QemuProblem {
        what,
        remedy: Some(remedy),
    }) = found
    {
        return Err(Stop::host(what, remedy).into());
    }
    need::none_from_nowhere(&needs, require)?;
    let by_packages = install(&needs, tooling.install)?;
    let by_commands = install_tools(&needs, require, tooling.install)?;
    let found = if by_packages || by_commands {
        let (found, needs) = look();
        still_missing(&needs)?;
        found
    } else {
        found
    };
    found.map_err(|problem| {
        Stop::host(
            problem.what,
            problem
                .remedy
                .unwrap_or_else(|| "cargo xtask doctor".to_owned()),
        )
        .into()
    })
}

/// Refuses a choice of cells of which none has a machine. Where only some have none, these are skipped.
///
/// # Errors
/// None of their firmware runs on the machine of its attachment.
pub(crate) fn some_have_a_machine(cells: &[Cell], toolbox: &Toolbox) -> Result<(), Stop> {
    let trouble = |cell: &Cell| match toolbox.platform(cell) {
        Err(NoPlatform::Machine(trouble)) => Some(trouble),
        Err(NoPlatform::Firmware(_) | NoPlatform::Emulator(_)) | Ok(_) => None,
    };
    let troubles: Option<Vec<NoMachine>> = cells.iter().map(trouble).collect();
    let Some(first) = troubles.iter().flatten().next() else {
        return Ok(());
    };
    let profile = cells.iter().find_map(|cell| cell.medium_profile);
    let others: Vec<&str> = Attachment::ALL
        .iter()
        .filter(|&&other| other != first.attachment)
        .filter(|&&other| profile.is_none_or(|profile| profile.check(other).is_ok()))
        .map(|other| other.as_str())
        .collect();
    let remedy = format!("--attach with one of {}", others.join(", "));
    Err(Stop::usage(first.what(), remedy))
}

/// Provides what the tests need besides.
pub fn provide_for_tests(tooling: &Tooling) -> anyhow::Result<()> {
    install(&need::for_tests(&find(tooling)), tooling.install).map(drop)
}

/// The emulator and the firmware of this machine, or why there is none.
pub(crate) fn find(tooling: &Tooling) -> Result<Toolbox, QemuProblem> {
    let nowhere = |stop: Stop| QemuProblem {
        what: stop.message().to_owned(),
        remedy: Some(stop.remedy().to_owned()),
    };
    let cache = cache().map_err(nowhere)?;
    temporary().map_err(nowhere)?;
    Toolbox::find(tooling.qemu.as_deref(), tooling.accelerator.into(), &cache).map_err(
        |error: EmulatorError| QemuProblem {
            what: error.what().to_owned(),
            // A QEMU that somebody named is not made whole by installing another.
            remedy: tooling.qemu.is_some().then(|| error.remedy().to_owned()),
        },
    )
}

/// One line for a shell that brings all that is missing of some needs; nothing where nothing is, or no way is known.
pub(crate) fn command_for_all(needs: &[Need]) -> Option<String> {
    let shell = Shell::new().ok()?;
    let missing: Vec<&Need> = needs.iter().filter(|need| need.found.is_err()).collect();
    let commands = commands(&shell, &missing, Manager::find()).ok()?;
    (!commands.is_empty()).then(|| script(&commands))
}

fn script(commands: &[Cmd<'_>]) -> String {
    let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
    commands.join(" && ")
}

/// The command that brings something that is missing; nothing when none is known.
pub(crate) fn command_for(need: &Need) -> Option<String> {
    let shell = Shell::new().ok()?;
    let commands = commands(&shell, &[need], Manager::find()).ok()?;
    commands.last().map(ToString::to_string)
}

/// What was installed and still is not found would only be installed again and again.
fn still_missing(needs: &[Need]) -> Result<(), Stop> {
    let is_missing = |need: &&Need| {
        need.found.is_err() && matches!(need.source, Source::Package(_) | Source::Crate(_))
    };
    match needs.iter().find(is_missing) {
        None => Ok(()),
        Some(need) => {
            let complaint = need.found.as_ref().err().map_or("", String::as_str);
            let remedy = need.other_way();
            Err(Stop::host(
                format!("after {} was installed: {complaint}", need.name),
                remedy.unwrap_or_else(|| "cargo xtask doctor".to_owned()),
            ))
        }
    }
}

/// Installs what is missing. Whether there was anything to do.
fn install(needs: &[Need], yes: bool) -> anyhow::Result<bool> {
    let missing: Vec<&Need> = needs.iter().filter(|need| need.found.is_err()).collect();
    let shell = Shell::new()?;
    let commands = commands(&shell, &missing, Manager::find())?;
    if commands.is_empty() {
        return Ok(false);
    }
    let what: Vec<String> = missing
        .iter()
        .filter(|need| !matches!(need.source, Source::Command(_)))
        .map(|need| need.name.clone())
        .collect();
    let script = script(&commands);
    remark!("missing: {}", what.join(", "));
    match consent(yes) {
        Consent::Given => {}
        Consent::Ask if ask(&script)? => {}
        Consent::Ask | Consent::Missing => {
            return Err(Stop::host(
                format!("{} must be installed first", what.join(", ")),
                format!("{script}; or the same with --install"),
            )
            .into());
        }
    }
    for command in commands {
        run(command)?;
    }
    Ok(true)
}

/// A mastering tool, which is installed first where its own file has the command for that.
///
/// # Errors
/// It is not there: with what brings it.
pub(crate) fn provide_tool(name: &str, tool: &Tool, yes: bool) -> Result<FoundTool, Stop> {
    let found = tool.find().or_else(|why| match tool.install_command() {
        None => Err((why, "cargo xtask doctor".to_owned())),
        Some(shown) => install_with_leave(tool, yes, true)
            .and_then(|()| tool.find())
            .map_err(|why| (why, shown)),
    });
    found.map_err(|(why, remedy)| Stop::host(format!("{name}: {why}"), remedy))
}

/// Installs the mastering tools that no package brings. Whether there was any. Only one that is required must come: of the
/// others a line says why not, and their discs are skipped.
fn install_tools(needs: &[Need], require: &[String], yes: bool) -> Result<bool, Stop> {
    let mut any = false;
    for need in needs {
        let (Source::Command(tool), Err(_)) = (&need.source, &need.found) else {
            continue;
        };
        let required = require.contains(&need.name);
        let shown = tool.install_command().unwrap_or_default();
        match install_with_leave(tool, yes, required) {
            Ok(()) => any = true,
            Err(why) if required => return Err(Stop::host(format!("{}: {why}", need.name), shown)),
            Err(why) => remark!(
                "{}: {why}; its discs are skipped. To install it: {shown}",
                need.name
            ),
        }
    }
    Ok(any)
}

/// Installs a tool by its own command: what no package brings is fetched only for whoever asks for it, also as root and in CI.
fn install_with_leave(tool: &Tool, yes: bool, required: bool) -> Result<(), String> {
    let shown = tool.install_command().unwrap_or_default();
    let may = match consent(yes) {
        Consent::Given => yes || required,
        Consent::Ask => ask(&shown).map_err(|error| error.to_string())?,
        Consent::Missing => false,
    };
    if may {
        install_tool(tool)
    } else {
        Err("it is not installed".to_owned())
    }
}

fn install_tool(tool: &Tool) -> Result<(), String> {
    let text = tool.install_command().unwrap_or_default();
    let words = shell_words::split(&text).map_err(|error| error.to_string())?;
    let (program, arguments) = words.split_first().ok_or("it has no command")?;
    remark!("$ {text}");
    empty(&tool.installed).map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(io::stderr());
    let why = match command.status() {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => format!("{program}: {error}"),
    };
    // What came half would be taken for whole.
    empty(&tool.installed).map_err(|error| error.to_string())?;
    Err(why)
}

fn empty(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(folder)
}

/// The commands that bring what is missing. Optional things that no package brings are left out.
fn commands<'a>(
    shell: &'a Shell,
    missing: &[&Need],
    manager: Option<Manager>,
) -> anyhow::Result<Vec<Cmd<'a>>> {
    let mut packages = BTreeSet::new();
    let mut crates = BTreeSet::new();
    for need in missing {
        match &need.source {
            Source::Crate(name) => {
                crates.insert(*name);
            }
            Source::Package(debian) => {
                let name = manager.and_then(|manager| manager.name_of(debian));
                let complaint = need.found.as_ref().err().map_or("", String::as_str);
                packages.insert(name.ok_or_else(|| {
                    let mut remedy = format!("install the equivalent of Debian's package {debian}; no package of this system is known to contain it");
                    if let Some(other_way) = need.other_way() {
                        remedy += &format!("; or {other_way}");
                    }
                    Stop::host(format!("{}: {complaint}", need.name), remedy)
                })?);
            }
            Source::OptionalPackage(debian) => {
                packages.extend(manager.and_then(|manager| manager.name_of(debian)));
            }
            // Each of these is run by itself, where its discs are asked for.
            Source::Command(_) | Source::Nowhere(_) => {}
        }
    }
    let mut commands = Vec::new();
    if let (Some(manager), false) = (manager, packages.is_empty()) {
        commands.extend(manager.refresh.map(|refresh| as_root(shell, refresh)));
        commands.push(as_root(shell, manager.install).args(packages));
    }
    commands.extend(
        crates
            .into_iter()
            .map(|name| shell.cmd("cargo").args(["install", name, "--locked"])),
    );
    Ok(commands)
}

fn as_root<'a>(shell: &'a Shell, words: &[&str]) -> Cmd<'a> {
    let (program, arguments) = words
        .split_first()
        .map_or(("true", &[][..]), |(first, rest)| (*first, rest));
    let command = if geteuid().is_root() {
        shell.cmd(program)
    } else {
        shell.cmd("sudo").arg(program)
    };
    command.args(arguments)
}

fn consent(yes: bool) -> Consent {
    // A program that somebody installed installs nothing that nobody asked for.
    if yes || !is_installed() && (is_ci() || geteuid().is_root()) {
        Consent::Given
    } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
        Consent::Ask
    } else {
        Consent::Missing
    }
}

fn ask(script: &str) -> io::Result<bool> {
    let mut asks = terminal::stderr();
    write!(asks, "  {script}\nRun this now? [y/N] ")?;
    asks.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Runs a command that installs something; what it says goes to standard error.
fn run(command: Cmd<'_>) -> anyhow::Result<()> {
    let shown = command.to_string();
    remark!("$ {shown}");
    if shown.starts_with("cargo install") {
        remark!("  this builds it once, which takes some minutes");
    }
    let mut command = Command::from(command);
    command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .env("DEBIAN_FRONTEND", "noninteractive");
    let failed = |why: String| {
        Stop::host(
            format!("{shown}: {why}"),
            format!("run it by hand: {shown}"),
        )
    };
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string()).into()),
        Err(error) if shown.starts_with("sudo") && !on_path("sudo") => {
            Err(failed(format!("{error}; it must be run as root")).into())
        }
        Err(error) => Err(failed(error.to_string()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::package::MANAGERS;

    fn missing(name: &str, source: Source) -> Need {
        Need {
            name: name.to_owned(),
            found: Err("missing".to_owned()),
            source,
        }
    }

    fn script(needs: &[Need], manager: Option<Manager>) -> anyhow::Result<String> {
        let shell = Shell::new()?;
        let commands = commands(&shell, &needs.iter().collect::<Vec<_>>(), manager)?;
        Ok(super::script(&commands).replace("sudo ", ""))
    }

    #[test]
    fn one_command_brings_all_packages() {
        let needs = [
            missing("QEMU", Source::Package("qemu-system-x86".into())),
            missing("ovmf", Source::Package("ovmf".into())),
            missing("ovmf-secure-boot", Source::Package("ovmf".into())),
            missing("memtest", Source::OptionalPackage("memtest86+".into())),
            missing("nextest", Source::Crate("cargo-nextest")),
            missing("own", Source::Nowhere("put it there".into())),
        ];
        let [apt, dnf, ..] = MANAGERS;
        assert_eq!(
            script(&needs, Some(apt)).unwrap(),
            "apt-get update -qq && apt-get install -y -qq --no-install-recommends memtest86+ ovmf qemu-system-x86 \
             && cargo install cargo-nextest --locked"
        );
        assert_eq!(
            script(&needs, Some(dnf)).unwrap(),
            "dnf install -y -q --setopt=install_weak_deps=False edk2-ovmf qemu-system-x86-core \
             && cargo install cargo-nextest --locked"
        );
    }

    #[test]
    fn what_nothing_brings_stops_the_command_and_what_is_optional_does_not() {
        let error = script(
            &[missing("QEMU", Source::Package("qemu-system-x86".into()))],
            None,
        )
        .unwrap_err();
        assert_eq!(Stop::of(&error).code, 3);
        assert!(error.to_string().contains("QEMU: missing"), "{error}");
        assert_eq!(
            script(
                &[missing(
                    "memtest",
                    Source::OptionalPackage("memtest86+".into())
                )],
                None
            )
            .unwrap(),
            ""
        );
        assert_eq!(script(&[], Some(MANAGERS[0])).unwrap(), "");
    }
}
