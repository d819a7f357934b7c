//! The pages of documentation as a reader meets them: every link that stays in
//! the project leads somewhere, and every page can be come to from the index.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the project, those of rules included.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut directories = vec![root().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// Where the links of a page lead, code left out.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        for after in prose.split("](").skip(1) {
            let target = after.split(')').next().unwrap_or_default();
            links.push(target.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    links
}

fn is_elsewhere(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

/// How a heading is named in a link.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect()
}

/// The path without its `..`, so that two ways to a page are one.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            component => tidy.push(component),
        }
    }
    tidy
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut n_links = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).iter().filter(|link| !is_elsewhere(link)) {
            n_links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let name = page.strip_prefix(root()).unwrap().display();
            if !target.exists() {
                broken.push(format!("{name}: `{link}` leads nowhere"));
            } else if !heading.is_empty() {
                let text = fs::read_to_string(&target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                if !headings.any(|line| anchor(line) == heading) {
                    broken.push(format!("{name}: `{link}` names no heading"));
                }
            }
        }
    }
    assert!(n_links > 100, "only {n_links} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_of_docs_is_in_the_index() {
    let index = root().join("docs/README.md");
    let text = fs::read_to_string(&index).unwrap();
    let listed: BTreeSet<_> = links(&text)
        .iter()
        .filter(|link| !is_elsewhere(link))
        .map(|link| tidy(&root().join("docs").join(link)))
        .collect();
    let docs = root().join("docs");
    let missing: Vec<_> = pages()
        .into_iter()
        .filter(|page| page.starts_with(&docs) && *page != index && !listed.contains(page))
        .collect();
    assert!(missing.is_empty(), "not in docs/README.md: {missing:?}");
}

#[test]
fn sessions_are_where_they_are_run() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.strip_prefix(root()).unwrap();
        let is_run = ["docs", "tests/cmd"].iter().any(|it| name.starts_with(it))
            || ["README.md", "README.zh.md"].contains(&name.to_str().unwrap());
        // A `console` block is what `tests/transcripts.rs` runs; `sh` is not run.
        assert!(is_run || !text.contains("```console"), "{}", name.display());
    }
}

#[test]
fn promises_name_tests_that_are_there() {
    let text = fs::read_to_string(root().join("docs/promises.md")).unwrap();
    let code = text.split('`').skip(1).step_by(2);
    let named: Vec<_> = code
        .filter_map(|code| code.split(' ').next())
        .filter(|path| path.ends_with(".rs") || path.ends_with(".py"))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for path in named {
        assert!(root().join(path).exists(), "`{path}` is not there");
    }
}

#[test]
fn links_are_told_from_code() {
    let text = "[a](b.md) and `[c](d)` ![e](f.png \"g\")\n```sh\n[h](i)\n```\n[j](#k-l)";
    assert_eq!(links(text), ["b.md", "f.png", "#k-l"]);
    assert_eq!(anchor("## What it *is*, in `prep`"), "what-it-is-in-prep");
}
