//! How promptly a thread is woken.

/// Timers of the calling thread go off to the nanosecond instead of together
/// with others of the next 50 µs.
pub(crate) fn be_punctual() {
    // Refused, it stays as it is.
    let _ = nix::sys::prctl::set_timerslack(1);
}
