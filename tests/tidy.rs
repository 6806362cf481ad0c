//! Rules about the source tree itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// Returns the module of `lib.rs` that a file belongs to: `src/report/page.rs` to `report`.
fn module(file: &Path) -> String {
    let part = file.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    part.trim_end_matches(".rs").to_owned()
}

fn modules() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_module_names_only_modules_listed_above_it() {
    let modules = modules();
    assert!(modules.len() > 10, "lib.rs lists the modules one a line");
    for (file, text) in rust_files("src") {
        let own = module(&file);
        let Some(rank) = modules.iter().position(|module| *module == own) else {
            continue;
        };
        for above in &modules[rank + 1..] {
            let upward = format!("crate::{above}");
            let names = text.match_indices(&upward).any(|(at, _)| {
                let behind = text.get(at + upward.len()..).unwrap_or_default();
                !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            assert!(!names, "{}: names `{upward}`, which lib.rs lists below", file.display());
        }
    }
}

#[test]
fn every_module_of_the_library_is_listed() {
    let modules: BTreeSet<String> = modules().into_iter().collect();
    let on_disk: BTreeSet<String> = rust_files("src")
        .iter()
        .map(|(file, _)| module(file))
        .filter(|module| module != "lib" && module != "main")
        .collect();
    assert_eq!(modules, on_disk);
}

#[test]
fn the_map_of_the_code_has_every_module() {
    let map = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows, modules());
}

#[test]
fn threads_start_in_ingest_alone() {
    for (file, text) in rust_files("src") {
        let starts = text.contains("rayon::") || text.contains("thread::spawn");
        assert!(!starts || file == Path::new("src/ingest.rs"), "{}", file.display());
    }
}

#[test]
fn what_is_asynchronous_carries_bytes_and_nothing_else() {
    let rooms = ["src/serve.rs", "src/serve/forward.rs", "src/serve/http.rs"];
    for (file, text) in rust_files("src") {
        let is_async = ["tokio::", "async ", ".await"].iter().any(|word| text.contains(word));
        assert!(!is_async || rooms.iter().any(|room| file == Path::new(room)), "{file:?}");
    }
}

#[test]
fn unsafe_code_stands_where_a_file_is_mapped_and_where_vectors_are_used() {
    let rooms = [
        "src/source/open.rs",
        "src/event/scan/block.rs",
        "src/event/scan/block/aarch64.rs",
        "src/event/scan/block/portable.rs",
        "src/event/scan/block/x86_64.rs",
        "src/event/scan/level.rs",
    ];
    for (file, text) in rust_files("src") {
        let blocks = text.matches("unsafe {").count();
        assert!(blocks == 0 || rooms.iter().any(|room| file == Path::new(room)), "{file:?}");
        let notes = text.matches("// SAFETY:").count();
        assert_eq!(blocks, notes, "{}: one SAFETY note a block", file.display());
    }
}

#[test]
fn every_file_says_what_it_is() {
    for directory in ["src", "tests", "benches"] {
        for (file, text) in rust_files(directory) {
            assert!(text.starts_with("//! "), "{}", file.display());
        }
    }
}

/// Returns the numbers of the rules in `docs/semantics.md`: those that begin an item or a row.
fn rules() -> Vec<String> {
    let semantics = fs::read_to_string(root().join("docs/semantics.md")).unwrap();
    semantics
        .lines()
        .filter_map(|line| line.strip_prefix("| ").or(line.strip_prefix("- **")))
        .filter_map(|line| line.split([' ', '*']).next())
        .filter(|word| {
            let (letter, number) = word.split_at(word.len().min(1));
            ["A", "C", "I", "O", "P", "S", "V"].contains(&letter)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_rule_is_named_by_a_test() {
    let rules = rules();
    assert!(rules.len() >= 60, "docs/semantics.md restates the rules: found {rules:?}");
    let mut named = BTreeSet::new();
    for (_, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        for name in text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")) {
            let name = name.split('(').next().unwrap();
            named.extend(name.split('_').map(str::to_uppercase));
        }
    }
    let missing: Vec<&String> = rules.iter().filter(|rule| !named.contains(*rule)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}");
}

#[test]
fn the_documents_name_no_path_of_a_machine() {
    for name in ["README.md", "CHANGELOG.md", "docs", "testdata/README.md"] {
        let path = root().join(name);
        let files = if path.is_dir() {
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
        } else {
            vec![path]
        };
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for word in ["/home/", "/root/"] {
                assert!(!text.contains(word), "{}: `{word}`", file.display());
            }
        }
    }
}
