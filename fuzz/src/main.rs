//! libFuzzer over the targets of `boot_matrix_tests::fuzzing`: that whose name stands in `BOOT_MATRIX_FUZZ_TARGET`;
//! with `BOOT_MATRIX_FUZZ_LIST`, only the list of them all, as JSON.

#![no_main]

use std::sync::OnceLock;

use boot_matrix_tests::fuzzing::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        if std::env::var_os("BOOT_MATRIX_FUZZ_LIST").is_some() {
            println!("{}", boot_matrix_tests::fuzzing::list(TARGETS));
            std::process::exit(0);
        }
        let name = std::env::var("BOOT_MATRIX_FUZZ_TARGET").unwrap_or_default();
        match Target::of_name(&name) {
            Some(target) => drop(TARGET.set(target)),
            None => {
                eprintln!("BOOT_MATRIX_FUZZ_TARGET names no target: {name:?}");
                std::process::exit(2);
            }
        }
    },
    |input: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.read)(input);
        }
    }
);
