//! Every scenario of the collection asks for a broker that can be.

use scenario::Scenario;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios can be read") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_scenario_has_its_broker() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut complaints = Vec::new();
    let mut count = 0;
    for file in files(&folder) {
        let name = file.strip_prefix(&folder).expect("it lies in the folder").with_extension("");
        let name = name.to_str().expect("names are ASCII").replace('\\', "/");
        let text = std::fs::read_to_string(&file).expect("scenarios are text");
        let scenario = match Scenario::parse(&name, &format!("{name}.toml"), &text) {
            Ok(scenario) => scenario,
            Err(problem) => {
                complaints.push(problem.to_string());
                continue;
            }
        };
        count += 1;
        match pki::mint(&scenario.pki, 0x5eed, scenario.date()) {
            Err(error) => complaints.push(format!("{name}: {error}")),
            Ok(minted) => {
                if let Err(error) = broker::Broker::new(&scenario.broker, &minted, 0x5eed, scenario.date()) {
                    complaints.push(format!("{name}: {error}"));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(count > 0, "there are scenarios");
}
