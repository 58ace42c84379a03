use std::time::Duration;

use super::*;
use crate::{
    accelerator::Pace, attachment::Attachment, emulator::EmulatorId, layout::BootLayout,
    machine::spec::HostDisc, medium_profile::Medium,
};

fn spec(attachment: Attachment, disc: &str) -> MachineSpec {
    MachineSpec {
        emulator: EmulatorId::Qemu,
        program: "qemu-system-x86_64".into(),
        accelerator: Accelerator::Tcg,
        memory_mib: 128,
        cpu: "qemu64,l3-cache=off".to_owned(),
        network: Network::None,
        firmware: FirmwareImage::Bios("/firmware/bios-256k.bin".into()),
        disc: HostDisc {
            path: disc.into(),
            is_device: false,
            length: 1 << 20,
            overlay: None,
        },
        io_uring: false,
        board: crate::arch::pc(attachment),
        attachment,
        medium: Medium::default(),
        origin: Origin::PowerOn,
        pace: Pace::NORMAL,
        processor_time: Duration::from_secs(60),
    }
}

fn words(spec: &MachineSpec) -> Vec<String> {
    spec.argv(Channels::Terminal)
        .into_iter()
        .map(|word| word.into_string().expect("UTF-8"))
        .collect()
}

#[test]
fn the_disc_is_raw_and_read_only_whatever_its_name() {
    for name in [
        "/discs/plain.iso",
        "/discs/a,b=c.iso",
        "/discs/two\nlines.iso",
        "/discs/\"quoted\" 'name' \\ ü.iso",
    ] {
        for &attachment in Attachment::ALL {
            let words = words(&spec(attachment, name));
            let nodes: Vec<serde_json::Value> = words
                .iter()
                .zip(words.iter().skip(1))
                .filter(|(flag, _)| *flag == "-blockdev")
                .map(|(_, node)| serde_json::from_str(node).expect("JSON"))
                .collect();
            // The other nodes are layers over it, or a blank disk.
            let of_host = |node: &&serde_json::Value| node["file"]["filename"] == name;
            assert_eq!(nodes.iter().filter(of_host).count(), 1, "{words:?}");
            let node = &nodes[0];
            assert_eq!(node["driver"], "raw");
            assert_eq!(node["read-only"], true);
            assert_eq!(node["file"]["driver"], "file");
            assert_eq!(node["file"]["read-only"], true);
            assert_eq!(node["file"]["filename"], name);
            assert!(
                !words
                    .iter()
                    .any(|word| word == "-drive" || word == "-cdrom")
            );
        }
    }
}

#[test]
fn a_slow_disc_is_as_read_only_as_the_disc_below() {
    for &attachment in Attachment::ALL {
        let mut spec = spec(attachment, "/d.iso");
        spec.medium = Medium::of("slow".parse().ok(), &BootLayout::default());
        let words = words(&spec);
        let filter = words
            .iter()
            .filter_map(|word| serde_json::from_str::<serde_json::Value>(word).ok())
            .find(|node| node["driver"] == "throttle")
            .expect("a filter");
        let is_written = wants_to_write(attachment.wiring().drive);
        assert_eq!(filter["read-only"], !is_written, "{attachment}");
    }
}

#[test]
fn only_the_disc_can_be_booted() {
    for &attachment in Attachment::ALL {
        let words = words(&spec(attachment, "/d.iso"));
        // An empty drive or a blank disk comes before some; there is nothing on it.
        let ahead = match attachment {
            Attachment::SdCard => 0,
            Attachment::AhciSecond | Attachment::AhciAfterDisk => 2,
            _ => 1,
        };
        let bootable = words.iter().filter(|word| word.contains("bootindex"));
        assert_eq!(bootable.count(), ahead, "{attachment}");
        let drives = words.iter().filter(|word| word.contains("drive=disc"));
        assert_eq!(drives.count(), 1);
        for pair in [["-nic", "none"], ["-boot", "strict=on"]] {
            assert!(words.windows(2).any(|window| window == pair), "{pair:?}");
        }
    }
}

#[test]
fn a_network_card_reaches_nobody() {
    let mut spec = spec(Attachment::Ide, "/d.iso");
    assert!(words(&spec).windows(2).any(|pair| pair == ["-nic", "none"]));
    spec.network = Network::Isolated;
    let words = words(&spec);
    let hub = ["-netdev", "hubport,id=net,hubid=0"];
    assert!(words.windows(2).any(|pair| pair == hub), "{words:?}");
    let network = words
        .iter()
        .filter(|word| ["-netdev", "-nic"].contains(&word.as_str()));
    assert_eq!(network.count(), 1, "{words:?}");
}

#[test]
fn flash_with_variables_uses_a_private_copy() {
    let mut spec = spec(Attachment::Ahci, "/d.iso");
    spec.firmware = FirmwareImage::Flash {
        code: "/firmware/code.fd".into(),
        variables: Some("/firmware/vars.fd".into()),
        needs_smm: true,
    };
    let words = words(&spec).join(" ");
    assert!(words.contains("q35,graphics=off,pflash0=code,pflash1=variables,smm=on"));
    assert!(!words.contains("/firmware/vars.fd"), "{words}");
    assert!(words.contains("property=secure"));
}

#[test]
fn the_replay_needs_no_sockets() {
    let script = spec(Attachment::Ide, "/a 'disc'.iso").replay_script();
    let script = String::from_utf8(script).expect("UTF-8");
    assert!(!script.contains("fd="), "{script}");
    assert!(script.contains(r"/a '\''disc'\''.iso"), "{script}");
}
