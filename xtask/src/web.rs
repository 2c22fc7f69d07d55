//! The browser's files: wasm, glue, style and page, named by content, compressed, put in place at once as `dist/`.
//!
//! `dist/assets/` holds only files whose name contains the hash of their content (cacheable for ever); everything
//! else keeps its name, because somebody outside asks for it by that name (`index.html`, `sw.js`, the icons).

mod compress;
mod modules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::cargo::{Profile, Project};
use modules::Modules;

const BOOT: &str = include_str!("web/boot.js");

const PAGE: &str = "index.html";

/// Bytes of the first load over the wire that a release may have.
const FIRST_LOAD_MOST: usize = 310_000;

/// Until the UI is built the server embeds this. It also gives cargo a file to watch: a server compiled over an
/// empty folder would not be compiled again when the real page arrives.
const NOT_BUILT: &str = "<!doctype html>\n<title>Tocsin</title>\n<p>The web interface was not built into this server. \
                         Build it with <code>cargo xtask build</code>.</p>\n";

/// The server embeds `dist/` and does not compile without it.
pub(crate) fn ensure_dist(project: &Project) -> anyhow::Result<()> {
    let page = project.dist().join(PAGE);
    if !page.exists() {
        fs::create_dir_all(project.dist())?;
        fs::write(page, NOT_BUILT)?;
    }
    Ok(())
}

pub(crate) fn build(project: &Project, profile: Profile) -> anyhow::Result<()> {
    ensure_dist(project)?;
    let wasm = project.build_web(profile)?;

    let stamp_path = project.target_dir.join("xtask-dist.stamp");
    let stamp = stamp(project, profile, &wasm)?;
    let is_built = fs::read_to_string(project.dist().join(PAGE)).is_ok_and(|page| page != NOT_BUILT);
    if is_built && fs::read_to_string(&stamp_path).is_ok_and(|last| last == stamp) {
        println!("    dist/ is up to date");
        return Ok(());
    }

    let files = lay_out(&project.root, modules::make(project, profile, &wasm)?)?;
    let sizes = compress::with_siblings(files, profile);
    let first_load = first_load(&sizes);
    print_sizes(&sizes, first_load);
    keep_budget(profile, first_load)?;
    replace_dist(project, &sizes)?;
    fs::write(stamp_path, stamp)?;
    Ok(())
}

/// One line an input: what `dist/` is made from, this program included. Equal lines mean there is nothing to do.
fn stamp(project: &Project, profile: Profile, wasm: &Path) -> anyhow::Result<String> {
    let mut inputs = vec![wasm.to_path_buf(), project.root.join("web/index.html")];
    for folder in ["web/style", "web/static", "xtask/src"] {
        inputs.extend(files_in(&project.root.join(folder))?);
    }
    // A target folder may serve several clones of the tree.
    let mut lines = vec![format!("{profile:?} {}", project.root.display())];
    for input in inputs {
        let Ok(metadata) = fs::metadata(&input) else { continue };
        let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        lines.push(format!("{} {} {}", input.display(), metadata.len(), changed.as_nanos()));
    }
    Ok(lines.join("\n"))
}

/// Path below `dist/` to content.
type Files = BTreeMap<String, Vec<u8>>;

fn lay_out(root: &Path, modules: Modules) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let [first, rest] = stylesheets(&root.join("web/style"))?;
    let css = add_hashed(&mut files, "app", "css", first);
    let later_css = add_hashed(&mut files, "later", "css", rest);
    let wasm = add_hashed(&mut files, "app", "wasm", modules.main);
    let mut loader = modules.loader;
    for (name, content) in modules.later {
        let url = add_hashed(&mut files, &name, "wasm", content);
        loader = fill(&loader, modules::LOADER, &[(&format!("./{name}.wasm"), &url)])?;
    }
    let (glue, later) = add_scripts(&mut files, &modules.glue, &loader)?;
    let boot =
        fill(BOOT, "xtask/src/web/boot.js", &[("__GLUE__", &glue), ("__WASM__", &wasm), ("__CSS__", &later_css)])?;
    let boot = add_hashed(&mut files, "boot", "js", boot.into_bytes());

    let template = fs::read_to_string(root.join("web/index.html")).context("web/index.html is missing")?;
    let names =
        [("__BOOT__", &*boot), ("__GLUE__", &*glue), ("__LATER__", &*later), ("__WASM__", &*wasm), ("__CSS__", &*css)];
    let page = fill(&template, "web/index.html", &names)?;
    let assets: Vec<String> = files.keys().map(|path| format!("/{path}")).collect();

    files.insert(PAGE.to_owned(), page.into_bytes());
    for path in files_in(&root.join("web/static"))? {
        let name = path.strip_prefix(root.join("web/static"))?.to_string_lossy().into_owned();
        if files.insert(name.clone(), fs::read(&path)?).is_some() {
            bail!("web/static/{name} would replace a file that xtask makes; give it another name");
        }
    }
    fill_service_worker(&mut files, &assets)?;
    Ok(files)
}

/// The glue and the loader import one another, so neither can carry the hash of what is served of it: both carry the
/// hash of what both were before.
fn add_scripts(files: &mut Files, glue: &str, loader: &str) -> anyhow::Result<(String, String)> {
    let hash = hex16(&Sha256::digest([glue, loader].join("\0")));
    let [glue_url, loader_url] = ["app", "later"].map(|stem| format!("/assets/{stem}-{hash}.js"));
    // The wasm knows the loader by its first name, and so must the table of its imports.
    let import = |name: &str| format!("from \"{name}\"");
    let glue = fill(glue, modules::GLUE, &[(&import(modules::LOADER), &import(&loader_url))])?;
    let loader = fill(loader, modules::LOADER, &[(&import(modules::GLUE), &import(&glue_url))])?;
    for (url, text) in [(&glue_url, glue), (&loader_url, loader)] {
        files.insert(url.trim_start_matches('/').to_owned(), text.into_bytes());
    }
    Ok((glue_url, loader_url))
}

/// The worker caches exactly this build: it is told the names, and a version that changes with any byte of it.
fn fill_service_worker(files: &mut Files, assets: &[String]) -> anyhow::Result<()> {
    let mut all = Sha256::new();
    for (path, content) in files.iter() {
        all.update(path.as_bytes());
        all.update([0]);
        all.update(Sha256::digest(content));
    }
    let version = hex16(&all.finalize());
    let Some(worker) = files.get_mut("sw.js") else { return Ok(()) };
    let source = String::from_utf8(std::mem::take(worker)).context("web/static/sw.js is not UTF-8")?;
    let assets = serde_json::to_string(assets)?;
    *worker = source.replace("__ASSETS__", &assets).replace("__VERSION__", &version).into_bytes();
    Ok(())
}

/// Parts of `web/style` from this number on are for the pages that are fetched later, and so are they.
const LATER_STYLE: &str = "70";

/// `web/style` as two sheets, what is needed at once and the rest, in the order of its names; each part is announced, so
/// that a rule is found again in a browser.
fn stylesheets(folder: &Path) -> anyhow::Result<[Vec<u8>; 2]> {
    let mut sheets = [String::new(), String::new()];
    for path in files_in(folder)? {
        if path.extension().is_some_and(|extension| extension == "css") {
            let name = path.strip_prefix(folder)?.to_string_lossy();
            let part = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let sheet = usize::from(*name >= *LATER_STYLE);
            sheets[sheet].push_str(&format!("/* {name} */\n{}\n", part.trim_end()));
        }
    }
    Ok(sheets.map(String::into_bytes))
}

/// Adds a file under the name of its content; returns its path as a browser asks for it.
fn add_hashed(files: &mut Files, stem: &str, extension: &str, content: Vec<u8>) -> String {
    let path = format!("assets/{stem}-{}.{extension}", hex16(&Sha256::digest(&content)));
    let url = format!("/{path}");
    files.insert(path, content);
    url
}

fn hex16(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces every placeholder; one that the text does not contain is a mistake in the text.
fn fill(text: &str, file: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut filled = text.to_owned();
    for (placeholder, value) in values {
        if !filled.contains(placeholder) {
            bail!("{file} does not contain {placeholder}; without it the page cannot load that file");
        }
        filled = filled.replace(placeholder, value);
    }
    Ok(filled)
}

/// The files below a folder, sorted; none when there is no such folder.
fn files_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type().is_file() && !hidden {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// A half-written `dist/` is never seen: neither by a running debug server nor by a build of the server.
fn replace_dist(project: &Project, files: &[compress::Compressed]) -> anyhow::Result<()> {
    let (fresh, old) = (project.root.join("dist.tmp"), project.root.join("dist.old"));
    for leftover in [&fresh, &old] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    for file in files {
        let path = fresh.join(&file.path);
        fs::create_dir_all(path.parent().context("a file of dist/ without a folder")?)?;
        fs::write(&path, &file.plain)?;
        for (suffix, content) in [("br", &file.brotli), ("gz", &file.gzip)] {
            if let Some(content) = content {
                fs::write(fresh.join(format!("{}.{suffix}", file.path)), content)?;
            }
        }
    }
    fs::rename(project.dist(), &old)?;
    fs::rename(&fresh, project.dist())?;
    fs::remove_dir_all(&old)?;
    Ok(())
}

/// What a browser must have before it shows anything: the page, and what the page names. Bytes over the wire.
fn first_load(files: &[compress::Compressed]) -> usize {
    let page = files.iter().find(|file| file.path == PAGE).map(|file| String::from_utf8_lossy(&file.plain));
    let is_first =
        |path: &str| path == PAGE || page.as_ref().is_some_and(|page| page.contains(&format!("\"/{path}\"")));
    let assets = files.iter().filter(|file| file.path == PAGE || file.path.starts_with("assets/"));
    assets.filter(|file| is_first(&file.path)).map(compress::Compressed::wire_len).sum()
}

/// A size is the same on every machine, so unlike a time it may fail. Development builds are not what is shipped.
fn keep_budget(profile: Profile, first_load: usize) -> anyhow::Result<()> {
    if profile == Profile::Release && first_load > FIRST_LOAD_MOST {
        bail!(
            "the first load of the page is {first_load} bytes over the wire and may be {FIRST_LOAD_MOST} (goals.md, row \
             17, and decision 25): draw what nobody needs at once in web/src/pages/later.rs"
        );
    }
    Ok(())
}

fn print_sizes(files: &[compress::Compressed], first_load: usize) {
    println!("    {:<40} {:>10} {:>10} {:>10}", "dist/", "bytes", "gzip", "brotli");
    let size = |content: &Option<Vec<u8>>| content.as_ref().map_or_else(|| "-".to_owned(), |c| c.len().to_string());
    for file in files {
        println!("    {:<40} {:>10} {:>10} {:>10}", file.path, file.plain.len(), size(&file.gzip), size(&file.brotli));
    }
    let all: usize =
        files.iter().filter(|file| file.path.starts_with("assets/")).map(compress::Compressed::wire_len).sum();
    println!(
        "    first load over the wire: {first_load} bytes (a release may have {FIRST_LOAD_MOST}); the whole application: {all}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in [
            ("web/index.html", r#""__CSS__" "__BOOT__" "__GLUE__" "__LATER__" "__WASM__""#),
            ("web/style/10-list.css", "b {}"),
            ("web/style/00-base.css", "a {}"),
            ("web/style/70-pages.css", "c {}"),
            ("web/static/sw.js", "const V = '__VERSION__'; const A = __ASSETS__;"),
            ("web/static/icons/one.svg", "<svg/>"),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn modules(main: &str) -> Modules {
        Modules {
            glue: r#"import * as later from "./later.js"; const imports = { "./later.js": later };"#.to_owned(),
            loader: r#"import { initSync } from "./web.js"; fetch(new URL("./split_pages.wasm", import.meta.url));"#
                .to_owned(),
            main: main.into(),
            later: BTreeMap::from([("split_pages".to_owned(), b"pages".to_vec())]),
        }
    }

    fn asset<'a>(files: &'a Files, stem: &str, extension: &str) -> &'a str {
        let is_it = |path: &&String| path.starts_with(&format!("assets/{stem}-")) && path.ends_with(extension);
        files.keys().find(is_it).unwrap()
    }

    fn text(files: &Files, path: &str) -> String {
        String::from_utf8(files[path].clone()).unwrap()
    }

    #[test]
    fn every_name_in_the_page_and_the_worker_exists() {
        let root = tree();
        let files = lay_out(root.path(), modules("wasm")).unwrap();
        for url in text(&files, "index.html").split_whitespace() {
            assert!(files.contains_key(&url.trim_matches('"')[1..]), "{url}");
        }
        let worker = text(&files, "sw.js");
        let list = worker.split_once("const A = ").unwrap().1.trim_end_matches(';');
        let assets: Vec<String> = serde_json::from_str(list).unwrap();
        assert_eq!(assets.len(), 7, "glue, loader, two modules, two style sheets and boot");
        assert!(assets.iter().all(|url| files.contains_key(&url[1..])));
        assert!(files.contains_key("icons/one.svg"));
    }

    #[test]
    fn style_files_are_joined_in_the_order_of_their_names() {
        let sheets =
            stylesheets(&tree().path().join("web/style")).unwrap().map(|sheet| String::from_utf8(sheet).unwrap());
        assert_eq!(sheets, ["/* 00-base.css */\na {}\n/* 10-list.css */\nb {}\n", "/* 70-pages.css */\nc {}\n"]);
    }

    #[test]
    fn one_changed_byte_changes_the_name_and_the_workers_version() {
        let root = tree();
        let one = lay_out(root.path(), modules("wasm")).unwrap();
        let two = lay_out(root.path(), modules("wasn")).unwrap();
        assert_ne!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
        assert_ne!(text(&one, "sw.js"), text(&two, "sw.js"));
        let again = lay_out(root.path(), modules("wasm")).unwrap();
        assert_eq!(one, again, "the same inputs give the same bytes");
    }

    #[test]
    fn a_page_that_forgets_the_wasm_is_refused() {
        let root = tree();
        fs::write(root.path().join("web/index.html"), "__CSS__ __BOOT__ __GLUE__ __LATER__").unwrap();
        let error = lay_out(root.path(), modules("wasm")).unwrap_err();
        assert!(error.to_string().contains("web/index.html does not contain __WASM__"), "{error}");
    }

    #[test]
    fn the_scripts_name_each_other_and_every_module_by_what_is_served() {
        let files = lay_out(tree().path(), modules("wasm")).unwrap();
        let (glue, loader) = (asset(&files, "app", "js"), asset(&files, "later", "js"));
        // The wasm asks for the loader by its first name.
        assert_eq!(
            text(&files, glue),
            format!(r#"import * as later from "/{loader}"; const imports = {{ "./later.js": later }};"#)
        );
        let pages = asset(&files, "split_pages", "wasm");
        assert_eq!(
            text(&files, loader),
            format!(r#"import {{ initSync }} from "/{glue}"; fetch(new URL("/{pages}", import.meta.url));"#)
        );
    }

    #[test]
    fn another_later_module_gives_both_scripts_other_names() {
        let root = tree();
        let one = lay_out(root.path(), modules("wasm")).unwrap();
        let mut changed = modules("wasm");
        changed.later.insert("split_pages".to_owned(), b"other".to_vec());
        let two = lay_out(root.path(), changed).unwrap();
        for (stem, extension) in [("app", "js"), ("later", "js"), ("split_pages", "wasm")] {
            assert_ne!(asset(&one, stem, extension), asset(&two, stem, extension), "{stem}");
        }
        assert_eq!(asset(&one, "app", "wasm"), asset(&two, "app", "wasm"));
    }

    #[test]
    fn what_is_fetched_later_is_not_in_the_first_load() {
        let load = |modules| {
            let files = lay_out(tree().path(), modules).unwrap();
            first_load(&compress::with_siblings(files, Profile::Dev))
        };
        // What does not compress; the names of the files, which do, move a size by a few bytes.
        let noise: Vec<u8> = (0..300_u32).flat_map(|number| Sha256::digest(number.to_le_bytes())).collect();
        let (small, mut later, mut main) = (load(modules("wasm")), modules("wasm"), modules("wasm"));
        later.later.insert("split_pages".to_owned(), noise.clone());
        main.main.clone_from(&noise);
        assert!(load(later).abs_diff(small) < 100);
        assert!(load(main) > small + noise.len() - 100);
    }

    #[test]
    fn a_release_whose_first_load_is_too_large_is_refused() {
        assert!(keep_budget(Profile::Release, FIRST_LOAD_MOST).is_ok());
        let error = keep_budget(Profile::Release, FIRST_LOAD_MOST + 1).unwrap_err();
        assert!(error.to_string().contains("310001 bytes over the wire and may be 310000"), "{error}");
        assert!(keep_budget(Profile::Dev, FIRST_LOAD_MOST + 1).is_ok());
    }
}
