//! Apple's IOReport library. It is private, so it is looked for when the
//! program runs: where it is missing or has changed, that is a reason for
//! missing quantities and no failure to start.

use std::ffi::c_void;
use std::sync::OnceLock;

use core_foundation::array::{
    CFArrayAppendValue, CFArrayCreateMutable, CFMutableArrayRef, kCFTypeArrayCallBacks,
};
use core_foundation::base::{CFType, CFTypeRef, TCFType};
use core_foundation::dictionary::{
    CFDictionary, CFDictionaryRef, CFMutableDictionary, CFMutableDictionaryRef,
};
use core_foundation::string::{CFString, CFStringRef};
use libloading::Library;

use super::cf::{Dictionary, Key, text};
use super::time::{now_ticks, timebase};
use crate::decode::ioreport::{Channel, ENERGY, Sample, Value, stamp_ticks};

/// Where every macOS has it, if only in the shared cache.
const PATH: &str = "/usr/lib/libIOReport.dylib";

/// The functions of the library that are used, each with its name there.
macro_rules! functions {
    ($($field:ident: $symbol:literal ($($argument:ty),*) -> $result:ty;)*) => {
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        impl Functions {
            fn load() -> Result<Functions, libloading::Error> {
                // SAFETY: a library of the system, made to be loaded.
                let library = unsafe { Library::new(PATH) }?;
                let functions = Functions {
                    // SAFETY: the type is the one that the function has in all
                    // published descriptions of the library.
                    $($field: *unsafe { library.get(concat!($symbol, "\0").as_bytes()) }?,)*
                };
                // Never unloaded: the functions stay where they are.
                std::mem::forget(library);
                Ok(functions)
            }
        }
    };
}

functions! {
    describe: "IOReportCopyChannelsInGroup" (CFStringRef, CFStringRef, u64, u64, u64) -> CFDictionaryRef;
    subscribe: "IOReportCreateSubscription" (*const c_void, CFMutableDictionaryRef, *mut CFMutableDictionaryRef, u64, CFTypeRef) -> CFTypeRef;
    sample: "IOReportCreateSamples" (CFTypeRef, CFMutableDictionaryRef, CFTypeRef) -> CFDictionaryRef;
    group: "IOReportChannelGetGroup" (CFDictionaryRef) -> CFStringRef;
    subgroup: "IOReportChannelGetSubGroup" (CFDictionaryRef) -> CFStringRef;
    name: "IOReportChannelGetChannelName" (CFDictionaryRef) -> CFStringRef;
    unit: "IOReportChannelGetUnitLabel" (CFDictionaryRef) -> CFStringRef;
    count: "IOReportSimpleGetIntegerValue" (CFDictionaryRef, usize) -> i64;
    states: "IOReportStateGetCount" (CFDictionaryRef) -> i32;
    state_name: "IOReportStateGetNameForIndex" (CFDictionaryRef, i32) -> CFStringRef;
    state_time: "IOReportStateGetResidency" (CFDictionaryRef, i32) -> i64;
}

fn functions() -> Result<&'static Functions, String> {
    static FUNCTIONS: OnceLock<Result<Functions, String>> = OnceLock::new();
    let load = || Functions::load().map_err(|error| format!("IOReport cannot be used: {error}"));
    FUNCTIONS.get_or_init(load).as_ref().map_err(String::clone)
}

impl Functions {
    /// What `entry` is, its value left out.
    fn channel(&self, entry: &Dictionary) -> Channel {
        let entry = entry.0.as_concrete_TypeRef();
        let text = |function: unsafe extern "C" fn(CFDictionaryRef) -> CFStringRef| {
            // SAFETY: a live entry of a description or a sample.
            text(unsafe { function(entry) }).unwrap_or_default()
        };
        Channel {
            group: text(self.group),
            subgroup: text(self.subgroup),
            name: text(self.name),
            unit: text(self.unit),
            ..Channel::default()
        }
    }

    fn value(&self, energy: bool, entry: &Dictionary) -> Value {
        let entry = entry.0.as_concrete_TypeRef();
        if energy {
            // SAFETY: a live entry of a sample. The 0 is a null pointer in some
            // descriptions and a number in others: as wide as both it suits both.
            return Value::Count(unsafe { (self.count)(entry, 0) });
        }
        // SAFETY: as above.
        let states = unsafe { (self.states)(entry) };
        let state = |index| {
            // SAFETY: as above; the index is below the number of states.
            let (name, time) =
                unsafe { ((self.state_name)(entry, index), (self.state_time)(entry, index)) };
            (text(name).unwrap_or_default(), time)
        };
        Value::States((0..states).map(state).collect())
    }
}

/// The channels of a group that can be subscribed to.
pub(in super::super) struct Group {
    description: CFDictionary,
    entries: Vec<Dictionary>,
    /// What they are, without values.
    pub(in super::super) channels: Vec<Channel>,
}

impl Group {
    /// The channels of `group`, or of its `subgroup` only.
    pub(in super::super) fn describe(group: &str, subgroup: Option<&str>) -> Result<Group, String> {
        let functions = functions()?;
        let (name, subname) = (CFString::new(group), subgroup.map(CFString::new));
        let subname = subname.as_ref().map_or(std::ptr::null(), TCFType::as_concrete_TypeRef);
        // SAFETY: two live strings, the second of which may be null; the
        // numbers are filters that 0 turns off.
        let raw = unsafe { (functions.describe)(name.as_concrete_TypeRef(), subname, 0, 0, 0) };
        if raw.is_null() {
            return Err(format!("IOReport has no {group:?} here: a virtual machine?"));
        }
        // SAFETY: not null, and ours to release: the function's name has Copy.
        let description = unsafe { CFDictionary::wrap_under_create_rule(raw) };
        let entries = Dictionary(description.clone()).dictionaries(&Key::new(CHANNELS));
        let channels = entries.iter().map(|entry| functions.channel(entry)).collect();
        Ok(Group { description, entries, channels })
    }

    /// The channels that `keep` wants.
    pub(in super::super) fn only(&self, keep: impl Fn(&Channel) -> bool) -> Group {
        let both = self.entries.iter().zip(&self.channels);
        let (entries, channels) = both
            .filter(|(_, channel)| keep(channel))
            .map(|(entry, channel)| (entry.clone(), channel.clone()))
            .unzip();
        Group { description: self.description.clone(), entries, channels }
    }
}

/// Key of the array of channels in descriptions and samples.
const CHANNELS: &str = "IOReportChannels";

/// Channels that can be sampled.
pub(in super::super) struct Subscription {
    functions: &'static Functions,
    handle: CFType,
    wanted: CFMutableDictionary,
    channels: Key,
    element: Key,
}

// SAFETY: IOReport's objects belong to no thread, and this one is used by one
// thread at a time.
unsafe impl Send for Subscription {}

impl Subscription {
    /// Subscribes to all channels of `groups`.
    pub(in super::super) fn new(groups: &[&Group]) -> Result<Subscription, String> {
        let functions = functions()?;
        let entries: Vec<&Dictionary> = groups.iter().flat_map(|group| &group.entries).collect();
        let Some(first) = groups.first().filter(|_| !entries.is_empty()) else {
            return Err("IOReport has no channel of use here: a virtual machine?".to_owned());
        };
        let channels = Key::new(CHANNELS);
        // Mutable, as the library's own arrays are.
        // SAFETY: makes an array that is ours, or null.
        let array: CFMutableArrayRef =
            unsafe { CFArrayCreateMutable(std::ptr::null(), 0, &kCFTypeArrayCallBacks) };
        if array.is_null() {
            return Err("out of memory".to_owned());
        }
        // SAFETY: not null, and ours to release.
        let list = unsafe { CFType::wrap_under_create_rule(array.cast_const().cast()) };
        for entry in entries {
            // SAFETY: a live mutable array, which retains the live entry.
            unsafe { CFArrayAppendValue(array, entry.0.as_CFTypeRef()) };
        }
        let mut wanted = CFMutableDictionary::from(&first.description);
        wanted.set(channels.0.as_CFTypeRef(), list.as_CFTypeRef());
        let mut subscribed: CFMutableDictionaryRef = std::ptr::null_mut();
        // What ends up in `subscribed` is of no use here. It is not released:
        // nothing says whether it is ours, and there are two of them at most.
        // SAFETY: a live dictionary and a place to write to; the rest may be
        // null and 0.
        let handle = unsafe {
            (functions.subscribe)(
                std::ptr::null(),
                wanted.as_concrete_TypeRef(),
                &mut subscribed,
                0,
                std::ptr::null(),
            )
        };
        if handle.is_null() {
            return Err("IOReport gives no subscription".to_owned());
        }
        // SAFETY: not null, and ours to release: the function's name has Create.
        let handle = unsafe { CFType::wrap_under_create_rule(handle) };
        Ok(Subscription { functions, handle, wanted, channels, element: Key::new("RawElements") })
    }

    /// The channels now, with what they counted since boot.
    pub(in super::super) fn sample(&self) -> Option<Sample> {
        // SAFETY: a live subscription and its channels; the last may be null.
        let raw = unsafe {
            (self.functions.sample)(
                self.handle.as_CFTypeRef(),
                self.wanted.as_concrete_TypeRef(),
                std::ptr::null(),
            )
        };
        if raw.is_null() {
            return None;
        }
        // SAFETY: not null, and ours to release: the function's name has Create.
        let raw = Dictionary(unsafe { CFDictionary::wrap_under_create_rule(raw) });
        let base = timebase();
        let channel = |entry: Dictionary| {
            let channel = self.functions.channel(&entry);
            let element = entry.bytes(&self.element);
            Channel {
                stamp_ns: element.and_then(|bytes| base.ns(stamp_ticks(&bytes)?)),
                value: self.functions.value(channel.group == ENERGY, &entry),
                ..channel
            }
        };
        let channels = raw.dictionaries(&self.channels).into_iter().map(channel).collect();
        Some(Sample { at_ns: base.ns(now_ticks())?, channels })
    }
}
