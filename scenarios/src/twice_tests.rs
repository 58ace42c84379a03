use std::collections::BTreeMap;

use harness::master::Elsewhere;

use super::*;
use crate::master::{MasterSource, Masters};

/// A tool that is a shell script, its disc, and the result of mastering it twice. The script gets the reference's bytes as `$1`, and writes `$2`.
fn twice(script: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let reference = {
        let id = "twice/-/none/-/reference".parse().unwrap();
        let recipe = Recipe::read(&id).unwrap();
        crate::disc::master_in_memory(&recipe).unwrap()
    };
    let given = folder.path().join("given");
    reference.write_to(&given).unwrap();
    let tool = folder.path().join("script.toml");
    let text = format!(
        "name = 'script'\nsummary = 'a script'\n[[command]]\nmodes = ['none']\ncommand = \"\"\"bash -c '{script}' bash {given}/disc.iso {{iso}} {{boot_file}}\"\"\"\n",
        given = given.display()
    );
    fs::write(&tool, text).unwrap();
    let masters = Masters::read(&[MasterSource::Named(tool)]).unwrap();
    let found: BTreeMap<_, _> = masters
        .tools()
        .map(|name| (name.to_owned(), masters.tool(name).unwrap().find()))
        .collect();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let twice = Twice {
        masters: &masters,
        found: &found,
        elsewhere: &Elsewhere::find(&out),
        folder: &out,
    };
    let id = "twice/-/none/-/script".parse().unwrap();
    let report = twice
        .master(&[Recipe::read(&id).unwrap()], |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap();
    if report.is_reproducible() {
        let left = fs::read_dir(out.join("twice/-/none/-")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "a disc that is the same is left behind");
    }
    report
}

/// The only disc's only field, and what it depends on.
fn only(report: &Report) -> (&str, Option<&Follows>) {
    match &report.discs[..] {
        [
            Disc {
                came_to: CameTo::Differs { fields, .. },
                ..
            },
        ] => match &fields[..] {
            [field] => (&field.differing.field, field.follows.as_ref()),
            fields => panic!("{fields:?}"),
        },
        discs => panic!("{discs:?}"),
    }
}

/// Writes text at the volume's creation date.
fn dated(text: &str) -> String {
    format!(
        "cp \"$1\" \"$2\"; {text} | head -c 16 | dd of=\"$2\" bs=1 seek=33581 conv=notrunc status=none"
    )
}

#[test]
fn a_tool_that_copies_is_reproducible() {
    let report = twice("cp \"$1\" \"$2\"");
    assert!(report.is_reproducible(), "{report:?}");
    assert!(matches!(report.discs[0].came_to, CameTo::Same { .. }));
}

#[test]
fn a_random_number_is_another_each_time() {
    let report = twice(&dated("od -An -tx8 -N8 /dev/urandom | tr -d \" \""));
    let date = "the creation date of the volume";
    assert_eq!(only(&report), (date, Some(&Follows::Nothing)));
    assert!(!report.is_reproducible());
}

/// Each circumstance is detected on a disc that depends only on it.
#[test]
fn what_a_field_follows_is_found_out() {
    let follows = [
        ("date -u +%Y%m%d00000000", Circumstance::Clock),
        ("stat -c %Y.0000000 \"$3\"", Circumstance::FileDates),
        ("date -d @0 +%Y%m%d%H%M0000", Circumstance::TimeZone),
        ("umask | sed s/$/111111111111/", Circumstance::Umask),
        ("pwd | md5sum", Circumstance::Place),
        ("nproc | sed s/$/111111111111111/", Circumstance::Processors),
    ];
    let here = Elsewhere::find(&std::env::temp_dir());
    for (script, circumstance) in follows {
        let report = twice(&dated(script));
        if !here.can_change(circumstance) {
            assert!(
                report
                    .untried
                    .iter()
                    .any(|it| it.starts_with(&circumstance.to_string()))
            );
            continue;
        }
        let (field, followed) = only(&report);
        assert_eq!(field, "the creation date of the volume");
        let expected = Follows::Circumstances(vec![circumstance]);
        assert_eq!(followed, Some(&expected), "{script}");
    }
}

#[test]
fn what_refuses_once_is_told() {
    let report = twice("if [ \"$TZ\" != UTC ]; then echo I want UTC; exit 1; fi; cp \"$1\" \"$2\"");
    let [disc] = &report.discs[..] else { panic!() };
    let CameTo::RefusedOnce {
        words,
        second: true,
    } = &disc.came_to
    else {
        panic!("{disc:?}")
    };
    assert!(words.iter().any(|line| line == "I want UTC"), "{words:?}");
    assert!(!report.is_reproducible());
    let report = twice("echo never; exit 1");
    assert!(matches!(report.discs[0].came_to, CameTo::Refused { .. }));
    assert!(report.is_reproducible());
}
