//! The QEMU Machine Protocol: one JSON object a line, answers matched by id, events queued.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Longer than any answer to what is asked here.
const LONGEST_LINE: usize = 4 << 20;

/// An event that QEMU sent.
#[derive(Clone, Debug, PartialEq)]
pub struct QmpEvent {
    /// `SHUTDOWN`, `RESET`, `GUEST_PANICKED`, …
    pub name: String,
    /// Its `data`.
    pub data: Value,
}

/// The state of one monitor connection; the bytes come and go elsewhere.
#[derive(Debug, Default)]
pub struct Qmp {
    partial: Vec<u8>,
    next_id: u64,
    answers: BTreeMap<u64, Result<Value, String>>,
}

impl Qmp {
    /// The line that asks for a command, and the id under which its answer will come.
    pub fn request(&mut self, command: &str, arguments: &Value) -> (u64, Vec<u8>) {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({ "execute": command, "arguments": arguments, "id": id });
        (id, format!("{request}\n").into_bytes())
    }

    /// Takes bytes; gives the events that they complete. A greeting is passed over, and so is what is no JSON.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<QmpEvent> {
        if self.partial.len() > LONGEST_LINE {
            // No answer of QEMU's.
            self.partial.clear();
        }
        self.partial.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.partial.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            let Ok(mut message) = serde_json::from_slice::<Value>(&line) else {
                continue;
            };
            if let Some(name) = message["event"].as_str() {
                events.push(QmpEvent {
                    name: name.to_owned(),
                    data: message["data"].take(),
                });
            } else if let Some(id) = message["id"].as_u64() {
                let answer = match message.get_mut("return") {
                    Some(value) => Ok(value.take()),
                    None => Err(message["error"]["desc"]
                        .as_str()
                        .unwrap_or("no reason given")
                        .to_owned()),
                };
                // Nobody asked for others.
                if id < self.next_id {
                    self.answers.insert(id, answer);
                }
            }
        }
        events
    }

    /// The answer to a request, once it came: the return value, or QEMU's words of refusal.
    pub fn answer(&mut self, id: u64) -> Option<Result<Value, String>> {
        self.answers.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_find_their_requests_between_events() {
        let mut qmp = Qmp::default();
        let (first, line) = qmp.request("qmp_capabilities", &json!({}));
        assert!(line.ends_with(b"\n"));
        let (second, _) = qmp.request("nonsense", &json!({}));
        let wire = concat!(
            r#"{"QMP": {"version": {}, "capabilities": ["oob"]}}"#,
            "\r\n",
            r#"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#,
            "\r\n",
            r#"{"id": 1, "error": {"class": "CommandNotFound", "desc": "The command nonsense has not been found"}}"#,
            "\r\n",
            r#"{"return": {}, "id": 0}"#,
            "\r\n",
        );
        let (head, tail) = wire.as_bytes().split_at(90);
        let mut events = qmp.push(head);
        events.extend(qmp.push(tail));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].name, "SHUTDOWN");
        assert_eq!(events[0].data["reason"], "guest-reset");
        assert_eq!(qmp.answer(first), Some(Ok(json!({}))));
        let refusal = qmp.answer(second).expect("answered").expect_err("refused");
        assert!(refusal.contains("nonsense"));
        assert_eq!(qmp.answer(first), None);
    }
}
