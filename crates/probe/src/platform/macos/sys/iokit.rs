//! The registry of devices.

use std::ffi::{CStr, c_void};

use core_foundation::base::{CFType, TCFType};
use core_foundation::dictionary::CFDictionary;
use core_foundation::number::CFNumber;
use core_foundation::string::CFString;
use io_kit_sys::types::io_object_t;
use io_kit_sys::{
    IOIteratorNext, IOObjectGetClass, IOObjectRelease, IORegistryEntryCreateCFProperty,
    IOServiceGetMatchingServices, IOServiceMatching,
};

/// The main port by its number: its name changed with macOS 12, 0 has always
/// meant it.
const MAIN_PORT: u32 = 0;
/// What the registry answers with when there is nothing.
const NOTHING: io_object_t = 0;

/// A key to ask for, made once.
pub(in super::super) struct Key(CFString);

impl Key {
    pub(in super::super) fn new(key: &'static str) -> Key {
        Key(CFString::from_static_string(key))
    }
}

// SAFETY: the string cannot be changed, and Core Foundation allows any thread
// to use, retain and release such objects.
unsafe impl Send for Key {}

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

    /// The name of the driver's class.
    pub(in super::super) fn class(&self) -> Option<String> {
        // `io_name_t`
        let mut name = [0_u8; 128];
        // SAFETY: the call writes a NUL-terminated text of at most 128 bytes.
        let result = unsafe { IOObjectGetClass(self.0, name.as_mut_ptr().cast()) };
        let text = CStr::from_bytes_until_nul(&name).ok()?.to_str().ok()?;
        (result == libc::KERN_SUCCESS && !text.is_empty()).then(|| text.to_owned())
    }
}

/// A dictionary with strings for keys.
pub(in super::super) struct Dictionary(CFDictionary);

impl Dictionary {
    /// The integer under `key`, if there is one and it fits into 64 bits.
    pub(in super::super) fn integer(&self, key: &Key) -> Option<i64> {
        let key: *const c_void = key.0.as_concrete_TypeRef().cast();
        let value = *self.0.find(key)?;
        if value.is_null() {
            return None;
        }
        // SAFETY: values of a property list are Core Foundation objects, and
        // this one lives as long as the dictionary; wrapping it retains it.
        let value = unsafe { CFType::wrap_under_get_rule(value) };
        value.downcast::<CFNumber>()?.to_i64()
    }
}
