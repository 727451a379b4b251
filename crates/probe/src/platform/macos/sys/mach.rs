//! The host's statistics over Mach.

use std::mem::offset_of;

use mach2::mach_init::mach_host_self;
use mach2::port::{MACH_PORT_NULL, mach_port_t};
use mach2::traps::mach_task_self;
use mach2::vm_page_size::vm_kernel_page_size;
use mach2::vm_statistics::vm_statistics64;

use crate::decode::cpu_ticks::CoreTicks;
use crate::decode::vm::{REV1_WORDS, word};

// The decoder reads words by their place; this is where the headers put them.
const _: () = assert!(offset_of!(vm_statistics64, free_count) == 4 * word::FREE);
const _: () = assert!(offset_of!(vm_statistics64, inactive_count) == 4 * word::INACTIVE);
const _: () = assert!(offset_of!(vm_statistics64, wire_count) == 4 * word::WIRE);
const _: () = assert!(offset_of!(vm_statistics64, faults) == 4 * word::FAULTS);
const _: () = assert!(offset_of!(vm_statistics64, purgeable_count) == 4 * word::PURGEABLE);
const _: () = assert!(offset_of!(vm_statistics64, speculative_count) == 4 * word::SPECULATIVE);
const _: () = assert!(offset_of!(vm_statistics64, swapins) == 4 * word::SWAPINS);
const _: () = assert!(offset_of!(vm_statistics64, swapouts) == 4 * word::SWAPOUTS);
const _: () = assert!(offset_of!(vm_statistics64, compressor_page_count) == 4 * word::COMPRESSOR);
const _: () = assert!(offset_of!(vm_statistics64, external_page_count) == 4 * word::EXTERNAL);
const _: () = assert!(offset_of!(vm_statistics64, internal_page_count) == 4 * word::INTERNAL);
const _: () = assert!(offset_of!(vm_statistics64, swapped_count) == 4 * REV1_WORDS);

/// The port that the host answers on. Asked for once: each asking adds a
/// reference that would have to be given back.
pub(in super::super) struct Host(mach_port_t);

impl Host {
    pub(in super::super) fn new() -> Option<Host> {
        // SAFETY: takes nothing and gives a port or null.
        let port = unsafe { mach_host_self() };
        (port != MACH_PORT_NULL).then_some(Host(port))
    }

    /// The first revision of `vm_statistics64` as words; gives those filled in.
    pub(in super::super) fn vm_words<'b>(
        &self,
        words: &'b mut [u32; REV1_WORDS],
    ) -> Option<&'b [u32]> {
        *words = [0; REV1_WORDS];
        let mut count = REV1_WORDS as libc::mach_msg_type_number_t;
        // SAFETY: the kernel writes at most `count` 32-bit words to `words`,
        // which has that many, and sets `count` to what it wrote.
        let result = unsafe {
            libc::host_statistics64(
                self.0,
                libc::HOST_VM_INFO64,
                words.as_mut_ptr().cast(),
                &mut count,
            )
        };
        if result == libc::KERN_SUCCESS { words.get(..usize::try_from(count).ok()?) } else { None }
    }

    /// The tick counters of each core, in place of what `cores` held. False
    /// when they cannot be had.
    pub(in super::super) fn cpu_ticks(&self, cores: &mut Vec<CoreTicks>) -> bool {
        const STATES: usize = libc::CPU_STATE_MAX as usize;
        cores.clear();
        let mut processors = 0;
        let mut info: libc::processor_info_array_t = std::ptr::null_mut();
        let mut count = 0;
        // SAFETY: the three pointers are to locals of the types asked for; on
        // success `info` points to `count` integers that are ours to free.
        let result = unsafe {
            libc::host_processor_info(
                self.0,
                libc::PROCESSOR_CPU_LOAD_INFO,
                &mut processors,
                &mut info,
                &mut count,
            )
        };
        if result != libc::KERN_SUCCESS || info.is_null() {
            return false;
        }
        let length = count as usize;
        // SAFETY: `info` points to `count` initialised integers, which live
        // until they are freed below, after the last use of `words`.
        let words = unsafe { std::slice::from_raw_parts(info.cast_const(), length) };
        for core in words.chunks_exact(STATES).take(processors as usize) {
            // The counters are unsigned; the call hands all kinds out as signed.
            cores.push([core[0] as u32, core[1] as u32, core[2] as u32, core[3] as u32]);
        }
        // SAFETY: gives back, once, what the call above handed over, in bytes.
        unsafe {
            libc::vm_deallocate(
                mach_task_self(),
                info as libc::vm_address_t,
                length * size_of::<libc::integer_t>(),
            );
        }
        !cores.is_empty()
    }
}

/// Bytes in a page as the kernel counts pages.
pub(in super::super) fn page_bytes() -> u64 {
    // SAFETY: a constant of the system library, set before the program starts.
    let bytes = unsafe { vm_kernel_page_size };
    bytes as u64
}
