//! What a file of pictures or sound is, by its first bytes and not by its name.

/// The media type of a picture, where it is one that servers take.
pub(super) fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    }
}

/// The media type of sound. What is not known is sent all the same: to refuse it is for
/// the server.
pub(super) fn sound(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'I', b'D', b'3', ..] | [0xff, 0xe2..=0xff, ..] => "audio/mpeg",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "audio/mp4",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "audio/webm",
        _ => "application/octet-stream",
    }
}

/// How long sound lasts, in seconds, where its header says so: WAV that is not
/// compressed, and FLAC.
pub(super) fn seconds(bytes: &[u8]) -> Option<f64> {
    match sound(bytes) {
        "audio/wav" => wav_seconds(bytes),
        "audio/flac" => flac_seconds(bytes),
        _ => None,
    }
}

fn wav_seconds(bytes: &[u8]) -> Option<f64> {
    let u32_at = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?));
    let mut rest = bytes.get(12..)?;
    let mut bytes_per_second = None;
    loop {
        let (name, size) = (rest.get(..4)?, u32_at(rest.get(4..)?)? as usize);
        let body = rest.get(8..)?;
        match name {
            b"fmt " => {
                // 1 is PCM, 3 floats, 0xfffe one of both: the rate of others is no measure.
                let format = u16::from_le_bytes(body.get(..2)?.try_into().ok()?);
                let rate = u32_at(body.get(8..)?)?;
                bytes_per_second = ([1, 3, 0xfffe].contains(&format) && rate > 0).then_some(rate);
            }
            // Who writes to a pipe does not know the size yet and writes the most: then it
            // goes to the end of the file.
            b"data" => return Some(size.min(body.len()) as f64 / f64::from(bytes_per_second?)),
            _ => {}
        }
        // Chunks begin at even places.
        rest = body.get(size.checked_add(size % 2)?..)?;
    }
}

fn flac_seconds(bytes: &[u8]) -> Option<f64> {
    // STREAMINFO is the first block: 20 bits of rate, 3 of channels, 5 of depth, 36 of
    // the number of samples.
    let info: [u8; 8] = bytes.get(18..26)?.try_into().ok()?;
    let packed = u64::from_be_bytes(info);
    let (rate, samples) = (packed >> 44, packed & 0xf_ffff_ffff);
    (rate > 0 && samples > 0).then(|| samples as f64 / rate as f64)
}

/// The header of a WAV file (16 kHz, 16 bit, one channel) with `size` bytes of sound; at
/// most as many as the format can say.
pub(super) fn wav_header(size: u64) -> Vec<u8> {
    let size = u32::try_from(size).unwrap_or(u32::MAX - 36).min(u32::MAX - 36);
    let mut header = b"RIFF".to_vec();
    header.extend((size + 36).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    for half in [1u16, 1] {
        header.extend(half.to_le_bytes());
    }
    for whole in [16_000u32, 32_000] {
        header.extend(whole.to_le_bytes());
    }
    for half in [2u16, 16] {
        header.extend(half.to_le_bytes());
    }
    header.extend(b"data");
    header.extend(size.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{picture, seconds, sound, wav_header};

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(picture(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(picture(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture(b"hello"), None);
        assert_eq!(sound(b"RIFF\0\0\0\0WAVEfmt "), "audio/wav");
        assert_eq!(sound(b"ID3\x04"), "audio/mpeg");
        assert_eq!(sound(b"\xff\xfb\x90"), "audio/mpeg");
        assert_eq!(sound(b"?"), "application/octet-stream");
    }

    #[test]
    fn the_length_of_a_wav_file_is_that_of_its_sound() {
        let mut file = wav_header(64_000);
        file.extend(vec![0; 64_000]);
        assert_eq!(seconds(&file), Some(2.0));
        // Other chunks before it, of an odd size too.
        let mut other = file[..36].to_vec();
        other.extend(b"LIST\x03\0\0\0abc\0");
        other.extend(&file[36..]);
        assert_eq!(seconds(&other), Some(2.0));
        // Written to a pipe.
        file[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(seconds(&file), Some(2.0));
        // ADPCM: the bytes a second of the header are no measure.
        file[20] = 2;
        assert_eq!(seconds(&file), None);
    }

    #[test]
    fn the_length_of_a_flac_file_is_in_its_first_block() {
        let mut file = b"fLaC\x80\0\0\x22".to_vec();
        file.extend([0; 10]);
        file.extend(((44_100u64 << 44) | (1 << 41) | (15 << 36) | 88_200).to_be_bytes());
        assert_eq!(seconds(&file), Some(2.0));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_have_a_length_or_none(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = seconds(&bytes);
            bytes.splice(0..0, *b"RIFF\0\0\0\0WAVE");
            let _ = seconds(&bytes);
            bytes.splice(0..4, *b"fLaC");
            let _ = seconds(&bytes);
        }
    }
}
