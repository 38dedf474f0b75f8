//! Products as stacks: images of others, each with a description in `firmware-under-test/products/`.
//!
//! The file's name is the stack's. What it says is a dialect's; `product` names the image, which is kept outside of the
//! repository ([`crate::products`]) and may not be there.

use std::fs;
use std::path::{Path, PathBuf};

use blame::Error;

use super::Stack;
use crate::dialect::Dialect;
use crate::products::{self, Product};
use crate::released::Firmware;

/// Where the descriptions are.
const FOLDER: &str = "firmware-under-test/products";

/// Every product that is described, in the order of the files' names.
///
/// # Errors
///
/// If a description cannot be read, is wrong, or names an image that nobody has pinned; if an image is none for its chip.
pub(super) fn all(root: &Path) -> blame::Result<Vec<Stack>> {
    let mut stacks = Vec::new();
    for file in descriptions(&root.join(FOLDER))? {
        let Some(dialect) = Dialect::read(&file).map_err(Error::author)? else { continue };
        let wrong = |why: String| Error::authors_file(&file, why);
        let name =
            dialect.product.clone().ok_or_else(|| wrong("`product` is missing: which image is it?".to_owned()))?;
        let product = Product::by_name(&name)
            .ok_or_else(|| wrong(format!("`{name}` is no product: `cargo xtask products install --list`")))?;
        stacks.extend(Stack::all_of(Firmware::product(root, &file, product)?, dialect));
    }
    Ok(stacks)
}

/// The description of an image that is pinned here: its file, which product it is, and what it says.
///
/// # Errors
///
/// If it cannot be read, or is wrong.
pub(super) fn description(root: &Path, image: &Path) -> blame::Result<Option<(PathBuf, &'static Product, Dialect)>> {
    let Ok(bytes) = host::read(image, &host::limit::IMAGE) else { return Ok(None) };
    let Some(product) = products::ALL.iter().find(|product| product.is(&bytes)) else { return Ok(None) };
    for file in descriptions(&root.join(FOLDER))? {
        let dialect = Dialect::read(&file).map_err(Error::author)?;
        if let Some(dialect) = dialect.filter(|dialect| dialect.product.as_deref() == Some(product.name)) {
            return Ok(Some((file, product, dialect)));
        }
    }
    Ok(None)
}

fn descriptions(folder: &Path) -> blame::Result<Vec<PathBuf>> {
    let unreadable = |error: std::io::Error| Error::file(folder, error);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let paths = fs::read_dir(folder).map_err(unreadable)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    Ok(paths)
}
