//! The figure as PNG or SVG, drawn by an installed Chromium.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use pipe::{Document, Error};

use crate::page::Page;

/// What Chromium is called, in the order in which it is looked for.
const NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
/// Where macOS has it.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// A kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Svg,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
        }
    }
}

/// An installed Chromium.
///
/// # Errors
///
/// When there is none: said before the work.
pub(crate) fn chromium() -> Result<PathBuf, Error> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&folders).collect();
    let on_the_path = NAMES.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    let mut all = on_the_path.chain(APPLICATIONS.iter().map(PathBuf::from));
    all.find(|path| path.is_file()).ok_or_else(|| {
        let names = NAMES.join(", ");
        Error::Usage(format!("--png and --svg need Chromium, and none is installed ({names})"))
    })
}

/// Draws `page` with `chromium` into `output`.
///
/// # Errors
///
/// When Chromium does not start or draws nothing, and when writing fails.
pub(crate) fn draw(
    page: &Page,
    chromium: &Path,
    format: Format,
    output: &mut Document,
) -> Result<(), Error> {
    let name = format!("--{}", format.name());
    let failed = |source| Error::write(&name, source);
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("page.html");
    let mut document = Document::create(&file.to_string_lossy())?;
    page.write(&mut document)?;
    document.finish()?;
    let drawn = Command::new(chromium)
        // The page runs nothing but its own script (its policy sees to that), and a
        // container seldom lets Chromium have a sandbox.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-quic"])
        .args(["--window-size=1400,1000", "--timeout=60000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}#theme=light&export={}", file.display(), format.name()))
        .stderr(Stdio::null())
        .output()
        .map_err(failed)?;
    let page = String::from_utf8_lossy(&drawn.stdout);
    let picture = picture(&page, format);
    let nothing = || failed(std::io::Error::other("Chromium drew nothing"));
    output.bytes(&picture.ok_or_else(nothing)?)
}

/// The picture in the page, which has it as a data URL.
fn picture(page: &str, format: Format) -> Option<Vec<u8>> {
    let url = page.split("<pre id=\"picture\" hidden=\"\">").nth(1)?.split('<').next()?;
    match format {
        Format::Png => STANDARD.decode(url.strip_prefix("data:image/png;base64,")?).ok(),
        Format::Svg => unescaped(url.strip_prefix("data:image/svg+xml,")?),
    }
}

/// `%3C` and the like as the bytes that they stand for.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Format, picture, unescaped};

    #[test]
    fn a_picture_is_found_in_its_page() {
        let page = |url: &str| format!("<body><pre id=\"picture\" hidden=\"\">{url}</pre></body>");
        let svg = page("data:image/svg+xml,%3Csvg%20a='%C3%A4'%2F%3E");
        assert_eq!(picture(&svg, Format::Svg).unwrap(), "<svg a='ä'/>".as_bytes());
        assert_eq!(
            picture(&page("data:image/png;base64,iVBORw0="), Format::Png).unwrap()[1..4],
            *b"PNG"
        );
        assert_eq!(picture("<body></body>", Format::Png), None);
        assert_eq!(unescaped("100%"), None);
    }
}
