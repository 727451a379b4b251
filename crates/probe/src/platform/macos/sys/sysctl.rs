//! `sysctlbyname` and `getloadavg`.

use std::ffi::CStr;

/// Fills `buffer` with the value called `name`; gives the bytes filled in.
/// `None` when there is no such value or it does not fit.
fn read<'b>(name: &CStr, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut length = buffer.len();
    // SAFETY: `name` ends in a NUL; the kernel writes at most `length` bytes to
    // `buffer`, which has that many, and sets `length` to what it wrote.
    let result = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            buffer.as_mut_ptr().cast(),
            &mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if result == 0 { buffer.get(..length) } else { None }
}

/// An integer of 32 or 64 bits.
pub(in super::super) fn integer(name: &CStr) -> Option<u64> {
    let mut buffer = [0; 8];
    let bytes = read(name, &mut buffer)?;
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(u64::from(u32::from_ne_bytes(bytes)));
    }
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

/// A text, without the NUL at its end.
pub(in super::super) fn text(name: &CStr) -> Option<String> {
    let mut buffer = [0; 256];
    let bytes = read(name, &mut buffer)?;
    let text = CStr::from_bytes_until_nul(bytes).ok()?.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The bytes of `struct xsw_usage`.
pub(in super::super) fn swap_usage(buffer: &mut [u8; size_of::<libc::xsw_usage>()]) -> &[u8] {
    read(c"vm.swapusage", buffer).unwrap_or_default()
}

/// Load over 1, 5 and 15 minutes.
pub(in super::super) fn load() -> Option<[f64; 3]> {
    let mut load = [0.0; 3];
    // SAFETY: `load` has room for the three values that are asked for.
    let count = unsafe { libc::getloadavg(load.as_mut_ptr(), 3) };
    (count == 3).then_some(load)
}
