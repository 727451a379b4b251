//! How promptly a thread is woken.

/// Declares that somebody waits for what the calling thread does. Its timers
/// are then put off by a few milliseconds at most to go off with others, where
/// those of a program in the background are by up to a hundred.
pub(crate) fn be_punctual() {
    // SAFETY: concerns the calling thread only; both arguments are values.
    // Refused, it stays as it is.
    unsafe {
        libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_USER_INITIATED, 0);
    }
}
