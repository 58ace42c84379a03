use std::{
    io::Write,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Mutex, mpsc},
    time::SystemTime,
};

use super::*;
use crate::{
    cell::DiscSource,
    terms::{Accepted, Starts},
    words::Set,
};

const GOOD: &str = "a/-/b/-/r/seabios/ide";
const BAD: &str = "a/-/c/-/r/seabios/ide";

fn cell(id: &str) -> Cell {
    Cell {
        id: id.parse().unwrap(),
        memory_mib: None,
        deadline: None,
        set: Set::Default,
        disc: DiscSource::Iso {
            path: "a.iso".into(),
            package: None,
        },
        firmware: "seabios".parse().unwrap(),
        attachment: harness::attachment::Attachment::Ide,
        medium_profile: None,
        text: None,
        dialogue: None,
        snapshot: "snapshot".into(),
        cold: None,
        rules: Vec::new(),
    }
}

fn run_in(out: &Path) -> Run {
    let now = SystemTime::now();
    Run {
        folders: Vec::new(),
        masters: Vec::new(),
        scenarios: Vec::new(),
        cells: PathBuf::new(),
        out: out.to_owned(),
        toolbox: None,
        accepted: Accepted::Nothing,
        strict: false,
        accept: false,
        began: now,
        went_on: now,
        words: Vec::new(),
        partition: None,
        basis: None,
        listed_sha256: String::new(),
        against: None,
        reruns: false,
        starts: Starts::Cold,
        checkpoints: PathBuf::new(),
        live: PathBuf::new(),
    }
}

/// What becomes of two cells whose child is a shell that reads this script. `$1` is the run file and `$2` the cell; it finds the record of
/// a good cell in the file `record`.
fn become_of(script: &str, stop: BorrowedFd<'_>) -> (Vec<CellResult>, Vec<String>) {
    let out = tempfile::tempdir().unwrap();
    let run = run_in(out.path());
    let good = cell(GOOD);
    record::write_record(
        out.path(),
        run.name(),
        &good.id,
        record::unseen(&good, Verdict::AsExpected, ""),
    )
    .unwrap();
    let words = ["-c", script, "sh"];
    let pool = Pool {
        run: &run,
        program: (Path::new("/bin/sh"), &words),
        at_once: 1,
        stop,
    };
    let told = Mutex::new(Vec::new());
    let cells = [cell(BAD), good];
    let tell = |cell: &Cell, event: Event| {
        let what = match event {
            Event::Began => "began".to_owned(),
            Event::Ended(result) => result.verdict.to_string(),
        };
        told.lock().unwrap().push(format!("{} {what}", cell.id));
    };
    pool.run(&cells, tell).unwrap();
    let left = std::fs::read_dir(out.path()).unwrap().count();
    assert!(left <= 1, "only the folder of the cells is left");
    let results = record::gather(out.path(), run.name(), &cells, None);
    (results, told.into_inner().unwrap())
}

#[test]
fn who_dies_is_alone_in_that() {
    let (bell, _clapper) = UnixStream::pair().unwrap();
    for (bad, why) in [
        (
            "echo gone wrong >&2; kill -SEGV $$",
            "its process ended with signal 11: gone wrong",
        ),
        ("exit 3", "its process ended with exit status: 3"),
        ("exit 0", "its process ended with no record"),
    ] {
        let script = format!("case $2 in {BAD}) {bad};; esac");
        let (results, told) = become_of(&script, bell.as_fd());
        assert_eq!(results[0].verdict, Verdict::Infra);
        assert_eq!(results[0].reason, [why]);
        assert_eq!(results[1].verdict, Verdict::AsExpected);
        let expected = [
            format!("{BAD} began"),
            format!("{BAD} infra"),
            format!("{GOOD} began"),
            format!("{GOOD} as-expected"),
        ];
        assert_eq!(told, expected);
    }
}

#[test]
fn what_a_child_leaves_behind_ends_with_it() {
    let (bell, _clapper) = UnixStream::pair().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    // A grandchild holds the pipe open for as long as it lives.
    let hold = format!("exec 8>{}; sleep 600 & true", pipe.display());
    let script = format!("case $2 in {BAD}) {hold} ;; esac");
    let (done, ended) = mpsc::channel();
    let reading = pipe.clone();
    let reader = thread::spawn(move || {
        let mut nothing = Vec::new();
        File::open(reading)
            .unwrap()
            .read_to_end(&mut nothing)
            .unwrap();
        done.send(()).unwrap();
    });
    become_of(&script, bell.as_fd());
    // The child has ended, and so has what it started.
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
    reader.join().unwrap();
}

#[test]
fn a_run_that_must_stop_ends_what_runs_and_begins_nothing() {
    let (bell, mut clapper) = UnixStream::pair().unwrap();
    clapper.write_all(b"!").unwrap();
    let (results, told) = become_of("sleep 600", bell.as_fd());
    assert_eq!(told, [format!("{BAD} began")]);
    assert!(results[0].reason[0].starts_with("the cell left no result"));
}

fn make_pipe(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}
