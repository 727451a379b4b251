//! Forms with files (RFC 7578).

use super::Payload;

/// A form that is being written.
#[derive(Debug)]
pub struct Form {
    boundary: String,
    bytes: Vec<u8>,
}

impl Form {
    /// An empty form. `boundary` must not turn up in what is put into it.
    #[must_use]
    pub fn new(boundary: String) -> Form {
        Form { boundary, bytes: Vec::new() }
    }

    /// The type of its body.
    #[must_use]
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Adds a field with a text.
    pub fn field(&mut self, name: &str, value: &str) {
        self.head(name, None, None);
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Adds the beginning of a file; its content is what stands between this body and the
    /// rest, up to [`Form::finish`].
    pub fn file(&mut self, name: &str, file: &str, media_type: &str, content: &[u8]) {
        self.head(name, Some(file), Some(media_type));
        self.bytes.extend_from_slice(content);
    }

    /// The body, with `filler` made so long that all of it has `size` bytes; or without
    /// any where there is no size.
    ///
    /// # Errors
    ///
    /// When it is larger than that without filler.
    pub fn finish(self, filler: &'static [u8], size: Option<u64>) -> Result<Payload, String> {
        let tail = format!("\r\n--{}--\r\n", self.boundary).into_bytes();
        match size {
            Some(size) => Payload::filled(self.bytes, filler, tail, size),
            None => {
                let mut bytes = self.bytes;
                bytes.extend(tail);
                Ok(bytes.into())
            }
        }
    }

    fn head(&mut self, name: &str, file: Option<&str>, media_type: Option<&str>) {
        let mut head = format!(
            "--{}\r\ncontent-disposition: form-data; name=\"{}\"",
            self.boundary,
            quoted(name)
        );
        if let Some(file) = file {
            head.push_str(&format!("; filename=\"{}\"", quoted(file)));
        }
        if let Some(media_type) = media_type {
            head.push_str(&format!("\r\ncontent-type: {media_type}"));
        }
        head.push_str("\r\n\r\n");
        self.bytes.extend_from_slice(head.as_bytes());
    }
}

/// As browsers write names into a header (WHATWG HTML, "multipart/form-data encoding").
fn quoted(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::Form;

    #[test]
    fn a_form_has_its_fields_and_its_file_between_boundaries() {
        let mut form = Form::new("XX".into());
        form.field("model", "m");
        form.file("file", "a\"b.wav", "audio/wav", b"RIFF");
        assert_eq!(form.content_type(), "multipart/form-data; boundary=XX");
        let mut text = String::new();
        form.finish(b"", None).unwrap().reader().read_to_string(&mut text).unwrap();
        assert_eq!(
            text,
            "--XX\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
             --XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a%22b.wav\"\r\n\
             content-type: audio/wav\r\n\r\nRIFF\r\n--XX--\r\n"
        );
    }
}
