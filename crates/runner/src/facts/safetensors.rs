//! The header of a safetensors file: names, types and shapes of its tensors.
//!
//! <https://huggingface.co/docs/safetensors>: 8 bytes with a length, then JSON.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use serde::Deserialize;
use serde_json::Value;

/// The longest header that the format allows, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// What a header says, as far as anybody asks.
#[derive(Clone, Debug, Default)]
pub struct Header {
    tensors: BTreeMap<String, Tensor>,
    is_mlx: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
}

/// Why a header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file ends in it, or cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what the format allows.
    #[error("no safetensors file: {0}")]
    Format(String),
}

impl Header {
    /// Reads the header at the beginning of `source`.
    ///
    /// # Errors
    ///
    /// When it breaks off or is not what the format allows.
    pub fn read(mut source: impl Read) -> Result<Header, Fault> {
        let mut length = [0; 8];
        source.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER {
            return Err(Fault::Format(format!("a header of {length} bytes")));
        }
        // Grows with what is there, and not with what was said.
        let mut text = Vec::new();
        source.take(length).read_to_end(&mut text)?;
        let format = |error: serde_json::Error| Fault::Format(error.to_string());
        let mut entries: BTreeMap<String, Value> = serde_json::from_slice(&text).map_err(format)?;
        let metadata = entries.remove("__metadata__").unwrap_or_default();
        let tensors = entries
            .into_iter()
            .map(|(name, value)| serde_json::from_value(value).map(|tensor| (name, tensor)))
            .collect::<Result<_, _>>()
            .map_err(format)?;
        Ok(Header { tensors, is_mlx: metadata["format"] == "mlx" })
    }

    /// Whether MLX wrote it, by its own word.
    #[must_use]
    pub fn is_mlx(&self) -> bool {
        self.is_mlx
    }

    /// Parameters of the model. Where MLX packed several of `bits` into words of 32,
    /// each counts, and the scales and biases of the packing do not.
    #[must_use]
    pub fn params(&self, bits: Option<u64>) -> u64 {
        self.tensors
            .iter()
            .map(|(name, tensor)| self.params_of(name, tensor, bits))
            .fold(0, u64::saturating_add)
    }

    fn params_of(&self, name: &str, tensor: &Tensor, bits: Option<u64>) -> u64 {
        let packed = |stem: &str| {
            self.tensors.get(&format!("{stem}.weight")).is_some_and(|tensor| tensor.dtype == "U32")
        };
        let of_packing = [".scales", ".biases"].iter().filter_map(|end| name.strip_suffix(end));
        if of_packing.into_iter().any(packed) {
            return 0;
        }
        let count = tensor.shape.iter().copied().fold(1, u64::saturating_mul);
        match bits {
            Some(bits) if tensor.dtype == "U32" && bits > 0 => count.saturating_mul(32) / bits,
            _ => count,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Header;

    fn file(header: &str) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
    }

    const PACKED: &str = r#"{"__metadata__":{"format":"mlx"},
        "a.weight":{"dtype":"U32","shape":[64,8],"data_offsets":[0,2048]},
        "a.scales":{"dtype":"F16","shape":[64,1],"data_offsets":[2048,2176]},
        "a.biases":{"dtype":"F16","shape":[64,1],"data_offsets":[2176,2304]},
        "norm.weight":{"dtype":"F16","shape":[64],"data_offsets":[2304,2432]}}"#;

    #[test]
    fn parameters_are_the_sum_of_shapes_and_packed_ones_count_one_by_one() {
        let header = Header::read(&file(PACKED)[..]).unwrap();
        assert!(header.is_mlx());
        // 64 · 8 words of 8 numbers of 4 bits, and the norm.
        assert_eq!(header.params(Some(4)), 64 * 64 + 64);
        let plain = r#"{"x":{"dtype":"BF16","shape":[3,5],"data_offsets":[0,30]},"y":{"dtype":"F32","shape":[],"data_offsets":[30,34]}}"#;
        let header = Header::read(&file(plain)[..]).unwrap();
        assert!(!header.is_mlx());
        assert_eq!(header.params(None), 16);
    }

    #[test]
    fn what_a_hostile_file_says_of_lengths_is_not_believed() {
        for bytes in [
            u64::MAX.to_le_bytes().to_vec(),
            99_000_000u64.to_le_bytes().to_vec(),
            vec![0; 7],
            file("{\"a\": 7}"),
            file("[]"),
        ] {
            assert!(Header::read(&bytes[..]).is_err(), "{bytes:?}");
        }
        let huge = r#"{"a":{"dtype":"U32","shape":[18446744073709551615,9],"data_offsets":[0,0]}}"#;
        assert!(Header::read(&file(huge)[..]).unwrap().params(Some(4)) > 0);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_for_it(
            at in 0usize..400, with in proptest::collection::vec(any::<u8>(), 0..40), bits in any::<Option<u64>>(),
        ) {
            let mut bytes = file(PACKED);
            let at = at.min(bytes.len());
            let end = (at + with.len()).min(bytes.len());
            let at = at.min(end);
            bytes[at..end].copy_from_slice(&with[..end - at]);
            let _ = Header::read(&bytes[..]).map(|header| header.params(bits));
            let _ = Header::read(&with[..]).map(|header| header.params(bits));
        }
    }
}
