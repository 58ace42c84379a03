//! QEMU's monitor: its commands, and what its events mean.

use serde_json::{Value, json};

use super::{
    medium,
    qmp::{Qmp, QmpEvent},
};
use crate::emulator::seam::{Command, Monitor, Report, Stop, Wish};

/// What QEMU calls the open file with a machine's state.
const STATE: &str = "state";

impl Monitor for Qmp {
    fn commands(&self, wish: Wish<'_>) -> Vec<Command> {
        match wish {
            Wish::Attention => vec![Command::new("qmp_capabilities", json!({}))],
            Wish::Registers => vec![Command::new(
                "human-monitor-command",
                json!({ "command-line": "info registers" }),
            )],
            Wish::Memory {
                address,
                bytes,
                file,
            } => vec![Command::new(
                "pmemsave",
                json!({ "val": address, "size": bytes, "filename": file }),
            )],
            Wish::Screen { file } => {
                vec![Command::new("screendump", json!({ "filename": file }))]
            }
            Wish::Keys { names, hold } => {
                let key = |name: &&str| json!({ "type": "qcode", "data": name });
                let keys: Value = names.iter().map(key).collect();
                let hold = u64::try_from(hold.as_millis()).unwrap_or(u64::MAX);
                vec![Command::new(
                    "send-key",
                    json!({ "keys": keys, "hold-time": hold }),
                )]
            }
            Wish::Insert(attachment) => medium::moves(attachment, true),
            Wish::Remove(attachment) => medium::moves(attachment, false),
            Wish::Save => transfer("migrate"),
            Wish::Load => transfer("migrate-incoming"),
            Wish::Complaint => vec![Command::new("query-migrate", json!({}))],
        }
    }

    fn request(&mut self, command: &str, arguments: &Value) -> (u64, Vec<u8>) {
        self.request(command, arguments)
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<Report> {
        self.push(bytes).iter().filter_map(report).collect()
    }

    fn answer(&mut self, id: u64) -> Option<Result<Value, String>> {
        self.answer(id)
    }

    fn words<'a>(&self, answer: &'a Value) -> &'a str {
        let words = answer.as_str().or_else(|| answer["error-desc"].as_str());
        words.unwrap_or_default()
    }
}

/// Writes a machine's state or reads it. Memory that is a file belongs to no state; and whoever waits for a state wants to hear of it.
fn transfer(command: &'static str) -> Vec<Command> {
    let on = |capability: &str| json!({ "capability": capability, "state": true });
    let capabilities = json!({ "capabilities": [on("x-ignore-shared"), on("events")] });
    vec![
        Command::new("migrate-set-capabilities", capabilities),
        Command {
            takes_file: true,
            ..Command::new("getfd", json!({ "fdname": STATE }))
        },
        Command::new(command, json!({ "uri": format!("fd:{STATE}") })),
    ]
}

fn report(event: &QmpEvent) -> Option<Report> {
    let data = |name: &str| event.data[name].as_str().unwrap_or_default();
    Some(match (event.name.as_str(), data("reason")) {
        ("RESET", _) | ("SHUTDOWN", "guest-reset" | "subsystem-reset") => {
            Report::Stopped(Stop::Reset)
        }
        ("SHUTDOWN", "guest-shutdown") => Report::Stopped(Stop::Off),
        ("GUEST_PANICKED", _) | ("SHUTDOWN", "guest-panic") => Report::Stopped(Stop::Panicked),
        ("SHUTDOWN", reason) => Report::Stopped(Stop::Outside(reason.to_owned())),
        ("MIGRATION", _) => match data("status") {
            "completed" => Report::Transferred(true),
            "failed" => Report::Transferred(false),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_what_happened_to_the_machine() {
        fn check(event: &str, report: Option<Report>) {
            let mut qmp = Qmp::default();
            let heard = qmp.hear(format!("{event}\r\n").as_bytes());
            assert_eq!(heard, Vec::from_iter(report), "{event}");
        }
        let stopped = |stop| Some(Report::Stopped(stop));
        check(
            r#"{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#,
            stopped(Stop::Reset),
        );
        check(
            r#"{"event": "RESET", "data": {"guest": true}}"#,
            stopped(Stop::Reset),
        );
        check(
            r#"{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}"#,
            stopped(Stop::Off),
        );
        check(
            r#"{"event": "GUEST_PANICKED", "data": {"action": "pause"}}"#,
            stopped(Stop::Panicked),
        );
        check(
            r#"{"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-signal"}}"#,
            stopped(Stop::Outside("host-signal".to_owned())),
        );
        check(
            r#"{"event": "MIGRATION", "data": {"status": "failed"}}"#,
            Some(Report::Transferred(false)),
        );
        check(
            r#"{"event": "MIGRATION", "data": {"status": "active"}}"#,
            None,
        );
        check(r#"{"event": "STOP"}"#, None);
    }

    #[test]
    fn every_wish_is_a_command_of_qemu() {
        let qmp = Qmp::default();
        let names = |wish| {
            let commands = qmp.commands(wish).into_iter();
            commands.map(|command| command.name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(Wish::Load),
            ["migrate-set-capabilities", "getfd", "migrate-incoming"]
        );
        let keys = Wish::Keys {
            names: &["ctrl", "x"],
            hold: std::time::Duration::from_millis(40),
        };
        let [press] = &qmp.commands(keys)[..] else {
            panic!("one command")
        };
        assert_eq!(press.arguments["hold-time"], 40);
        assert_eq!(press.arguments["keys"][1]["data"], "x");
        assert_eq!(qmp.words(&json!("EAX=0")), "EAX=0");
        assert_eq!(qmp.words(&json!({ "error-desc": "no" })), "no");
        assert_eq!(qmp.words(&json!({ "status": "failed" })), "");
    }
}
