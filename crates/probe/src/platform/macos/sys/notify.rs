//! A state that the system publishes under a name (libnotify).

use std::ffi::{CStr, c_char, c_int};

const STATUS_OK: u32 = 0;

// `notify.h`, part of the system library.
unsafe extern "C" {
    fn notify_register_check(name: *const c_char, token: *mut c_int) -> u32;
    fn notify_get_state(token: c_int, state: *mut u64) -> u32;
    fn notify_cancel(token: c_int) -> u32;
}

/// A name whose state can be asked for.
pub(in super::super) struct State(c_int);

impl State {
    pub(in super::super) fn register(name: &CStr) -> Option<State> {
        let mut token = 0;
        // SAFETY: `name` ends in a NUL and `token` is ours to be written to.
        let status = unsafe { notify_register_check(name.as_ptr(), &mut token) };
        (status == STATUS_OK).then_some(State(token))
    }

    pub(in super::super) fn get(&self) -> Option<u64> {
        let mut state = 0;
        // SAFETY: the token is registered until `self` is dropped, and `state`
        // is ours to be written to.
        let status = unsafe { notify_get_state(self.0, &mut state) };
        (status == STATUS_OK).then_some(state)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the token is registered and not used after this.
        unsafe { notify_cancel(self.0) };
    }
}
