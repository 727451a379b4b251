//! The registry of devices.

use std::ffi::CStr;

use core_foundation::base::{CFType, TCFType};
use core_foundation::data::CFData;
use core_foundation::dictionary::CFDictionary;
use core_foundation::string::CFString;
use io_kit_sys::types::io_object_t;
use io_kit_sys::{
    IOIteratorNext, IOObjectGetClass, IOObjectRelease, IORegistryEntryCreateCFProperty,
    IORegistryEntryGetName, IOServiceGetMatchingServices, IOServiceMatching,
};

use super::cf::{Dictionary, Key};

/// The main port by its number: its name changed with macOS 12, 0 has always
/// meant it.
const MAIN_PORT: u32 = 0;
/// What the registry answers with when there is nothing.
const NOTHING: io_object_t = 0;

/// An entry of the registry, given back when dropped.
pub(in super::super) struct Entry(io_object_t);

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: the object was handed over to us and is not used after this.
        unsafe { IOObjectRelease(self.0) };
    }
}

/// The services of a class and those derived from it.
pub(in super::super) fn services(class: &CStr) -> Vec<Entry> {
    let mut found = Vec::new();
    // SAFETY: the name ends in a NUL; gives a new dictionary or null.
    let matching = unsafe { IOServiceMatching(class.as_ptr()) };
    if matching.is_null() {
        return found;
    }
    let mut iterator = NOTHING;
    // SAFETY: the call uses up `matching` and, if it succeeds, hands over an
    // iterator.
    let result =
        unsafe { IOServiceGetMatchingServices(MAIN_PORT, matching.cast_const(), &mut iterator) };
    if result != libc::KERN_SUCCESS || iterator == NOTHING {
        return found;
    }
    let iterator = Entry(iterator);
    loop {
        // SAFETY: a live iterator; each object it gives is handed over.
        let object = unsafe { IOIteratorNext(iterator.0) };
        if object == NOTHING {
            return found;
        }
        found.push(Entry(object));
    }
}

impl Entry {
    fn property(&self, key: &Key) -> Option<CFType> {
        // SAFETY: a live entry and string; a null allocator is the default one.
        let value = unsafe {
            IORegistryEntryCreateCFProperty(
                self.0,
                key.0.as_concrete_TypeRef(),
                std::ptr::null(),
                0,
            )
        };
        // SAFETY: checked for null; the call's name says that it is ours.
        (!value.is_null()).then(|| unsafe { CFType::wrap_under_create_rule(value) })
    }

    /// A property that is a text.
    pub(in super::super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.property(&Key::new(key))?;
        let text = value.downcast::<CFString>()?.to_string();
        (!text.is_empty()).then_some(text)
    }

    /// A property that is a dictionary.
    pub(in super::super) fn dictionary(&self, key: &Key) -> Option<Dictionary> {
        self.property(key)?.downcast_into::<CFDictionary>().map(Dictionary)
    }

    /// A property that is bytes.
    pub(in super::super) fn bytes(&self, key: &'static str) -> Option<Vec<u8>> {
        Some(self.property(&Key::new(key))?.downcast::<CFData>()?.bytes().to_vec())
    }

    /// The name of the driver's class.
    pub(in super::super) fn class(&self) -> Option<String> {
        let mut name = IoName::default();
        // SAFETY: a live object; the call writes an `io_name_t`.
        let result = unsafe { IOObjectGetClass(self.0, name.0.as_mut_ptr().cast()) };
        name.text(result)
    }

    /// Its own name: `pmgr`.
    pub(in super::super) fn name(&self) -> Option<String> {
        let mut name = IoName::default();
        // SAFETY: a live entry; the call writes an `io_name_t`.
        let result = unsafe { IORegistryEntryGetName(self.0, name.0.as_mut_ptr().cast()) };
        name.text(result)
    }
}

/// `io_name_t`: a text of at most 128 bytes with a NUL at its end.
struct IoName([u8; 128]);

impl Default for IoName {
    fn default() -> IoName {
        IoName([0; 128])
    }
}

impl IoName {
    /// The text, if the call that filled it in succeeded.
    fn text(&self, result: libc::kern_return_t) -> Option<String> {
        let text = CStr::from_bytes_until_nul(&self.0).ok()?.to_str().ok()?;
        (result == libc::KERN_SUCCESS && !text.is_empty()).then(|| text.to_owned())
    }
}
