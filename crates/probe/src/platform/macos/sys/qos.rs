//! How promptly a thread is woken.

/// Declares the calling thread to work for a waiting user: its timers are then
/// moved together with others by a few milliseconds at most, instead of up to
/// a hundred. False when the system refuses.
pub(in super::super) fn user_initiated() -> bool {
    // SAFETY: changes the calling thread only; both arguments are values.
    unsafe {
        libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_USER_INITIATED, 0) == 0
    }
}
