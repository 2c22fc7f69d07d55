//! One wasm becomes several: what everybody needs at once, and what is fetched later; with the JavaScript that fits.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use wasmparser::{Parser, Payload};

use crate::cargo::{Profile, Project};

/// What the main module calls the file that fetches the others, and the glue calls itself: `lay_out` gives both the
/// names they are served by.
pub(super) const LOADER: &str = "./later.js";
pub(super) const GLUE: &str = "./web.js";

/// The application as wasm-bindgen and the splitter leave it.
#[derive(Clone, Default)]
pub(super) struct Modules {
    /// The glue of the main module; it imports [`LOADER`].
    pub(super) glue: String,
    /// Fetches the later modules; it imports [`GLUE`] and names them `./NAME.wasm`.
    pub(super) loader: String,
    /// What is fetched at once.
    pub(super) main: Vec<u8>,
    /// What is fetched later, by name.
    pub(super) later: BTreeMap<String, Vec<u8>>,
}

/// Splits at the functions marked `wasm_split` and binds what is left to JavaScript.
pub(super) fn make(project: &Project, profile: Profile, wasm: &Path) -> anyhow::Result<Modules> {
    let folder = project.target_dir.join("xtask-bindgen");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let main = folder.join("web.wasm");
    let later = split(wasm, &folder, &main, profile)?;
    bind(&main, &folder, profile)?;
    Ok(Modules {
        glue: fs::read_to_string(folder.join("web.js"))?,
        loader: fs::read_to_string(folder.join(LOADER))?,
        main: fs::read(folder.join("web_bg.wasm"))?,
        later,
    })
}

fn split(wasm: &Path, folder: &Path, main: &Path, profile: Profile) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let input = fs::read(wasm)?;
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = folder;
    options.main_out_path = main;
    options.link_name = LOADER;
    options.main_module = GLUE;
    let made = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("{error:?}"))
        .context("the module could not be split: was it linked with --emit-relocs?")?;
    let mut later = BTreeMap::new();
    for path in made.split_modules {
        let name = path.file_stem().context("a later module without a name")?.to_string_lossy().into_owned();
        let module = fs::read(&path)?;
        later.insert(name, if profile == Profile::Release { without_names(&module)? } else { module });
    }
    Ok(later)
}

fn bind(main: &Path, folder: &Path, profile: Profile) -> anyhow::Result<()> {
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen
        .input_path(main)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // The later modules take memory, stack pointer and table from the main one.
        .keep_lld_exports(true)
        .remove_name_section(profile == Profile::Release)
        .remove_producers_section(profile == Profile::Release)
        .generate(folder)
        .context("wasm-bindgen refused the module: does web's main mount an application, and is wasm-bindgen in Cargo.lock the version that xtask pins?")?;
    if folder.join("snippets").exists() {
        bail!(
            "a dependency of web brings JavaScript files of its own (see {}); the layout of dist/ has no place for \
             them: use web-sys in their stead, or teach xtask/src/web.rs to hash them",
            folder.join("snippets").display()
        );
    }
    Ok(())
}

/// The module without its custom sections: names of functions, and who produced it.
fn without_names(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut bare = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if matches!(payload, Payload::CustomSection(_)) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = module.get(range).context("a section of a later module ends beyond it")?;
            bare.section(&wasm_encoder::RawSection { id, data });
        }
    }
    Ok(bare.finish())
}
