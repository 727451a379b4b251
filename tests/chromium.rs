//! A real browser, driven over its debugging pipe: JSON messages that end with a zero
//! byte, through two named pipes.

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// A page in a browser of its own.
pub struct Browser {
    process: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    number: u64,
    /// What the page said on its console and what went wrong in it.
    complaints: Vec<String>,
    /// Addresses that were asked for.
    requests: Vec<String>,
    folder: tempfile::TempDir,
}

/// The browser; `None` where none is installed, unless `REQUIRE_CHROMIUM` is set.
fn installed() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
    let found = found.into_iter().find(|path| path.is_file());
    assert!(
        found.is_some() || env::var_os("REQUIRE_CHROMIUM").is_none(),
        "REQUIRE_CHROMIUM is set and there is no Chromium"
    );
    if found.is_none() {
        // Straight to the stream: the harness holds back what the macros print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no Chromium");
    }
    found
}

impl Browser {
    /// A browser whose window is so many pixels wide and high.
    pub fn start(width: u32, height: u32) -> Option<Browser> {
        let chromium = installed()?;
        let folder = tempfile::tempdir().unwrap();
        let [to, from] = ["to", "from"].map(|name| folder.path().join(name));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let process = Command::new("sh")
            // It reads file descriptor 3 and writes file descriptor 4.
            .args(["-c", r#"exec 3<"$0" 4>"$1"; shift; exec "$@""#])
            .args([&to, &from])
            .arg(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--hide-scrollbars", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--remote-debugging-pipe"])
            // No request may leave the page or its worker: by a proxy that is not there, it fails.
            .arg("--proxy-server=127.0.0.1:9")
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--window-size={width},{height}"))
            .stderr(File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let to = File::options().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let mut browser = Browser {
            process,
            to,
            from,
            session: None,
            number: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            folder,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// What the browser answers to `method`.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let mut line = Vec::new();
            let read = self.from.read_until(0, &mut line).unwrap();
            assert!(read > 0, "the browser ended: {}", self.stderr());
            let answer: Value = serde_json::from_slice(&line[..line.len() - 1]).unwrap();
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.event(&answer);
        }
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    fn event(&mut self, event: &Value) {
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => {
                self.complaints.push(event["params"].to_string());
            }
            "Network.requestWillBeSent" => {
                let url = event["params"]["request"]["url"].as_str().unwrap();
                self.requests.push(url.chars().take(80).collect());
            }
            _ => {}
        }
    }

    /// The value of `script` in the page.
    pub fn js(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until `script` is true in the page.
    pub fn wait(&mut self, script: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.js(script) != true {
            assert!(Instant::now() < end, "never: {script}; {:?}", self.complaints);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Opens a page, with what follows its `#`, and waits until it is drawn.
    pub fn open(&mut self, page: &Path, hash: &str) {
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.call("Page.navigate", json!({ "url": format!("file://{}{hash}", page.display()) }));
        self.wait("location.protocol === 'file:' && !!document.documentElement?.dataset.drawn");
        self.settle();
    }

    /// Waits until everything that was asked for is drawn.
    pub fn settle(&mut self) {
        self.wait("!document.documentElement.hasAttribute('data-busy')");
    }

    /// A `data-` attribute of the root.
    pub fn mark(&mut self, name: &str) -> String {
        let value = self.js(&format!("document.documentElement.dataset.{name} ?? ''"));
        value.as_str().unwrap().to_owned()
    }

    /// Presses a key, and waits for what comes of it.
    pub fn key(&mut self, key: &str) {
        let text = if key.len() == 1 { key } else { "" };
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyDown", "key": key, "text": text }));
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key }));
        self.settle();
    }

    /// The pointer does something at a place in the window.
    pub fn mouse(&mut self, what: &str, x: f64, y: f64, clicks: u32) {
        let button = if what == "mouseMoved" && clicks == 0 { "none" } else { "left" };
        let event = json!({ "type": what, "x": x, "y": y, "button": button, "clickCount": clicks });
        self.call("Input.dispatchMouseEvent", event);
    }

    /// Where in the window an element is: at that share of its width, half-way down.
    pub fn place_in(&mut self, element: &str, share: f64) -> [f64; 2] {
        let place = self.js(&format!(
            "(() => {{ const box = {element}.getBoundingClientRect();
               return [box.x + box.width * {share}, box.y + box.height / 2] }})()"
        ));
        [0, 1].map(|i| place[i].as_f64().unwrap())
    }

    /// Fails if the page complained of anything or asked for more than itself.
    pub fn assert_clean(&mut self) {
        self.js("1");
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        let others = |url: &&String| {
            !url.starts_with("file:")
                && !url.starts_with("blob:")
                && !url.starts_with("data:")
                && *url != "about:blank"
        };
        let others: Vec<&String> = self.requests.iter().filter(others).collect();
        assert!(others.is_empty(), "{others:?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && matches!(self.process.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
