//! The header of a GGUF file: its metadata and the shapes of its tensors.
//!
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. A file can come from
//! anywhere: nothing is allocated because it says so, and nothing is read without end.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::Facts;

/// The most that is read of a header, in bytes. Those with a vocabulary of 256 000
/// words have about 10 MB.
const MAX_HEADER: u64 = 256 << 20;
/// The longest text that is kept, in bytes; longer ones, such as templates, are skipped.
const MAX_TEXT: u64 = 4 << 10;
/// How deep arrays may lie in arrays. Nobody writes any.
const MAX_DEPTH: u8 = 4;

/// What a header says, as far as anybody asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `general.architecture`, such as `llama`.
    pub architecture: Option<String>,
    /// `general.file_type`: how most of its weights are stored.
    pub file_type: Option<u64>,
    /// Longest context in tokens.
    pub context: Option<u64>,
    /// Numbers in all its tensors.
    pub params: u64,
    /// Of these, numbers of experts.
    pub expert_params: u64,
    /// Experts in a layer.
    pub experts: Option<u64>,
    /// Experts that one token uses.
    pub experts_used: Option<u64>,
}

/// Why a header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The file ends in it, or cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no GGUF file, or one of a kind that is not known.
    #[error("{0}")]
    Format(&'static str),
}

impl Header {
    /// Reads the header at the beginning of `source`.
    ///
    /// # Errors
    ///
    /// When it breaks off or is not what GGUF allows.
    pub fn read(source: impl Read) -> Result<Header, Fault> {
        let mut source = Source(source.take(MAX_HEADER));
        if source.bytes::<4>()? != *b"GGUF" {
            return Err(Fault::Format("no GGUF file"));
        }
        // A big-endian file's 3 looks very large.
        if !(2..=3).contains(&source.u32()?) {
            return Err(Fault::Format("a version of GGUF that is not known"));
        }
        let (tensors, pairs) = (source.u64()?, source.u64()?);
        let mut header = Header::default();
        let mut numbers = Vec::new();
        for _ in 0..pairs {
            let key = source.text()?.unwrap_or_default();
            match source.value(MAX_DEPTH)? {
                Value::Text(text) if key == "general.architecture" => {
                    header.architecture = Some(text);
                }
                Value::Number(number) if key == "general.file_type" => {
                    header.file_type = Some(number);
                }
                // Keys of the architecture may come before its name.
                Value::Number(number) if WANTED.iter().any(|end| key.ends_with(end)) => {
                    numbers.push((key, number));
                }
                _ => {}
            }
        }
        let own = |end: &str| {
            let architecture = header.architecture.as_ref()?;
            let found = numbers.iter().find(|(key, _)| *key == format!("{architecture}{end}"));
            found.map(|(_, number)| *number)
        };
        let [context, experts, experts_used] = WANTED.map(own);
        header = Header { context, experts, experts_used, ..header };
        for _ in 0..tensors {
            let name = source.text()?.unwrap_or_default();
            let too_large = Fault::Format("a tensor is larger than any can be");
            let dimensions = source.u32()?;
            if dimensions > 8 {
                return Err(too_large);
            }
            let mut count = 1u64;
            for _ in 0..dimensions {
                count = count
                    .checked_mul(source.u64()?)
                    .ok_or(Fault::Format("a tensor is larger than any can be"))?;
            }
            let (_kind, _offset) = (source.u32()?, source.u64()?);
            header.params = header.params.checked_add(count).ok_or(too_large)?;
            if name.contains("_exps.") {
                header.expert_params += count;
            }
        }
        Ok(header)
    }
}

/// Ends of keys with numbers that are wanted.
const WANTED: [&str; 3] = [".context_length", ".expert_count", ".expert_used_count"];

/// A value, as far as it is of use.
enum Value {
    Number(u64),
    Text(String),
    Other,
}

struct Source<R>(io::Take<R>);

impl<R: Read> Source<R> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> io::Result<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// Reads `count` bytes and drops them.
    fn skip(&mut self, count: u64) -> io::Result<()> {
        match io::copy(&mut self.0.by_ref().take(count), &mut io::sink())? {
            read if read == count => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// A text; nothing of one that is too long to be kept.
    fn text(&mut self) -> io::Result<Option<String>> {
        let length = self.u64()?;
        if length > MAX_TEXT {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.0.read_exact(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn value(&mut self, depth: u8) -> Result<Value, Fault> {
        let kind = self.u32()?;
        self.value_of(kind, depth)
    }

    fn value_of(&mut self, kind: u32, depth: u8) -> Result<Value, Fault> {
        Ok(match kind {
            0 => Value::Number(self.bytes::<1>()?[0].into()),
            2 => Value::Number(u16::from_le_bytes(self.bytes()?).into()),
            4 => Value::Number(self.u32()?.into()),
            10 => Value::Number(self.u64()?),
            // Signed ones hold counts too.
            5 => {
                u64::try_from(i32::from_le_bytes(self.bytes()?)).map_or(Value::Other, Value::Number)
            }
            11 => {
                u64::try_from(i64::from_le_bytes(self.bytes()?)).map_or(Value::Other, Value::Number)
            }
            8 => self.text()?.map_or(Value::Other, Value::Text),
            9 => {
                let (kind, count) = (self.u32()?, self.u64()?);
                match width(kind) {
                    Some(width) => self.skip(count.saturating_mul(width))?,
                    None if depth == 0 => return Err(Fault::Format("arrays in arrays in arrays")),
                    None => {
                        for _ in 0..count {
                            self.value_of(kind, depth - 1)?;
                        }
                    }
                }
                Value::Other
            }
            kind => {
                let width =
                    width(kind).ok_or(Fault::Format("a kind of value that is not known"))?;
                self.skip(width)?;
                Value::Other
            }
        })
    }
}

/// Bytes of a value of a kind; nothing for texts and arrays, which have no fixed one,
/// and for kinds that are not known.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// What the headers of all parts of a model say together; the first tells of the whole.
#[must_use]
pub fn facts(parts: &[Header]) -> Option<Facts> {
    let first = parts.first()?;
    let sum = |of: fn(&Header) -> u64| {
        parts.iter().map(of).try_fold(0u64, u64::checked_add).filter(|sum| *sum > 0)
    };
    let params = sum(|part| part.params);
    let active_params =
        match (params, sum(|part| part.expert_params), first.experts, first.experts_used) {
            (Some(all), Some(of_experts), Some(there), Some(used))
                if (1..there).contains(&used) =>
            {
                let idle = u128::from(of_experts) * u128::from(there - used) / u128::from(there);
                Some(all - u64::try_from(idle).unwrap_or_default())
            }
            _ => None,
        };
    Some(Facts {
        params,
        active_params,
        family: first.architecture.clone(),
        quantization: first.file_type.and_then(file_type).map(str::to_owned),
        framework: Some("GGUF".to_owned()),
        context: first.context,
        size_bytes: None,
    })
}

/// llama.cpp's names for its types of file (`enum llama_ftype`).
fn file_type(number: u64) -> Option<&'static str> {
    Some(match number {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4_MOE",
        _ => return None,
    })
}

/// All the parts of the file at `path`, itself among them: `x-00001-of-00003.gguf` has
/// three. Those that are not there are named too.
#[must_use]
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let named = || {
        let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
        let (rest, of) = name.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        let count: u32 = of.parse().ok().filter(|count| *count > 0)?;
        (digits(of) && digits(number)).then(|| {
            let name = |n: u32| format!("{stem}-{n:05}-of-{of}.gguf");
            (1..=count).map(|n| path.with_file_name(name(n))).collect()
        })
    };
    named().unwrap_or_else(|| vec![path.to_path_buf()])
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::{Header, facts, parts};

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn pair(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
        [text(key), kind.to_le_bytes().to_vec(), value.to_vec()].concat()
    }

    fn tensor(name: &str, shape: &[u64]) -> Vec<u8> {
        let mut bytes = text(name);
        bytes.extend((shape.len() as u32).to_le_bytes());
        bytes.extend(shape.iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([0; 12]);
        bytes
    }

    fn file(pairs: &[Vec<u8>], tensors: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend((tensors.len() as u64).to_le_bytes());
        bytes.extend((pairs.len() as u64).to_le_bytes());
        bytes.extend(pairs.concat());
        bytes.extend(tensors.concat());
        bytes
    }

    fn mixture() -> Vec<u8> {
        let words =
            [8u32.to_le_bytes().to_vec(), 2u64.to_le_bytes().to_vec(), text("a"), text("b")];
        file(
            &[
                pair("qwen3moe.context_length", 4, &40_960u32.to_le_bytes()),
                pair("general.architecture", 8, &text("qwen3moe")),
                pair("tokenizer.ggml.tokens", 9, &words.concat()),
                pair("tokenizer.chat_template", 8, &text(&"x".repeat(10_000))),
                pair("general.file_type", 4, &15u32.to_le_bytes()),
                pair("qwen3moe.expert_count", 4, &8u32.to_le_bytes()),
                pair("qwen3moe.expert_used_count", 4, &2u32.to_le_bytes()),
                pair("qwen3moe.rope.freq_base", 6, &1e6f32.to_le_bytes()),
            ],
            &[
                tensor("token_embd.weight", &[100, 10]),
                tensor("blk.0.ffn_up_exps.weight", &[10, 10, 8]),
            ],
        )
    }

    #[test]
    fn a_header_tells_family_quantization_context_and_parameters() {
        let header = Header::read(&mixture()[..]).unwrap();
        let facts = facts(&[header]).unwrap();
        assert_eq!(facts.family.as_deref(), Some("qwen3moe"));
        assert_eq!(facts.quantization.as_deref(), Some("Q4_K_M"));
        assert_eq!((facts.context, facts.params), (Some(40_960), Some(1800)));
        // Two of eight experts work: 1000 + 800 · 2/8.
        assert_eq!(facts.active_params, Some(1200));
    }

    #[test]
    fn parts_are_counted_together_and_the_first_tells_of_the_whole() {
        let first = Header::read(&mixture()[..]).unwrap();
        let second =
            Header::read(&file(&[], &[tensor("blk.1.attn_q.weight", &[200])])[..]).unwrap();
        let facts = facts(&[first, second]).unwrap();
        assert_eq!((facts.params, facts.family.as_deref()), (Some(2000), Some("qwen3moe")));
    }

    #[test]
    fn parts_have_names_that_count() {
        let file = |n: u32| PathBuf::from(format!("/m/x-0000{n}-of-00003.gguf"));
        assert_eq!(parts(&file(2)), [file(1), file(2), file(3)]);
        for single in ["/m/x.gguf", "/m/x-1-of-3.gguf", "/m/x-00001-of-00000.gguf", "/m/x"] {
            assert_eq!(parts(Path::new(single)), [PathBuf::from(single)]);
        }
    }

    #[test]
    fn what_a_hostile_file_says_of_lengths_is_not_believed() {
        let huge = u64::MAX.to_le_bytes();
        let long_text =
            [b"GGUF\x03\0\0\0".to_vec(), vec![0; 8], 1u64.to_le_bytes().to_vec(), huge.to_vec()];
        let array = pair("a", 9, &[&4u32.to_le_bytes()[..], &huge].concat());
        let nested =
            pair("a", 9, &[9u32.to_le_bytes(), 1u32.to_le_bytes(), [0; 4]].concat().repeat(9));
        for bytes in [
            long_text.concat(),
            [b"GGUF\x03\0\0\0".to_vec(), huge.to_vec(), huge.to_vec()].concat(),
            file(&[array], &[]),
            file(&[nested], &[]),
            file(&[], &[tensor("t", &[u64::MAX, 2])]),
            file(&[], &[tensor("t", &[u64::MAX]), tensor("u", &[1])]),
            file(&[], &[tensor("t", &[1; 9])]),
            b"GGUF\0\0\0\x03".to_vec(),
            b"PK\x03\x04 and so on".to_vec(),
        ] {
            assert!(Header::read(&bytes[..]).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_for_it(
            at in 0usize..600, with in proptest::collection::vec(any::<u8>(), 0..40), cut in 0usize..20_000,
        ) {
            let mut bytes = mixture();
            let end = (at + with.len()).min(bytes.len());
            let at = at.min(end);
            bytes[at..end].copy_from_slice(&with[..end - at]);
            bytes.truncate(cut);
            let _ = Header::read(&bytes[..]).map(|header| facts(&[header]));
            let mut noise = b"GGUF\x03\0\0\0".to_vec();
            noise.extend(with);
            let _ = Header::read(&noise[..]);
        }
    }
}
