//! The log that a page of alerts reads: one alert for each cause, known again in the next run, and gone when it is mended.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use super::{Own, common::Said, regressions::Gate, sarif_schema, schema::violations};

/// The log that a run left, which keeps to its schema.
fn log(said: &Said, out: &str) -> Value {
    let text = fs::read_to_string(format!("{out}/results.sarif"));
    let text = text.unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
    let log: Value = serde_json::from_str(&text).unwrap();
    let all = [("log".to_owned(), log.clone())];
    assert_eq!(violations(&sarif_schema::schema(), &all), "");
    log
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

#[test]
fn each_cause_is_an_alert_that_is_known_again_and_closed() {
    let gate = Gate::new();
    let out = gate.folder.path().join("out").display().to_string();
    let run = |before: &str, after: &str, code: i32| {
        let said = gate.run(before, after, &[]);
        assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
        (log(&said, &out), said)
    };
    let (log, said) = run("", "disc[catalog + 28] ^= 1", 1);
    let [alert] = &results(&log)[..] else {
        panic!("{log:#}");
    };
    assert_eq!(
        (&alert["ruleId"], &alert["level"]),
        (&"catalog-checksum".into(), &"error".into())
    );
    let rule = usize::try_from(alert["ruleIndex"].as_u64().unwrap()).unwrap();
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][rule];
    assert_eq!(rule["id"], "catalog-checksum");
    // The words of the terminal.
    let message = alert["message"]["text"].as_str().unwrap();
    let mut told = message.lines();
    let cause = told.next().unwrap();
    assert!(cause.ends_with("(catalog-checksum)"), "{message}");
    assert!(
        said.stdout.contains(&format!("✗ {cause}\n")),
        "{}",
        said.stdout
    );
    for line in told {
        assert!(
            said.stdout.contains(&format!("\n  {line}\n")),
            "{line}: {}",
            said.stdout
        );
    }
    assert!(message.contains("\nto fix it: "), "{message}");
    // The page begins with the same.
    let page = fs::read_to_string(format!("{out}/report.html")).unwrap();
    let list = page.split_once("<section id=\"failures\">").unwrap().1;
    let list = list.split_once("</section>").unwrap().0;
    let list = list.replace("&#x27;", "'");
    let list = list.replace("To fix it:</b>", "</b>to fix it:");
    let mut rest = &*list;
    for line in message
        .lines()
        .take_while(|line| !line.starts_with("cells: "))
    {
        let found = rest.split_once(line);
        rest = found.unwrap_or_else(|| panic!("{line}: {list}")).1;
    }
    assert_eq!(list.matches("<li class=\"cause\">").count(), 1);
    assert_eq!(list.matches("<p class=\"what\">").count(), 1, "{list}");
    // Each cell, by its line in the baseline.
    let cells = alert["relatedLocations"].as_array().unwrap();
    assert_eq!(cells.len(), 2, "{alert:#}");
    for cell in cells {
        let id = cell["logicalLocations"][0]["fullyQualifiedName"]
            .as_str()
            .unwrap();
        let place = &cell["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let (scenario, name) = id.split_once('/').unwrap();
        assert!(
            uri.ends_with(&format!("/baseline/{scenario}.json")),
            "{uri}"
        );
        let file = fs::read_to_string(uri.strip_prefix("file://").unwrap()).unwrap();
        let line = place["region"]["startLine"].as_u64().unwrap();
        let line = file
            .lines()
            .nth(usize::try_from(line).unwrap() - 1)
            .unwrap();
        assert!(line.contains(name), "{line}");
    }
    assert_eq!(
        log["runs"][0]["automationDetails"]["id"],
        "boot-matrix/mytool/"
    );

    // The same with another value, and on a disc that is another, is the same alert; and two causes are two.
    let count = |before: &str, after: &str| {
        let log = run(before, after, 1).0;
        let alerts = results(&log);
        let of = |alert: &Value| {
            let known = ["fingerprints", "partialFingerprints", "ruleId", "level"];
            known.map(|name| alert[name].clone())
        };
        alerts.iter().map(of).collect::<Vec<_>>()
    };
    let less = count("", "has_efi or put('<H', first + 6, 4)");
    assert_eq!(
        (&less[0][2], &less[0][3]),
        (&"sector-count".into(), &"warning".into())
    );
    let more = "open(os.path.join(tree, 'aaa'), 'wb').write(bytes(300000))";
    assert_eq!(count(more, "has_efi or put('<H', first + 6, 16)"), less);
    let two = count(
        "",
        "put('<H', first + 6, 4) if not has_efi else put('B', last, 0)",
    );
    assert_eq!(two.len(), 2, "{two:#?}");
    assert_ne!(two[0][0], two[1][0]);
    assert!(two.contains(&less[0]), "{two:#?}");

    // What is mended has no result, and neither has what is only noted.
    let (log, _) = run(more, "", 0);
    assert_eq!(results(&log).len(), 0, "{log:#}");
}

#[test]
fn without_a_baseline_the_log_has_what_is_not_as_declared_and_of_what_could_not_be_run_there_is_none()
 {
    let own = Own::new();
    let out = own.path("out");
    // Nothing is accepted of the first, and the second contradicts what is declared.
    let said = own.run(&[]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let first = log(&said, &out);
    let rules: Vec<&Value> = results(&first).iter().map(|it| &it["ruleId"]).collect();
    assert_eq!(rules, ["not-accepted-yet", "outcome"], "{first:#}");
    let text = &results(&first)[1]["message"]["text"];
    assert_eq!(text, "expected loaded to be \"4\", but it was \"8\"");

    let dies = own.path("qemu");
    let script =
        "#!/bin/sh\ncase \"$*\" in *-blockdev*) exit 1;; esac\nexec qemu-system-x86_64 \"$@\"\n";
    fs::write(&dies, script).unwrap();
    fs::set_permissions(&dies, fs::Permissions::from_mode(0o755)).unwrap();
    let said = own.run(&["--qemu", &dies]);
    assert_eq!(said.code, 3, "{}", said.stdout);
    // Nothing is known, so nothing is closed.
    assert!(!Path::new(&format!("{out}/results.sarif")).exists());
}
