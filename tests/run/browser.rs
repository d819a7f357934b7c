//! A headless Chromium, driven over WebDriver by its `chromedriver`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A browser with one page. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one of this size, or gives `None` where there is none.
    pub(crate) fn start(width: u32, height: u32) -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut this = Self {
            driver,
            port: 0,
            session: String::new(),
        };
        let stdout = this.driver.stdout.take().unwrap();
        let mut lines = BufReader::new(stdout).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let port = line
                .rsplit_once("successfully on port ")?
                .1
                .trim_end_matches('.');
            Some(port.parse().unwrap())
        });
        this.port = port.unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--window-size={width},{height}"),
        ];
        let session = this.call(
            "/session",
            Some(json!({"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
            }}})),
        );
        this.session = session["sessionId"].as_str().unwrap().to_owned();
        Some(this)
    }

    /// Opens a file.
    pub(crate) fn open(&self, path: &Path, fragment: &str) {
        let url = format!("file://{}{fragment}", path.display());
        self.of_session("url", json!({"url": url}));
    }

    /// Runs a script on the page, and gives what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.of_session("execute/sync", json!({"script": script, "args": []}))
    }

    /// Types where the focus is, or into what a selector finds.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let found = self.of_session(
            "element",
            json!({"using": "css selector", "value": selector}),
        );
        let id = found.as_object().unwrap().values().next().unwrap();
        let id = id.as_str().unwrap();
        self.of_session(&format!("element/{id}/value"), json!({"text": text}));
    }

    /// What the console has had to say since it was asked last.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.of_session("se/log", json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }

    fn of_session(&self, command: &str, body: Value) -> Value {
        self.call(&format!("/session/{}/{command}", self.session), Some(body))
    }

    /// Sends a request, or `DELETE` without a body, and gives its `value`.
    fn call(&self, path: &str, body: Option<Value>) -> Value {
        let (method, body) = match body {
            Some(body) => ("POST", body.to_string()),
            None => ("DELETE", String::new()),
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(n) = line.strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call(&format!("/session/{}", self.session), None);
        }
        // It has gone already, or there is nobody left to tell.
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
