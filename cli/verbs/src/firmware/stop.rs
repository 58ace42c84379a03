//! What a failure of the folder of builds means for people.

use harness::firmware::StoreError;

use crate::stop::Stop;

pub(super) fn stop(error: StoreError) -> Stop {
    match &error {
        StoreError::Host { .. } => {
            Stop::host(error, "another file, or some space in the target folder")
        }
        StoreError::Refused { .. } => Stop::usage(error, "a ROM of SeaBIOS, or OVMF's code"),
        StoreError::Same { build, .. } => {
            let remedy = format!("--firmware {build}, which runs it");
            Stop::usage(error, remedy)
        }
        StoreError::Taken(_) | StoreError::Missing { .. } => {
            Stop::usage(error, "cargo xtask firmware list")
        }
    }
}
