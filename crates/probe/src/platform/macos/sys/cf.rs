//! Core Foundation: what its collections hold, with the types checked.
//!
//! Its naming rule decides ownership: what comes from a function with Create
//! or Copy in its name is ours to release, what comes from any other is not.

use std::ffi::c_void;

use core_foundation::array::CFArray;
use core_foundation::base::{CFType, TCFType};
use core_foundation::data::CFData;
use core_foundation::dictionary::CFDictionary;
use core_foundation::number::CFNumber;
use core_foundation::string::{CFString, CFStringRef};

/// A key to ask for, made once.
pub(in super::super) struct Key(pub(super) CFString);

impl Key {
    pub(in super::super) fn new(key: &'static str) -> Key {
        Key(CFString::from_static_string(key))
    }
}

// SAFETY: the string cannot be changed, and Core Foundation allows any thread
// to use, retain and release such objects.
unsafe impl Send for Key {}

/// A dictionary with strings for keys.
#[derive(Clone)]
pub(in super::super) struct Dictionary(pub(super) CFDictionary);

impl Dictionary {
    pub(super) fn get(&self, key: &Key) -> Option<CFType> {
        let key: *const c_void = key.0.as_concrete_TypeRef().cast();
        borrowed(*self.0.find(key)?)
    }

    /// The integer under `key`, if there is one and it fits into 64 bits.
    pub(in super::super) fn integer(&self, key: &Key) -> Option<i64> {
        self.get(key)?.downcast::<CFNumber>()?.to_i64()
    }

    /// All integers, by their keys.
    pub(in super::super) fn integers(&self) -> Vec<(String, i64)> {
        let (keys, values) = self.0.get_keys_and_values();
        let pair = |(key, value): (&*const c_void, &*const c_void)| {
            let key = borrowed(*key)?.downcast::<CFString>()?.to_string();
            Some((key, borrowed(*value)?.downcast::<CFNumber>()?.to_i64()?))
        };
        keys.iter().zip(&values).filter_map(pair).collect()
    }

    /// The bytes under `key`.
    pub(super) fn bytes(&self, key: &Key) -> Option<Vec<u8>> {
        Some(self.get(key)?.downcast::<CFData>()?.bytes().to_vec())
    }

    /// The dictionaries in the array under `key`.
    pub(super) fn dictionaries(&self, key: &Key) -> Vec<Dictionary> {
        let array = self.get(key).and_then(|value| value.downcast_into::<CFArray>());
        let values = array.as_ref().map(CFArray::get_all_values).unwrap_or_default();
        let dictionary = |value| borrowed(value)?.downcast_into::<CFDictionary>();
        values.into_iter().filter_map(dictionary).map(Dictionary).collect()
    }
}

/// An object out of a collection, kept alive from here on.
fn borrowed(object: *const c_void) -> Option<CFType> {
    // SAFETY: not null; the collections that are asked hold Core Foundation
    // objects only and are alive, and wrapping retains the object.
    (!object.is_null()).then(|| unsafe { CFType::wrap_under_get_rule(object) })
}

/// The text of a string that a function without Create or Copy gave.
pub(super) fn text(string: CFStringRef) -> Option<String> {
    Some(borrowed(string.cast())?.downcast::<CFString>()?.to_string())
}
