//! The same work on many things, on every core.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::signals::Signals;

/// Does `work` on each thing, in order of their start. Stops beginning new ones when one fails or a signal comes.
///
/// # Errors
/// The last failure.
pub fn each<T: Sync, E: Send>(
    things: &[T],
    signals: &Signals,
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while !signals.caught()
                    && let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(error) = work(thing) {
                        // A poisoned lock holds what it held.
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        next.store(things.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    failure
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), Err)
}
