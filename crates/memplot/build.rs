//! Makes plotly.js small enough to travel in every page, and one script of the page's.
//!
//! The `plotly` crate carries the library; it is compressed here, once, and the page
//! unpacks it (`src/page/js/library.js`). The hashes of both scripts go into the page's
//! content security policy: nothing else can run in it.

use std::{env, error::Error, fs, io::Write, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The page's scripts, in the order in which they are read; one scope holds them all.
const PAGE_SCRIPTS: [&str; 17] = [
    "dom", "state", "format", "palette", "header", "table", "library", "samples", "lanes", "axes",
    "figure", "curves", "moving", "drawing", "strip", "controls", "start",
];
const FOLDER: &str = "src/page/js";
const OPEN: &str = "<script type=\"text/javascript\">";
const CLOSE: &str = "</script>";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);

    let sources = plotly::Plot::offline_js_sources();
    let library = plotly_js(&sources).ok_or("the plotly crate holds no plotly.js")?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(library.as_bytes())?;
    fs::write(out.join("plotly.js.gz.base64"), STANDARD.encode(packed.finish()?))?;

    let mut page = String::from("\"use strict\";\n(async () => {\n");
    for name in PAGE_SCRIPTS {
        page += &fs::read_to_string(format!("{FOLDER}/{name}.js"))?;
    }
    page += "})();\n";
    fs::write(out.join("page.js"), &page)?;

    println!("cargo::rustc-env=PLOTLY_JS_HASH={}", csp_hash(library.as_bytes()));
    println!("cargo::rustc-env=PAGE_SCRIPT_HASH={}", csp_hash(page.as_bytes()));
    Ok(())
}

/// The script element that is plotly.js, among others (MathJax).
fn plotly_js(sources: &str) -> Option<&str> {
    sources
        .split(OPEN)
        .filter_map(|element| element.trim().strip_suffix(CLOSE))
        .find(|script| script.trim_start().starts_with("/**\n* plotly.js"))
}

/// A source of a content security policy that allows exactly `script`.
fn csp_hash(script: &[u8]) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script)))
}
